"""Do two clustered samples come from one distribution: Kolmogorov-Smirnov for numbers, G for classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, kolmogorov, ndtri, stdtr, xlogy

from watertight.checks.clusters import Clusters

LEAST_EXPECTED = 5.0
TENTHS = 10


def kolmogorov_smirnov(values: NDArray[np.float64], clusters: Clusters) -> tuple[float, float]:
    """The largest distance between both distribution functions, in [0, 1], and its p-value.

    ``values``: float (rows,); NaN (null) counts as below every number, so that a change of the null share is one of the
    distribution. The p-value is that of Kolmogorov's limit at the effective numbers of rows; ties make it conservative.
    """
    values = np.where(np.isnan(values), -np.inf, values)
    order = np.argsort(values)
    lasts = np.flatnonzero(np.append(values[order][1:] > values[order][:-1], True))
    steps = np.where(clusters.new[order], 1 / clusters.rows[1], -1 / clusters.rows[0])
    distance = float(np.abs(np.cumsum(steps)[lasts]).max())
    below = clusters.counted(_tenths(order, lasts), TENTHS).cumsum(axis=1)
    sizes = clusters.effective(clusters.likeness(below))
    return distance, _told_by_few(float(kolmogorov(np.sqrt(sizes.prod() / sizes.sum()) * distance)), clusters.certainty, clusters)


def class_shares(classes: NDArray[np.int64], clusters: Clusters) -> tuple[float, float]:
    """The likelihood-ratio statistic G of class by side at the effective numbers of rows, and its p-value by χ².

    ``classes``: int (rows,), 0 … k - 1. The first-order correction of Rao & Scott (1981): counts are divided by the mean
    design effect of the shares. Classes expected less than five times on a side are taken together; where fewer than two
    are left, nothing can be told, and p is 1. G, for Pearson's statistic cries wolf where a side is worth few rows.
    """
    counts = clusters.counted(classes, int(classes.max()) + 1)
    sizes = clusters.effective(clusters.likeness(counts))
    worth = _pooled(clusters.shares(counts) * sizes[:, None])
    if worth.shape[1] < 2:
        return 0.0, 1.0
    expected = worth.sum(axis=1, keepdims=True) * worth.sum(axis=0) / worth.sum()
    statistic = max(float(2 * xlogy(worth, worth / expected).sum()), 0.0)
    freedom = min(clusters.certainty, _welch(sizes, 1 / clusters.concentration))
    return statistic, _told_by_few(float(chdtrc(worth.shape[1] - 1, statistic)), freedom, clusters)


def _told_by_few(p: float, freedom: float, clusters: Clusters) -> float:
    """The p-value with the normal tail replaced by Student's, for the variance is itself estimated from few cells.

    Not below the least that exchanging whole groups could give.
    """
    return max(float(2 * stdtr(freedom, ndtri(p / 2))), clusters.least_p)


def _welch(sizes: NDArray[np.float64], cells: NDArray[np.float64]) -> float:
    """Welch's degrees of freedom of a difference of means worth ``sizes`` rows, each over as many ``cells`` of one size.

    Group effects on shares are skewed: where a side is a handful of groups, its mean is not normal. At least 1.
    """
    return max(float((1 / sizes).sum() ** 2 / (1 / (sizes**2 * np.maximum(cells - 1, 1e-9))).sum()), 1.0)


def _tenths(order: NDArray[np.int64], lasts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The tenth of all rows in which each row's value is, int (rows,); equal values, whose runs end at ``lasts``, share one."""
    tenths = np.empty(len(order), dtype=np.int64)
    tenths[order] = np.repeat(lasts * TENTHS // len(order), np.diff(lasts, prepend=-1))
    return tenths


def _pooled(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same counts, float (2, k), with the rarest classes taken together until each is expected often enough."""
    counts = counts[:, np.argsort(counts.sum(axis=0))]
    lesser = counts.sum(axis=1).min() / counts.sum()
    while counts.shape[1] > 1 and counts[:, 0].sum() * lesser < LEAST_EXPECTED:
        merged = np.column_stack([counts[:, 0] + counts[:, 1], counts[:, 2:]])
        counts = merged[:, np.argsort(merged.sum(axis=0))]
    return counts
