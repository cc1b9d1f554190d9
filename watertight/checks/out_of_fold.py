"""What must hold of out-of-fold predictions, on the evidence of their witnesses."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import Found, RowCheck, TableCheck


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


class ExpectRealRowsPredicted(RowCheck):
    """The predicted row is there, and it is no synthetic one: figures are of real rows."""

    needs = ("row_id", "synthetic")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Predictions of synthetic or unknown rows."""
        return frame["synthetic"].isna() | (frame["synthetic"] == True)  # noqa: E712 (an object column, where some are null)


class ExpectFoldFilesApart(TableCheck):
    """No model was fitted on several folds' training files laid end to end, of which some hold the rows that it predicts.

    The classic leak of files made per fold, where the file of a fold holds the rows of all others: with k folds, a model
    fitted on the k - 1 files of the other folds was shown its own rows k - 1 times each and every other row k - 2 times.
    Fewer files leave the same traces, fainter. It is read from how often each row stood in the fit, for three folds or more.
    """

    needs = ("row_id", "target", "cell", "fold", "own_times", "fold_files")

    def find(self, frame: pd.DataFrame) -> Found:
        """The predictions by such models of rows that stood in their fit."""
        leaked = frame[frame["fold_files"].notna() & (frame["own_times"] > 0)]
        if leaked.empty:
            return Found(True)
        models = leaked.drop_duplicates(["target", "cell", "fold", "fold_files"])
        more = f" (and {len(models) - 1} more such models)" if len(models) > 1 else ""
        return Found(False, leaked["row_id"].astype(str).tolist(), told=_what_happened(models.iloc[0]) + more)


def _what_happened(model: pd.Series) -> str:
    files, own = str(model["fold_files"]), int(model["own_times"])
    count = files.count(",") + 1
    others = f", and other rows {own - 1} times" if own == count else ""
    return (
        f"{model['target']}, cell {model['cell']}: the model of fold {model['fold']} was fitted on the training files of folds "
        f"{files} laid end to end, which hold the rows of fold {model['fold']} too: it saw each of them {own} times{others}"
    )


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


class ExpectChosenOnTrainingRows(RowCheck):
    """The rows that a model over other cells was fitted on, or chose its members on, are training rows.

    An ensemble whose members were picked by their errors on test rows has been fitted on the test set.
    """

    needs = ("row_id", "strange")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows of test splits, embargoed, unlabelled, or not there at all."""
        return frame["strange"].astype(bool)
