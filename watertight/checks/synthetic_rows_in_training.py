"""Synthetic rows are for training only."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck


class ExpectSyntheticRowsInTraining(RowCheck):
    """A synthetic row stands in train, and has a parent."""

    needs = ("row_id", "synthetic", "parent_id", "split")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Synthetic rows outside train, or without a parent."""
        return frame["synthetic"].astype(bool) & ((frame["split"] != "train") | frame["parent_id"].isna())
