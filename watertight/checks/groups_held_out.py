"""No held-out group stands anywhere else."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck

HELD_OUT = ("test_groups", "test_drops")
ELSEWHERE = ("train", "test_future")


class ExpectTestGroupsApart(RowCheck):
    """A group with rows in ``test_groups`` or ``test_drops`` has none in train or test_future; rows set aside do not count."""

    needs = ("row_id", "group_id", "split")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Every row of a group that stands on both sides."""
        held_out = set(frame.loc[frame["split"].isin(HELD_OUT), "group_id"])
        elsewhere = set(frame.loc[frame["split"].isin(ELSEWHERE), "group_id"])
        return frame["group_id"].isin(held_out & elsewhere)
