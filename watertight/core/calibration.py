"""Calibration error: by how much predictions lie beside the truth, bin by bin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
BINS = 10
BLOCK = 4_000_000
"""Signs that are held in memory at a time."""


def tenths(values: Floats) -> Places:
    """Ten bins of equal count by value, (n,), 0 to 9. Equal values share a bin, whatever the order of the rows."""
    return np.searchsorted(np.sort(values), values, side="left") * BINS // len(values)


def confidence_bins(confidence: Floats) -> Places:
    """Ten bins of equal width of the probability of the likeliest class, (n,), 0 to 9 (Guo et al. 2017)."""
    return np.minimum((confidence * BINS).astype(np.intp), BINS - 1)


def binned_error(gap: Floats, place: Places) -> float:
    """Σ over bins of |Σ gap| / n; ``gap`` (n,) is prediction − truth, ``place`` (n,) the bins."""
    return float(np.abs(np.bincount(place, weights=gap)).sum() / len(gap))


def error_by_chance(gap: Floats, place: Places, group: Places, confidence: float, draws: int = 1000) -> float:
    """The binned error that ``confidence`` of calibrated predictions with these errors would stay under.

    By the wild bootstrap over groups under the null (Cameron, Gelbach and Miller 2008): were the predictions calibrated, the
    errors of a group might as well have had the other sign; each group's is drawn ``draws`` times, from a fixed seed.
    """
    groups = int(group.max()) + 1
    sums = np.bincount(group * BINS + place, weights=gap, minlength=groups * BINS).reshape(groups, BINS)
    chance, size = np.random.default_rng(0), max(1, BLOCK // groups)
    blocks = [min(size, draws - start) for start in range(0, draws, size)]
    errors = [np.abs((chance.integers(0, 2, (rows, groups)) * 2.0 - 1) @ sums).sum(axis=1) for rows in blocks]
    return float(np.quantile(np.concatenate(errors) / len(gap), confidence))
