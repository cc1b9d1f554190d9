"""Ridge regressions of several strengths from one decomposition: where the projector's straight path starts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Of the penalty, in sizes of the mean eigenvalue of the features' products."""


def ridge_paths(x: Floats, y: Floats, weight: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Coefficients (columns, d) and intercepts (d,) for each of ``STRENGTHS``.

    ``x`` (n, columns) and ``y`` (n, d), without NaN; ``weight`` (n,).
    """
    share = (weight / weight.sum()).astype(np.float64)[:, None]
    centre, middle = (share * x).sum(axis=0), (share * y).sum(axis=0)
    moved = (x - centre).astype(np.float64)
    size, along = np.linalg.eigh(moved.T @ (share * moved))
    size = np.maximum(size, 0)
    pulled = along.T @ (moved.T @ (share * (y - middle)))
    for strength in STRENGTHS:
        penalty = strength * size.mean() + np.finfo(np.float64).tiny
        path = along @ (pulled / (size + penalty)[:, None])
        yield path.astype(np.float32), (middle - centre @ path).astype(np.float32)
