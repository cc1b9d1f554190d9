"""A parent is a real row that is there."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck


class ExpectParentsToExist(RowCheck):
    """A ``parent_id`` names a row that is present and is not synthetic itself."""

    needs = ("row_id", "parent_id", "synthetic")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Children of nobody, and children of children."""
        real = set(frame.loc[~frame["synthetic"].astype(bool), "row_id"])
        return frame["parent_id"].notna() & ~frame["parent_id"].isin(real)
