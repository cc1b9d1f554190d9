"""No group stands in two folds."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck


class ExpectGroupsInOneFold(RowCheck):
    """The training rows of a group share one fold; every row of a group that does not is named."""

    needs = ("row_id", "group_id", "fold")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows of groups with more than one fold."""
        return frame["fold"].notna() & (frame.groupby("group_id")["fold"].transform("nunique") > 1)
