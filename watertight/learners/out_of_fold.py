"""Out-of-fold predictions with their witness, and the final model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import polars as pl

from watertight.core.contract import Target
from watertight.core.errors import Refusal
from watertight.core.witness import Witness, witness
from watertight.learners.family import Learner, Outputs
from watertight.learners.matrix import feature_matrix, list_widths


@dataclass(frozen=True)
class Task:
    """One target, its features, and how a model for it is built."""

    name: str
    target: Target
    columns: tuple[str, ...]
    build: Callable[[], Learner]
    seed: int


@dataclass(frozen=True)
class Fit:
    """Predictions (row_id, fold, fitted_on and the named outputs), the witnesses by digest, and the final model."""

    predictions: pl.DataFrame
    witnesses: dict[str, Witness]
    final: Learner
    fitted_on: str
    widths: dict[str, int]


def out_of_fold(table: pl.DataFrame, task: Task) -> Fit:
    """Predict each fold's real rows by a model fitted on the other folds, then fit the final model on all of train.

    ``table`` is a training set with row_id, parent_id, synthetic, weight, split, fold and the features. Rows without
    the target are left out. Synthetic rows are fitted on, never predicted. Raises Refusal where the target stands in
    fewer than two folds.
    """
    train = table.filter((pl.col("split") == "train") & pl.col(task.name).is_not_null())
    widths = list_widths(train, task.columns)
    folds = sorted(train["fold"].unique())
    if len(folds) < 2:
        raise Refusal(
            f"{task.name} is known in {len(folds)} fold(s) of train",
            column=task.name,
            expected="at least two, so that one can be predicted by a model fitted on another",
            next_step="leave the target out, or bring rows of more groups that carry it",
        )
    parts, witnesses = [], {}
    for fold in folds:
        model, seen = _fitted(train.filter(pl.col("fold") != fold), task, widths)
        held = train.filter((pl.col("fold") == fold) & ~pl.col("synthetic"))
        outputs = model.predict(feature_matrix(held, task.columns, widths))
        parts.append(_predicted(held.select("row_id", "fold"), outputs, seen.digest))
        witnesses[seen.digest] = seen
    final, seen = _fitted(train, task, widths)
    return Fit(pl.concat(parts), witnesses, final, seen.digest, widths)


def _fitted(rows: pl.DataFrame, task: Task, widths: dict[str, int]) -> tuple[Learner, Witness]:
    """A model and the witness of the very rows that it was given."""
    x = feature_matrix(rows, task.columns, widths)
    model = task.build().fit(x, target_values(rows[task.name], task.target), rows["weight"].to_numpy(), seed=task.seed)
    return model, witness(rows)


def target_values(values: pl.Series, target: Target) -> npt.NDArray[Any]:
    """A target column as a learner takes it: numbers, class indices in declared order, or a matrix of vectors.

    Raises polars.exceptions.ComputeError where a vector has not the target's dimension.
    """
    if target.kind == "class":
        order: Sequence[str] = target.classes or ()
        return values.replace_strict(list(order), list(range(len(order))), return_dtype=pl.Int64).to_numpy()
    if target.kind == "vector":
        return values.cast(pl.Array(pl.Float64, target.dimension or 0)).to_numpy()
    return values.cast(pl.Float64).to_numpy()


def output_columns(outputs: Outputs) -> list[pl.Series]:
    """Named outputs as columns: numbers as Float64, vectors as lists of Float64."""
    return [
        pl.Series(name, value) if value.ndim == 1 else pl.Series(name, value.tolist(), dtype=pl.List(pl.Float64))
        for name, value in outputs.items()
    ]


def _predicted(rows: pl.DataFrame, outputs: Outputs, fitted_on: str) -> pl.DataFrame:
    return rows.with_columns(pl.lit(fitted_on).alias("fitted_on"), *output_columns(outputs))
