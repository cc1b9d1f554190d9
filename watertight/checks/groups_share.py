"""The declared share of the groups is held out."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck


class ExpectGroupsShare(RowCheck):
    """``split`` holds ``share`` of all groups that have labelled rows, within ``tolerance`` or one group."""

    needs = ("row_id", "group_id", "split")
    split: str
    share: float
    tolerance: float = 0.03

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Every row of the split, where its share is off."""
        assigned = frame[~frame["split"].isin(("unlabelled", "test_drops"))]
        held = assigned["split"] == self.split
        groups = assigned["group_id"].nunique()
        found = assigned.loc[held, "group_id"].nunique() / max(groups, 1)
        off = abs(found - self.share) > max(self.tolerance, 1 / max(groups, 1))
        return (frame["split"] == self.split) & off
