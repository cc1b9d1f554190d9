"""A synthetic child stays where its parent is, or is set aside."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck


class ExpectChildrenBesideParents(RowCheck):
    """A row with a ``parent_id`` has its parent among the rows, asked at the same instant (a later child would find its
    parent's label, and so its own, in its history), and is in the same split and fold, set aside or unlabelled.
    """

    needs = ("row_id", "parent_id", "asked_at", "split", "fold")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Children whose parent is missing or stands elsewhere."""
        parents = frame.drop_duplicates("row_id").set_index("row_id")
        split = frame["parent_id"].map(parents["split"])
        fold = frame["parent_id"].map(parents["fold"])
        same_fold = (fold == frame["fold"]) | (fold.isna() & frame["fold"].isna())
        placed = frame["split"].isin(("embargo", "unlabelled")) | ((split == frame["split"]) & same_fold)
        same_time = frame["parent_id"].map(parents["asked_at"]) == frame["asked_at"]
        return frame["parent_id"].notna() & ~(frame["parent_id"].isin(parents.index) & placed & same_time)
