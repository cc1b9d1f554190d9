"""Adversarial validation: does a classifier tell training rows from test rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from watertight.checks.base import Found, TableCheck, skipped
from watertight.checks.beside_reference import group_codes
from watertight.checks.domain_classifier import area, tell_apart
from watertight.checks.sampling import sampled
from watertight.checks.scalar_drift import is_scalar

TOLD = 5


class ExpectTrainLikeTest(TableCheck):
    """Over the scalar features, rows of ``split`` look like those of ``train``: the area under the ROC curve of a classifier
    on groups that it has not seen is not above ``auc`` with confidence 1 - ``level``.

    Groups that stand on both sides, as in test_future, are held out with all their rows. At most ``most`` rows a side are
    looked at, drawn by a fixed seed; synthetic rows are not.
    """

    needs = ("row_id", "group_id", "split")
    split: str = "test_groups"
    auc: float = 0.7
    level: float = 0.05
    most: int = 1_500

    def find(self, frame: pd.DataFrame) -> Found:
        """The features that give the split away, and the test rows that look least like training rows."""
        rows = self._compared()
        new = (rows["split"] == self.split).to_numpy()
        columns = {name: codes(rows[name]) for name in self.setting.features if name in rows and is_scalar(rows.schema[name])}
        if not columns:
            return skipped("no scalar feature to compare")
        matrix, group = np.column_stack(list(columns.values())), group_codes(rows)
        told = tell_apart(boosted(), matrix, new, group, rows["row_id"], self.level)
        if told is None:
            return skipped(f"fewer than two groups in train or in {self.split}")
        off = told.low > self.auc
        alone = _alone(columns, new, group)
        first = list(alone)[:TOLD]
        figures = {**told.figures(), "auc_alone": {name: round(alone[name], 4) for name in first}}
        return Found(not off, rows=told.strangest() if off else (), columns=first if off else (), figures=figures)

    def _compared(self) -> pl.DataFrame:
        rows = self.setting.judged.filter(pl.col("split").is_in(["train", self.split]))
        rows = rows.filter(~pl.col("synthetic").fill_null(False)) if "synthetic" in rows.columns else rows
        return rows[sampled((rows["split"] == self.split).to_numpy(), self.most)]


def codes(values: pl.Series) -> NDArray[np.float64]:
    """A scalar column as numbers, float (rows,): strings by their order; NaN for null."""
    plain = values if values.dtype.is_numeric() or values.dtype == pl.Boolean else values.rank("dense")
    return plain.cast(pl.Float64).to_numpy()


def boosted() -> object:
    """A small histogram gradient boosting: it finds what single features do not show, and takes nulls as they are."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=20,
        max_leaf_nodes=8,
        learning_rate=0.2,
        max_bins=63,
        early_stopping=False,
        random_state=0,
    )


def _alone(columns: dict[str, NDArray[np.float64]], new: NDArray[np.bool_], group: NDArray[np.int64]) -> dict[str, float]:
    """The area that each feature reaches by itself, in either direction, the largest first."""
    areas = {name: area(np.nan_to_num(each, nan=-np.inf), new, group, 0.5)[0] for name, each in columns.items()}
    return dict(sorted(((name, max(each, 1 - each)) for name, each in areas.items()), key=lambda item: -item[1]))
