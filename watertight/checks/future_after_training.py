"""Within each group, test_future begins a declared gap after the last training row."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck


class ExpectFutureAfterTraining(RowCheck):
    """Each row of ``test_future`` was asked at least ``gap_days`` days after its group's last training row."""

    needs = ("row_id", "group_id", "split", "asked_at")
    gap_days: float = 0.0

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows of test_future that come too early."""
        last = frame[frame["split"] == "train"].groupby("group_id")["asked_at"].max()
        gap = frame["asked_at"] - frame["group_id"].map(last)
        return (frame["split"] == "test_future") & (gap < pd.Timedelta(days=self.gap_days))
