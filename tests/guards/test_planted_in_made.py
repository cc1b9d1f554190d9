"""Rows that a treatment made of what its model was not to see: `evaluate` asks the witnesses, and names the made rows."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest
from test_planted_in_predictions import trained
from tiny_project import PREDICTIONS, TRAINING_SET, Refused, TinyProject

from watertight.core.errors import Refusal
from watertight.learners.cross_fit import CrossFit, Fitted, Folds, Task

MADE = "artifacts/tiny/train/made.parquet"
LEAK, REAL = "expect_made_of_fitted_rows", "expect_real_rows_predicted"


def roots_of(project: TinyProject, *, held_out: bool, fold: int) -> str:
    """A real training row of mood in the fold, or in another one."""
    real = trained(project).filter(~pl.col("synthetic") & ((pl.col("fold") == fold) == held_out))
    return str(real["row_id"][0])


def model_of(project: TinyProject, fold: int) -> str:
    """The witness of the model that predicts the fold."""
    mine = project.table(PREDICTIONS).filter((pl.col("cell") == "words") & (pl.col("fold") == fold))
    return str(mine["fitted_on"][0])


def test_rows_made_of_the_rows_of_their_fit_pass(project: TinyProject) -> None:
    project.execute("evaluate")
    verdicts = project.verdict("artifacts/tiny/evaluate/evaluation.json")["verdicts"]
    [made] = [verdict for verdict in verdicts if verdict["gate"] == "made"]
    assert made["counts"] == {"pass": 3, "fail": 0, "skipped": 0}
    [told] = project.verdict("artifacts/tiny/train/train.json")["made"]
    real = trained(project).filter(~pl.col("synthetic") & pl.col("mood").is_not_null()).height
    assert (told["target"], told["cell"], told["seed"]) == ("mood", "words", 0)
    assert told["made"][told["final"]] == {"mismatched note_id": round(0.4 * real)}
    assert len(told["made"]) == 1 + 5, "the final model's, and one of each fold"


@pytest.mark.parametrize("role", ["parent_id", "partner_id"])
def test_a_negative_whose_parent_sits_in_the_fold_that_is_predicted(project: TinyProject, role: str) -> None:
    model, intruder = model_of(project, 2), roots_of(project, held_out=True, fold=2)
    line = (pl.col("fitted_on") == model) & (pl.int_range(pl.len()).over("fitted_on") < 2)
    project.tamper(MADE, lambda made: made.with_columns(pl.when(line).then(pl.lit(intruder)).otherwise(pl.col(role)).alias(role)))
    named = project.table(MADE).filter(line)["row_id"]
    assert project.refused("evaluate") == Refused({LEAK}, set(named))


def test_a_negative_of_a_test_row_and_one_of_a_child(project: TinyProject) -> None:
    rows = project.table(TRAINING_SET)
    strangers = [rows.filter(split="test_groups")["row_id"][0], rows.filter(split="train", synthetic=True)["row_id"][0], "nobody"]
    model = model_of(project, 1)
    place = pl.int_range(pl.len()).over("fitted_on")
    for number, stranger in enumerate(strangers):
        mine = (pl.col("fitted_on") == model) & (place == number)
        project.tamper(MADE, lambda made, mine=mine, of=stranger: made.with_columns(_parent(mine, of)))
    named = project.table(MADE).filter((pl.col("fitted_on") == model) & (place < 3))["row_id"]
    assert project.refused("evaluate") == Refused({LEAK}, set(named))


def _parent(mine: pl.Expr, of: str) -> pl.Expr:
    return pl.when(mine).then(pl.lit(of)).otherwise("parent_id").alias("parent_id")


def test_negatives_made_before_the_folds_were_left_out(project: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """The very mistake: negatives are drawn once, of all of train, and every fold's model is fitted on them."""
    plain = CrossFit._fit

    def careless(self: CrossFit, task: Task, left_out: Folds) -> Fitted:
        fitted = plain(self, task, left_out)
        if not task.treatment.steps or not left_out:
            return fitted
        return replace(fitted, made=plain(self, task, frozenset()).made)

    monkeypatch.setattr(CrossFit, "_fit", careless)
    project.execute("train")
    folds = dict(trained(project).select("row_id", "fold").iter_rows())
    predicted = dict(
        project.table(PREDICTIONS).filter(pl.col("cell") == "words").select("fitted_on", "fold").unique().iter_rows()
    )
    near = [
        line["row_id"]
        for line in project.table(MADE).iter_rows(named=True)
        if predicted.get(line["fitted_on"]) in {folds[line["parent_id"]], folds[line["partner_id"]]}
    ]
    assert project.refused("evaluate") == Refused({LEAK}, set(near))


def test_a_model_that_does_not_say_what_was_made_for_it(project: TinyProject) -> None:
    model = model_of(project, 3)
    project.tamper(MADE, lambda made: made.filter(pl.col("fitted_on") != model))
    with pytest.raises(Refusal, match="cell 'words' does not say which rows were made") as caught:
        project.execute("evaluate")
    mine = project.table(PREDICTIONS).filter(pl.col("cell") == "words")
    assert set(caught.value.rows) == set(mine["row_id"])


def test_the_final_model_must_say_it_too_and_all_of_it(project: TinyProject) -> None:
    predicted = project.table(PREDICTIONS).filter(pl.col("cell") == "words")["fitted_on"].unique().to_list()
    first = pl.int_range(pl.len()).over("fitted_on") == 0
    for lost in (~pl.col("fitted_on").is_in(predicted), first & (pl.col("fitted_on") == predicted[0])):
        whole = project.table(MADE)
        project.tamper(MADE, lambda made, lost=lost: made.filter(~lost))
        with pytest.raises(Refusal, match="cell 'words' does not say which rows were made"):
            project.execute("evaluate")
        project.tamper(MADE, lambda made, whole=whole: whole)


def test_a_treated_cell_without_any_evidence(project: TinyProject) -> None:
    """Neither the rows nor that there were any: what is declared is asked for."""
    told = project.verdict("artifacts/tiny/train/train.json")
    (project.root / "artifacts/tiny/train/train.json").write_text(json.dumps({**told, "made": []}), encoding="utf-8")
    project.tamper(MADE, lambda made: made.clear())
    with pytest.raises(Refusal, match="cell 'words' does not say which rows were made"):
        project.execute("evaluate")


def test_a_synthetic_row_in_validation(project: TinyProject) -> None:
    """A child and a made row among the predictions: figures are of real rows."""
    rows = project.table(TRAINING_SET)
    child = rows.filter(split="train", synthetic=True).drop_nulls("mood")
    own = project.table(PREDICTIONS).filter((pl.col("cell") == "mean") & (pl.col("target") == "mood"))
    fits = dict(own.select("fold", "fitted_on").unique().iter_rows())
    planted = own.head(1).with_columns(
        row_id=pl.lit(child["row_id"][0]), fold=pl.lit(child["fold"][0], dtype=pl.Int64), fitted_on=pl.lit(fits[child["fold"][0]])
    )
    project.tamper(PREDICTIONS, lambda told: pl.concat([told, planted]))
    refused = project.refused("evaluate")
    assert REAL in refused.checks and set(child["row_id"][:1]) <= refused.rows
