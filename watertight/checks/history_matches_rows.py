"""The history that a row was given holds exactly the labels that were known when it was asked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from watertight.checks.base import RowCheck, microseconds

FLOAT32 = {"rtol": 1e-4, "atol": 1e-5}


class ExpectHistoryToMatchRows(RowCheck):
    """The joined count and mean of the known labels equal a recount over the rows themselves.

    Counted are the rows of the same ``key`` whose ``label`` is set and was known (the later of labelled_at and
    created_at) *before* the row's ``asked_at``; never the row itself. ``column`` is the joined count, null meaning 0;
    ``mean``, where it is given, the joined mean, null without a label. A label too many, too few, or another's shows
    here, whatever view, store or clock went wrong on the way.
    """

    key: str
    label: str
    column: str
    mean: str | None = None

    def reads(self) -> tuple[str, ...]:
        """What is recounted, and what was joined."""
        joined = (self.column, *([self.mean] if self.mean else []))
        return ("row_id", "asked_at", "labelled_at", "created_at", "synthetic", self.key, self.label, *joined)

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows whose history holds too much, too little, or something else."""
        recount = self._recounted(frame)
        wrong = frame[self.column].fillna(0) != recount["count"]
        if self.mean:
            close = np.isclose(frame[self.mean].astype(float), recount["mean"], equal_nan=True, **FLOAT32)
            wrong = wrong | ~close
        return wrong

    def _recounted(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Per row, how many labels of its key were known before it was asked, and their mean (NaN without any)."""
        known = frame[["labelled_at", "created_at"]].max(axis="columns").where(frame["labelled_at"].notna())
        counts = known.notna() & frame[self.label].notna() & ~frame["synthetic"].astype(bool)
        recount = pd.DataFrame({"count": 0, "mean": np.nan}, index=frame.index)
        instants = pd.DataFrame({"known": microseconds(known), "asked": microseconds(frame["asked_at"])})
        for _, rows in frame.join(instants).groupby(self.key):
            past = rows[counts.loc[rows.index]].sort_values("known")
            places = np.searchsorted(past["known"].to_numpy(), rows["asked"].to_numpy(), side="left")
            sums = np.concatenate([[0.0], past[self.label].astype(float).cumsum()])
            recount.loc[rows.index, "count"] = places
            recount.loc[rows.index, "mean"] = np.where(places > 0, sums[places] / np.maximum(places, 1), np.nan)
        return recount
