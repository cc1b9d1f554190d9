"""How well a block of numbers, such as an embedding, tells a target: a ridge over the other groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PENALTY = 1e-3


def by_ridge(block: NDArray[np.float32], targets: Floats, parts: NDArray[np.int64]) -> Floats:
    """Per column of ``targets`` (rows, columns), the correlation of what a ridge says with what is true, 0 where it is negative.

    ``block``: (rows, dimension), without NaN. Each part of the rows is predicted by a ridge over the others, with a penalty of
    a thousandth of the mean square of a column (Hoerl and Kennard 1970).
    """
    inside = [parts == part for part in np.unique(parts)]
    grams = [_gram(block[rows], targets[rows]) for rows in inside]
    whole = [np.sum(of, axis=0) for of in zip(*grams, strict=True)]
    predicted = np.empty_like(targets)
    for rows, own in zip(inside, grams, strict=True):
        squares, products, sums, sums_targets, count = (total - part for total, part in zip(whole, own, strict=True))
        mean, mean_targets = sums / count, sums_targets / count
        centred = squares - count * np.outer(mean, mean)
        penalty = PENALTY * max(np.trace(centred) / len(centred), 1e-12)
        weights = np.linalg.solve(centred + penalty * np.eye(len(centred)), products - count * np.outer(mean, mean_targets))
        predicted[rows] = (block[rows] - mean) @ weights + mean_targets
    return _correlations(predicted, targets)


def _gram(block: NDArray[np.float32], targets: Floats) -> tuple[Floats, ...]:
    wide = block.astype(np.float64)
    return wide.T @ wide, wide.T @ targets, wide.sum(axis=0), targets.sum(axis=0), np.asarray(float(len(wide)))


def _correlations(one: Floats, other: Floats) -> Floats:
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    size = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    return np.maximum(np.divide((one * other).sum(axis=0), size, out=np.zeros_like(size), where=size > 1e-12), 0)
