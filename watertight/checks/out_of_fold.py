"""What must hold of out-of-fold predictions, on the evidence of their witnesses."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck


class ExpectOwnRowUnseen(RowCheck):
    """The model behind a prediction was not fitted on the predicted row, nor on a copy or child of it."""

    needs = ("row_id", "own_fits")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Predictions by a model that knew the row."""
        return frame["own_fits"] > 0


class ExpectOwnGroupUnseen(RowCheck):
    """The model behind a prediction was fitted on no row of the predicted row's group."""

    needs = ("row_id", "group_fits")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Predictions by a model that knew the group."""
        return frame["group_fits"] > 0


class ExpectOnlyTrainingRowsFitted(RowCheck):
    """The model behind a prediction was fitted on training rows alone, and on rows that are there."""

    needs = ("row_id", "strange_fits")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Predictions by a model that was fitted on test, embargoed or unknown rows."""
        return frame["strange_fits"] > 0


class ExpectPredictedOnce(RowCheck):
    """In each cell, seed and target a row is predicted once."""

    needs = ("row_id", "predicted")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows predicted more than once."""
        return frame["predicted"] != 1


class ExpectNoRowFittedTwice(RowCheck):
    """The model behind a prediction was fitted on each real row at most ``most`` times; more must be declared."""

    needs = ("row_id", "refitted")
    most: int = 1

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Predictions by a model that saw some row too often."""
        return frame["refitted"] > self.most


class ExpectWitnessSound(RowCheck):
    """The prediction's witness is there, and its digest is that of the rows it lists."""

    needs = ("row_id", "witnessed")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Predictions whose witness is missing or was edited."""
        return ~frame["witnessed"].astype(bool)


class ExpectPredictedInOwnFold(RowCheck):
    """The fold that a prediction was made for is the fold that the split gave the row, and the row is a training row."""

    needs = ("row_id", "fold", "assigned_fold")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Predictions that were made for another fold."""
        return frame["assigned_fold"].isna() | (frame["fold"] != frame["assigned_fold"])


class ExpectInputsOutOfFold(RowCheck):
    """What a model over other cells was fitted on are their out-of-fold predictions: no row was known to its predictor.

    In-sample predictions look better than they are, so a blend fitted on them trusts the member that remembers most.
    """

    needs = ("row_id", "own_fits", "group_fits", "witnessed")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Input rows whose predictor had been fitted on them or their group, or whose predictor is unknown."""
        return (frame["own_fits"] > 0) | (frame["group_fits"] > 0) | ~frame["witnessed"].astype(bool)


class ExpectInputsGivenOnce(RowCheck):
    """Each row that a model over other cells was fitted on came with one prediction of each."""

    needs = ("row_id", "given")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows with no prediction, or with several."""
        return frame["given"] != 1
