"""Drift of one scalar column: a test that knows groups, and the stability index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from watertight.checks.clusters import Clusters
from watertight.checks.stability_index import binned, stability_index
from watertight.checks.two_samples import class_shares, kolmogorov_smirnov

FEW_VALUES = 10
CLASSES = 20
CLASS_TYPES = (pl.Boolean, pl.String, pl.Categorical, pl.Enum)


@dataclass(frozen=True)
class Drift:
    """How a column's values on the new side differ from the reference's.

    ``statistic``: Kolmogorov and Smirnov's distance for numbers, G for classes. ``p``: not yet adjusted for other columns.
    ``grown``: bool (rows,), true for the new rows in the bin or class whose share grew most.
    """

    test: str
    statistic: float
    p: float
    psi: float
    grown: NDArray[np.bool_]


def is_scalar(kind: pl.DataType) -> bool:
    """Whether a column of this type is compared as a scalar: a number, a bool or a string."""
    return kind.is_numeric() or kind in CLASS_TYPES


def drift(values: pl.Series, clusters: Clusters) -> Drift:
    """The drift of ``values`` (numbers, bools or strings; null is a value of its own) between the sides of ``clusters``.

    Numbers of at most ten different values are compared as classes. Of classes the 20 most common, each side weighing as
    much as the other, are told apart; the rest is one.
    """
    if values.dtype.is_numeric() and values.n_unique() > FEW_VALUES:
        numbers = values.cast(pl.Float64).to_numpy()
        return _drift("ks", kolmogorov_smirnov(numbers, clusters), binned(numbers, clusters.new), clusters)
    classes = _classes(values, clusters)
    return _drift("g", class_shares(classes, clusters), classes, clusters)


def _drift(test: str, tested: tuple[float, float], bins: NDArray[np.int64], clusters: Clusters) -> Drift:
    psi, grown = stability_index(bins, clusters.new)
    return Drift(test, *tested, psi, clusters.new & (bins == grown))


def _classes(values: pl.Series, clusters: Clusters) -> NDArray[np.int64]:
    codes = values.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    common = np.bincount(codes, weights=(1 / clusters.rows)[clusters.new.astype(int)])
    kept = np.zeros(len(common), dtype=np.int64)
    most = np.argsort(-common, kind="stable")[:CLASSES]
    kept[most] = np.arange(1, len(most) + 1)
    return kept[codes]


def shift_in_sd(values: pl.Series, new: NDArray[np.bool_]) -> float | None:
    """Wasserstein's distance between both sides in standard deviations of the reference; None where that has no meaning."""
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        return None
    numbers = values.cast(pl.Float64).to_numpy()
    sides = [numbers[side & np.isfinite(numbers)] for side in (~new, new)]
    spread = float(np.std(sides[0])) if min(map(len, sides)) else 0.0
    return float(wasserstein_distance(*sides)) / spread if spread > 0 else None
