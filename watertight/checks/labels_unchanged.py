"""Drift of the labels against the reference profile."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watertight.checks.base import Found, skipped
from watertight.checks.beside_reference import BesideReference, clusters_of
from watertight.checks.drift_told import Column, drifted


class ExpectLabelsUnchanged(BesideReference):
    """No target's labels drifted, scalars and classes: none is significant at ``level`` *and* moved by ``psi``.

    Of each target the labelled rows are compared. Skipped where no target has labels on both sides.
    """

    level: float = 0.01
    psi: float = 0.25

    def compare(self, rows: pl.DataFrame, new: NDArray[np.bool_]) -> Found:
        """The targets that drifted; rows, the new ones in the bin that grew most."""
        names = [name for name, target in self.setting.targets.items() if target.kind != "vector" and name in rows.columns]
        columns = {name: _labelled(rows, new, name) for name in names}
        there = {name: column for name, column in columns.items() if column is not None}
        if not there:
            return skipped("no scalar or class target is labelled on both sides")
        return drifted(there, self.level, self.psi)


def _labelled(rows: pl.DataFrame, new: NDArray[np.bool_], name: str) -> Column | None:
    known = rows[name].is_not_null()
    side, mine = new[known.to_numpy()], rows.filter(known)
    return Column(mine[name], mine["row_id"], clusters_of(mine, side)) if side.any() and not side.all() else None
