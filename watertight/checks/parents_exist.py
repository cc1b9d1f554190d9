"""A parent is a real row that is there, in the group of its child."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck


class ExpectParentsToExist(RowCheck):
    """A ``parent_id`` names a row of the same group that is present and is not synthetic itself; a synthetic row has one."""

    needs = ("row_id", "group_id", "parent_id", "synthetic")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Children of nobody, of another group or of children, and synthetic rows without a parent."""
        synthetic = frame["synthetic"].astype(bool)
        groups = frame.loc[~synthetic].drop_duplicates("row_id").set_index("row_id")["group_id"]
        of_parent = frame["parent_id"].map(groups)
        strange = frame["parent_id"].notna() & (of_parent.isna() | (of_parent != frame["group_id"]))
        return strange | (synthetic & frame["parent_id"].isna())
