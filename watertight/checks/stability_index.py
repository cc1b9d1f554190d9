"""The population stability index: how far shares of rows moved between bins of the reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 10
PSEUDO = 0.5


def binned(values: NDArray[np.float64], new: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The bin of each value, int (rows,): ten by the quantiles of the reference, one below and one above all of it, one for null.

    ``values``: float (rows,), NaN for null. A value that is several quantiles at once has one bin.
    """
    known = values[~new & ~np.isnan(values)]
    if not len(known):
        return np.where(np.isnan(values), 0, 1)
    inner = np.unique(np.quantile(known, np.arange(BINS + 1) / BINS, method="inverted_cdf"))
    edges = np.concatenate([[np.nextafter(inner[0], -np.inf)], inner])
    bins = np.searchsorted(edges, values, side="left") + 1
    return np.where(np.isnan(values), 0, bins)


def stability_index(bins: NDArray[np.int64], new: NDArray[np.bool_]) -> tuple[float, int]:
    """Σ (q - p) ln(q / p) over bins, p and q the reference's and the new shares, and the bin whose share grew most.

    ``bins``: int (rows,), from 0. Half a row is added to each bin on each side, so that an empty bin counts as rare and
    not as impossible. 0.1 is usually called a moderate and 0.25 a large change.
    """
    kinds = int(bins.max()) + 1
    counts = np.bincount(bins + kinds * new, minlength=2 * kinds).reshape(2, kinds)
    counts = counts[:, counts.sum(axis=0) > 0]
    there = np.unique(bins)
    before, after = (counts + PSEUDO) / (counts + PSEUDO).sum(axis=1, keepdims=True)
    return float(((after - before) * np.log(after / before)).sum()), int(there[np.argmax(after - before)])
