"""The history that a row was given holds exactly the labels that were known when it was asked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from watertight.checks.base import RowCheck


class ExpectHistoryToMatchRows(RowCheck):
    """The joined count of labels equals a recount over the rows themselves.

    Counted are the rows of the same ``key`` whose ``label`` is set and was known (the later of labelled_at and
    created_at) *before* the row's ``asked_at``; never the row itself. ``column`` is the joined count, null meaning 0.
    Whatever view, store or clock went wrong on the way, a label too many or too few shows here.
    """

    key: str
    label: str
    column: str

    def columns(self) -> tuple[str, ...]:
        """What is recounted, and the count that was joined."""
        return ("row_id", "asked_at", "labelled_at", "created_at", "synthetic", self.key, self.label, self.column)

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows whose history holds too much or too little."""
        known = frame[["labelled_at", "created_at"]].max(axis="columns").where(frame["labelled_at"].notna())
        counts = known.notna() & frame[self.label].notna() & ~frame["synthetic"].astype(bool)
        expected = pd.Series(0, index=frame.index)
        for _, rows in frame.groupby(self.key):
            instants = np.sort(known.loc[rows.index][counts.loc[rows.index]].to_numpy())
            expected.loc[rows.index] = np.searchsorted(instants, rows["asked_at"].to_numpy(), side="left")
        return frame[self.column].fillna(0) != expected
