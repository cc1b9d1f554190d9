"""Two cells are compared on the same rows or not at all, and slices in which one is worse are named."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from tiny_project import PREDICTIONS, TRAINING_SET, TinyProject, where

from pipelines.comparison.answer import compared
from pipelines.comparison.asked import asked
from pipelines.comparison.told import as_text
from pipelines.figures import figures_of
from watertight.core.digests import row_set_digest
from watertight.core.errors import Misuse

DECLARED = ("baselines: [mean]", "baselines: [mean]\n    slices: {tiny_now__history: [1]}\n    intervals: {min_groups: 4}")


def answer(project: TinyProject, *words: str) -> dict[str, Any]:
    with asked(project.work.project, ["tiny", *words]) as found:
        return compared(found.work, found.one, found.other, found.notes)


def refused(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(line["part"], line["target"]) for line in told["refused"]]


def test_a_difference_is_that_of_the_figures_and_turns_its_sign_round(project: TinyProject) -> None:
    project.execute("evaluate")
    figures = {(row["target"], row["cell"]): row["rmse"]["figure"] for row in figures_of(project.work)}
    told = answer(project, "past", "mean")
    for row in told["figures"]:
        assert row["rmse"]["figure"] == pytest.approx(figures[row["target"], "past"] - figures[row["target"], "mean"])
        assert row["rmse"]["low"] < row["rmse"]["figure"] < row["rmse"]["high"]
    turned = answer(project, "mean", "past")
    assert turned["figures"][0]["rmse"]["figure"] == pytest.approx(-told["figures"][0]["rmse"]["figure"])
    assert (told["refused"], told["params"], told["features"], told["data"]) == ([], [], {}, {})


def test_of_two_cells_the_declarations_are_compared(project: TinyProject) -> None:
    assert answer(project, "past", "words")["cell"] == [
        {"key": "views", "old": ["tiny_lexical", "tiny_history"], "new": ["tiny_history", "tiny_now"]},
        {"key": "treatments", "old": ["negatives"]},
        {"key": "targets", "old": ["mood"]},
    ]


def test_predictions_that_evaluate_has_not_judged_are_not_compared(project: TinyProject) -> None:
    project.tamper(PREDICTIONS, lambda told: told.with_columns(mean=pl.col("mean") + 0.1))
    told = answer(project, "past", "mean")
    assert (told["figures"], refused(told)) == ([], [("figures", "")])
    assert told["refused"][0]["what"] == "evaluate has not judged these predictions; nothing is compared"


def test_before_anything_was_evaluated_there_is_nothing_to_compare(project: TinyProject) -> None:
    (project.root / "artifacts" / "tiny" / "evaluate" / "evaluation.json").unlink()
    told = answer(project, "past", "mean")
    assert (told["figures"], refused(told)) == ([], [("figures", "")])
    assert told["refused"][0]["what"] == "past has no artifacts/tiny/evaluate/evaluation.json"
    assert told["refused"][0]["next"] == "dvc repro, or dvc pull"


def test_a_cell_that_is_not_there_is_answered_with_the_nearest(project: TinyProject) -> None:
    with pytest.raises(Misuse, match="nor is a cell: did you mean 'past'"):
        answer(project, "pats", "mean")


def test_cells_without_a_common_target_are_not_compared(project: TinyProject) -> None:
    params = project.root / "params.yaml"
    params.write_text(params.read_text().replace("mean: {family: mean}", "mean: {family: mean, targets: [energy]}"))
    project.tamper(PREDICTIONS, lambda told: told.filter((pl.col("cell") != "mean") | (pl.col("target") == "energy")))
    project.execute("evaluate")
    told = answer(project, "words", "mean")
    assert (told["figures"], told["refused"][0]["what"]) == ([], "'words' and 'mean' share no target")


def test_a_row_that_was_relabelled_since_is_of_another_row_set_and_not_compared(project: TinyProject) -> None:
    before = project.table(TRAINING_SET)
    project.tamper(TRAINING_SET, where("a07-2", mood=pl.col("mood") + 0.5))
    after = project.table(TRAINING_SET)
    named = [row_set_digest(rows.drop_nulls("mood"), "mood") for rows in (before, after)]
    assert named[0] != named[1], "a label changes the row set"
    assert row_set_digest(before.drop_nulls("energy"), "energy") == row_set_digest(after.drop_nulls("energy"), "energy")
    told = answer(project, "past", "mean")
    assert ([row["target"] for row in told["figures"]], refused(told)) == (["energy"], [("figures", "mood")])
    assert "gate 'figures' refused" in told["refused"][0]["what"]
    assert "expect_one_row_set" in told["refused"][0]["what"]
    project.execute("evaluate")
    assert answer(project, "past", "mean")["figures"][0]["target"] == "mood"


@pytest.fixture
def worse_when_little_is_known(project: TinyProject) -> TinyProject:
    """``past`` predicts as ``blend`` does, but where one label at most was known it is wide of the truth."""
    params = project.root / "params.yaml"
    params.write_text(params.read_text().replace(*DECLARED))
    labels = project.table(TRAINING_SET).select("row_id", "mood", "tiny_now__history")
    wide = 3 - pl.col("mood")

    def change(told: pl.DataFrame) -> pl.DataFrame:
        same = told.filter(cell="blend").select("row_id", "target", same="mean")
        mine = told.join(same, on=["row_id", "target"], how="left", maintain_order="left")
        mine = mine.join(labels, on="row_id", how="left", maintain_order="left")
        little = (pl.col("target") == "mood") & (pl.col("tiny_now__history") <= 1)
        means = pl.when(cell="past").then(pl.when(little).then(wide).otherwise("same")).otherwise("mean")
        return mine.with_columns(mean=means).select(told.columns)

    project.tamper(PREDICTIONS, change)
    project.execute("evaluate")
    return project


def test_a_slice_that_got_worse_is_named_and_no_other(worse_when_little_is_known: TinyProject) -> None:
    told = answer(worse_when_little_is_known, "past", "blend")["slices"]
    assert {(line["target"], line["slice"], line["value"]) for line in told["worse"]} == {("mood", "tiny_now__history", "≤ 1")}
    assert "rmse" in {line["metric"] for line in told["worse"]}
    assert all(line["low"] > 0 for line in told["worse"] if line["metric"] == "rmse")
    assert told["better"] == []
    assert told["by_chance"] == pytest.approx(0.025 * told["looked_at"])


def test_seen_from_the_other_side_that_slice_is_better(worse_when_little_is_known: TinyProject) -> None:
    told = answer(worse_when_little_is_known, "blend", "past")
    assert told["slices"]["worse"] == []
    assert {line["value"] for line in told["slices"]["better"]} == {"≤ 1"}
    text = as_text(told)
    assert text["slices in which blend is better"][0]["slice"] == "tiny_now__history ≤ 1"
    assert "slices in which blend is worse" not in text
