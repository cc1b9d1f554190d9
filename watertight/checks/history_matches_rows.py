"""The history that a row was given holds exactly the labels that were known when it was asked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from watertight.checks.base import RowCheck, microseconds

FLOAT32 = {"rtol": 1e-4, "atol": 1e-5}


class ExpectHistoryToMatchRows(RowCheck):
    """The joined count and mean of the known labels equal a recount over the rows themselves.

    Counted are the rows of the same ``key`` whose ``label`` was set and known (the later of labelled_at and created_at)
    *before* the row's ``asked_at``, as they were known then: of several versions of a row (the gate's ``superseded``) the
    last one known. Never the row itself. ``column`` is the joined count, null meaning 0; ``mean``, where it is given, the
    joined mean, null without a label. A label too many, too few, or another's shows here, whatever view, store or clock
    went wrong on the way.
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
        recount = pd.DataFrame({"count": 0, "mean": np.nan}, index=frame.index)
        news = dict(list(self._news(frame).groupby(self.key)))
        for key, asked in microseconds(frame["asked_at"]).groupby(frame[self.key]):
            if key in news:
                past = news[key]
                places = np.searchsorted(past["known"].to_numpy(), asked.to_numpy(), side="left")
                counts = np.concatenate([[0], past["count"].cumsum()])[places]
                sums = np.concatenate([[0.0], past["sum"].cumsum()])[places]
                recount.loc[asked.index, "count"] = counts
                recount.loc[asked.index, "mean"] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        return recount

    def _news(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Per version of a label, in order of ``known``: by how much it changed the count and the sum of its key's labels."""
        columns = ["row_id", self.key, "labelled_at", "created_at", "synthetic", self.label]
        before = self.setting.superseded
        parts = [frame[columns]] if before is None else [before.select(columns).to_pandas(), frame[columns]]
        every = pd.concat([part for part in parts if len(part)], ignore_index=True)
        real = every[every["labelled_at"].notna() & ~every["synthetic"].astype(bool)]
        known = microseconds(real[["labelled_at", "created_at"]].max(axis="columns"))
        told = real.assign(
            known=known, count=real[self.label].notna().astype(int), sum=real[self.label].astype(float).fillna(0.0)
        )
        told = told.sort_values("known", kind="stable")
        last = told.groupby("row_id")[["count", "sum"]].shift(1).fillna(0)
        return told.assign(count=told["count"] - last["count"], sum=told["sum"] - last["sum"])
