"""Within each group, test_future begins a declared gap after the last training row, and after its label was known."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck


class ExpectFutureAfterTraining(RowCheck):
    """Each row of ``test_future`` was asked at least ``gap_days`` days after its group's last training row was, and after
    the last label of these training rows was known (the later of labelled_at and created_at).
    """

    needs = ("row_id", "group_id", "split", "asked_at", "labelled_at", "created_at")
    gap_days: float = 0.0

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows of test_future that come too early."""
        train = frame[frame["split"] == "train"].assign(known=frame[["labelled_at", "created_at"]].max(axis="columns"))
        last = train.groupby("group_id")[["asked_at", "known"]].max()
        gap = frame["asked_at"] - frame["group_id"].map(last["asked_at"])
        unknown = frame["asked_at"] <= frame["group_id"].map(last["known"])
        return (frame["split"] == "test_future") & ((gap < pd.Timedelta(days=self.gap_days)) | unknown)
