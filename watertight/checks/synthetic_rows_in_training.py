"""Synthetic rows are for training only."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck

PLACES = ("train", "embargo", "unlabelled")


class ExpectSyntheticRowsInTraining(RowCheck):
    """A synthetic row has a parent, and stands in train, unlabelled, or set aside as its parent is not trained on."""

    needs = ("row_id", "synthetic", "parent_id", "split")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Synthetic rows that would be scored, or without a parent."""
        return frame["synthetic"].astype(bool) & (~frame["split"].isin(PLACES) | frame["parent_id"].isna())
