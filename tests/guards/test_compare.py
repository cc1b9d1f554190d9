"""Two cells are compared on the same rows or not at all."""

from __future__ import annotations

import polars as pl
import pytest
from tiny_project import PREDICTIONS, TRAINING_SET, TinyProject, where

from pipelines.compare import compare
from pipelines.figures import figures_of
from watertight.core.digests import row_set_digest
from watertight.core.errors import Misuse, Refusal


def test_a_difference_is_that_of_the_figures_and_turns_its_sign_round(project: TinyProject) -> None:
    project.execute("evaluate")
    figures = {(row["target"], row["cell"]): row["rmse"]["figure"] for row in figures_of(project.work)}
    for row in compare(project.work, "past", "mean"):
        assert row["rmse"]["figure"] == pytest.approx(figures[row["target"], "past"] - figures[row["target"], "mean"])
        assert row["rmse"]["low"] < row["rmse"]["figure"] < row["rmse"]["high"]
    one, other = (compare(project.work, *pair)[0]["rmse"] for pair in (("past", "mean"), ("mean", "past")))
    assert one["figure"] == pytest.approx(-other["figure"])


def test_predictions_that_evaluate_has_not_judged_are_not_compared(project: TinyProject) -> None:
    project.tamper(PREDICTIONS, lambda told: told.with_columns(mean=pl.col("mean") + 0.1))
    with pytest.raises(Refusal, match="evaluate has not judged these predictions; nothing is compared"):
        compare(project.work, "past", "mean")


def test_before_anything_was_evaluated_there_is_nothing_to_compare(project: TinyProject) -> None:
    (project.root / "artifacts" / "tiny" / "evaluate" / "evaluation.json").unlink()
    with pytest.raises(Misuse, match="nothing was evaluated yet"):
        compare(project.work, "past", "mean")


def test_a_cell_that_is_not_there_is_answered_with_the_nearest(project: TinyProject) -> None:
    with pytest.raises(Misuse, match="no cell is called 'pats'; did you mean 'past'"):
        compare(project.work, "pats", "mean")


def test_a_row_that_was_relabelled_since_is_of_another_row_set_and_not_compared(project: TinyProject) -> None:
    before = project.table(TRAINING_SET)
    project.tamper(TRAINING_SET, where("a07-2", mood=pl.col("mood") + 0.5))
    after = project.table(TRAINING_SET)
    named = [row_set_digest(rows.drop_nulls("mood"), "mood") for rows in (before, after)]
    assert named[0] != named[1], "a label changes the row set"
    assert row_set_digest(before.drop_nulls("energy"), "energy") == row_set_digest(after.drop_nulls("energy"), "energy")
    with pytest.raises(Refusal, match="gate 'figures' refused") as caught:
        compare(project.work, "past", "mean")
    assert "expect_one_row_set" in caught.value.what
    assert "mood, cell" in caught.value.what
    assert "energy" not in caught.value.what
    project.execute("evaluate")
    assert compare(project.work, "past", "mean")[0]["target"] == "mood"
