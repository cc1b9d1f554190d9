"""What checks of drift have in common: the rows of the frozen reference profile on one side, all other rows on the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from watertight.checks.base import Found, TableCheck, skipped
from watertight.checks.clusters import Clusters

NO_PROFILE = "no reference profile is frozen: watertight profile WORKLOAD"


class BesideReference(TableCheck):
    """A check of the rows that are not of the reference's drops against those that are. A subclass gives ``compare``.

    Synthetic rows are on neither side. Skipped where no profile is frozen, and where either side has no row.
    """

    needs = ("row_id", "group_id", "drop")

    def find(self, frame: pd.DataFrame) -> Found:
        """What ``compare`` finds, or the reason why there is nothing to compare."""
        if self.setting.reference is None:
            return skipped(NO_PROFILE)
        rows = self.setting.judged
        rows = rows.filter(~pl.col("synthetic").fill_null(False)) if "synthetic" in rows.columns else rows
        new = ~rows["drop"].is_in(list(self.setting.reference)).fill_null(False).to_numpy()
        if new.all():
            return skipped(f"no row is of the reference profile's drops: {', '.join(self.setting.reference)}")
        if not new.any():
            return skipped("every row is of the reference profile's drops")
        return self.compare(rows, new)

    def compare(self, rows: pl.DataFrame, new: NDArray[np.bool_]) -> Found:
        """What is found on ``rows``, with row_id and group_id; ``new``: bool (rows,), both values in it."""
        raise NotImplementedError


def group_codes(rows: pl.DataFrame) -> NDArray[np.int64]:
    """The group of each row as a number, int (rows,); rows without one are one group."""
    return rows["group_id"].rank("dense").fill_null(0).to_numpy().astype(np.int64)


def clusters_of(rows: pl.DataFrame, new: NDArray[np.bool_]) -> Clusters:
    """The cells, rows of one group on one side, of ``rows``."""
    return Clusters.of(new, group_codes(rows))
