"""Between a row that is trained on and the rows of another fold lies a declared stretch of time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from watertight.checks.base import RowCheck, microseconds

DAY = 86_400_000_000


class ExpectEmbargoBetweenFolds(RowCheck):
    """No training row of another fold was asked from ``days`` before a training row was asked until ``days`` after its label
    was known (the later of labelled_at and created_at).

    Whichever fold is predicted, what is learnt from elsewhere then lies before it, label and all, or after it (López de Prado,
    Advances in Financial Machine Learning, 2018, chapter 7). Named is the row whose span comes too near.
    """

    needs = ("row_id", "split", "fold", "asked_at", "labelled_at", "created_at")
    days: float = 0.0

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Training rows near to rows of other folds."""
        train = frame[(frame["split"] == "train") & frame["fold"].notna()]
        asked = microseconds(train["asked_at"]).to_numpy()
        known = np.maximum(asked, microseconds(train[["labelled_at", "created_at"]].max(axis="columns")).to_numpy())
        folds, margin = train["fold"].to_numpy(), int(self.days * DAY)
        near = pd.Series(False, index=frame.index)
        for fold in np.unique(folds):
            own, others = folds == fold, np.sort(asked[folds != fold])
            before = np.searchsorted(others, asked[own] - margin, side="left")
            near.loc[train.index[own]] = np.searchsorted(others, known[own] + margin, side="right") > before
        return near
