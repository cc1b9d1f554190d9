"""A history belongs to one group: labels of one group never reach another's features."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck


class ExpectHistoryWithinGroups(RowCheck):
    """Each value of ``key``, the key of a label-derived view, stands in one group.

    A history that spans groups carries labels across folds, and out of the held-out groups into training.
    """

    key: str

    def reads(self) -> tuple[str, ...]:
        """The key and the group."""
        return ("row_id", "group_id", self.key)

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows whose key stands in several groups."""
        return frame.groupby(self.key)["group_id"].transform("nunique") > 1
