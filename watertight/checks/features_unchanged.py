"""Drift of scalar features against the reference profile."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watertight.checks.base import Found, skipped
from watertight.checks.beside_reference import BesideReference, clusters_of
from watertight.checks.drift_told import Column, drifted
from watertight.checks.scalar_drift import is_scalar


class ExpectFeaturesUnchanged(BesideReference):
    """No scalar feature drifted: none is significant at ``level`` over all together *and* moved by a stability index of ``psi``.

    ``views`` limits it to features of these views (the part of the name before ``__``): what is derived from past labels
    grows with the past, so its drift says nothing of the drop. A column of vectors counts by whether it is null. Rows of
    one group count as what they are worth together.
    """

    level: float = 0.01
    psi: float = 0.25
    views: list[str] | None = None

    def compare(self, rows: pl.DataFrame, new: NDArray[np.bool_]) -> Found:
        """The features that drifted; rows, the new ones in the bin that grew most."""
        clusters = clusters_of(rows, new)
        values = {name: _scalar(rows[name]) for name in self.setting.features if name in rows.columns and self._judges(name)}
        columns = {name: Column(each, rows["row_id"], clusters) for name, each in values.items() if is_scalar(each.dtype)}
        if not columns:
            return skipped("no scalar feature to compare")
        return drifted(columns, self.level, self.psi)

    def _judges(self, name: str) -> bool:
        return self.views is None or name.partition("__")[0] in self.views


def _scalar(values: pl.Series) -> pl.Series:
    return values.is_null() if isinstance(values.dtype, pl.List | pl.Array) else values
