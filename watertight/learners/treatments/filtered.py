"""Rows left out of a fit by their score: a column of theirs, or what a model says that never saw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from watertight.core.contract import Target
from watertight.core.digests import ids_digest
from watertight.core.errors import Refusal
from watertight.core.treatment import Filtered
from watertight.learners.catalogue import build
from watertight.learners.inner_folds import inner_folds
from watertight.learners.matrix import Matrix

FOLDS = 5
SEED = 0
"""Of the models that score rows: the same whatever the cell's is, so that one scoring serves the cells of all seeds."""

SCORED = ("scalar", "vector")
"""The kinds of target whose rows a model can score."""

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Kept:
    """``row_ids``: of the rows of a fit those that its model is fitted on, ``of`` so many."""

    row_ids: pl.Series
    of: int

    @cached_property
    def digest(self) -> str:
        """Of the set of these rows: a version of the data is known by it."""
        return ids_digest(self.row_ids)


def kept_places(
    steps: Sequence[Filtered], rows: pl.DataFrame, x: Matrix, y: npt.NDArray[Any], weight: Floats, name: str, target: Target
) -> Mask:
    """Which of the n rows stay after ``steps``, each over those that the one before it left: (n,) of bool.

    ``rows`` (row_id, group_id and the columns that steps are ``by``) are those of ``x``, (n,); no other row is seen. Raises
    Refusal, with the rows, where a score is null or no number, and where no row stays that has a weight above 0.
    """
    stay = np.ones(rows.height, dtype=bool)
    for step in steps:
        part = rows.filter(stay)
        scores = _scores(step, part, x.at(stay), y[stay], weight[stay], name, target)
        _demand_scores(step, part, scores)
        stay[np.flatnonzero(stay)[~_strong(step, part, scores)]] = False
    if not weight[stay].sum() > 0:
        raise Refusal(
            f"no row of {name} with a weight above 0 is left by the filters of the cell",
            column="weight",
            expected="rows that count among those that stay",
            next_step="leave out fewer rows",
        )
    return stay


def _scores(
    step: Filtered, rows: pl.DataFrame, x: Matrix, y: npt.NDArray[Any], weight: Floats, name: str, target: Target
) -> Floats:
    """(n,): the greater, the better a row goes with its label."""
    if step.by is not None:
        return np.asarray(rows[step.by].cast(pl.Float64).fill_null(np.nan).to_numpy())
    scores = np.full(len(y), np.nan)
    for fitted, held in inner_folds(x, FOLDS):
        learner = build(str(step.family), name, target, step.options)
        told = learner.fit(x.at(fitted), y[fitted], weight[fitted], seed=SEED).predict(x.at(held))[target.output]
        scores[held] = _cosines(told, y[held]) if target.kind == "vector" else -((told - y[held]) ** 2)
    return scores


def _cosines(told: Floats, truth: Floats) -> Floats:
    """Of each row's two vectors; 0 where one is of zeros."""
    lengths = np.linalg.norm(told, axis=1) * np.linalg.norm(truth, axis=1)
    dots = np.einsum("ij,ij->i", told, truth)
    return np.divide(dots, lengths, out=np.where(np.isnan(lengths), np.nan, 0.0), where=lengths > 0)


def _strong(step: Filtered, rows: pl.DataFrame, scores: Floats) -> Mask:
    """The rows that stay by their scores, which are numbers."""
    ranked = rows.select("row_id", "group_id", score=scores).with_row_index("place")
    ranked = ranked.sort("score", "row_id", descending=[True, False])
    if step.most is not None:
        chosen = ranked.filter(pl.int_range(pl.len()).over("group_id") < step.most)
    else:
        chosen = ranked.head(rows.height - int((step.drop or 0) * rows.height + 1e-9))
    stay = np.zeros(rows.height, dtype=bool)
    stay[chosen["place"].to_numpy()] = True
    return stay


def _demand_scores(step: Filtered, rows: pl.DataFrame, scores: Floats) -> None:
    blind = rows.filter(~np.isfinite(scores))
    if not blind.is_empty():
        scorer = f"column {step.by!r}" if step.by is not None else f"family {step.family!r}"
        raise Refusal(
            f"{scorer} gives no score to rows that are to be filtered by it",
            column=step.by,
            rows=blind["row_id"].to_list(),
            expected="a finite number for each row of train that has the target",
            next_step="bring the scores, or leave the step out of the treatment",
        )
