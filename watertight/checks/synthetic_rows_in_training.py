"""Synthetic rows are for training only."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck

PLACES = ("train", "embargo")


class ExpectSyntheticRowsInTraining(RowCheck):
    """A synthetic row stands in train, or is set aside (embargo) as its parent is not trained on; and it has a parent."""

    needs = ("row_id", "synthetic", "parent_id", "split")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Synthetic rows that would be scored, or without a parent."""
        return frame["synthetic"].astype(bool) & (~frame["split"].isin(PLACES) | frame["parent_id"].isna())
