"""The test sets are scored by a bundle that was fitted on today's training rows and no others; every look is recorded."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tiny_project import TRAINING_SET, TinyProject

from pipelines.score import score_test
from watertight.core.errors import Refusal
from watertight.core.tables import json_text, read_json
from watertight.evaluation.figures import FIGURES

WHICH = ("target", "part", "cell", "other", "metric")


def looks(project: TinyProject) -> list[str]:
    return sorted(path.name for path in (project.root / "models" / "tiny" / "looks").glob("*.json"))


def test_a_look_is_told_with_its_row_set_and_recorded_once(project: TinyProject) -> None:
    project.execute("register")
    told = score_test(project.work)
    assert {row["part"] for row in told["figures"]} == {"test_groups", "test_future"}
    assert all(row["row_set"] and row["rows"] > 0 for row in told["figures"])
    assert (told["differences"], told["intervals_cover"]) == ([], [])
    assert json_text(score_test(project.work)) == json_text(told)
    [look] = looks(project)
    figures = read_json(project.root / "models" / "tiny" / "looks" / look)["figures"]
    assert all(set(record) == set(FIGURES) for record in figures)
    assert {record["part"] for record in figures} == {"test_groups", "test_future"}


def test_a_figure_is_that_of_the_rows_of_its_split(project: TinyProject) -> None:
    """The error of the training mean can be told without its model."""
    project.execute("register")
    table, told = project.table(TRAINING_SET), score_test(project.work, every_cell=True)["figures"]
    [found] = [row for row in told if (row["target"], row["part"], row["cell"]) == ("mood", "test_groups", "mean")]
    mean = table.filter((pl.col("split") == "train") & pl.col("mood").is_not_null())["mood"].mean()
    truth = table.filter((pl.col("split") == "test_groups") & pl.col("mood").is_not_null())["mood"].to_numpy()
    assert found["rows"] == len(truth)
    assert found["rmse"]["figure"] == pytest.approx(np.sqrt(np.mean((truth - mean) ** 2)))


def test_a_bundle_that_was_fitted_on_rows_that_are_held_out_today_is_refused(project: TinyProject) -> None:
    project.execute("register")
    moved = pl.col("group_id") == project.table(TRAINING_SET).filter(pl.col("split") == "train")["group_id"][0]
    project.tamper(
        TRAINING_SET,
        lambda table: table.with_columns(
            split=pl.when(moved).then(pl.lit("test_groups")).otherwise("split"),
            fold=pl.when(~moved).then("fold"),
        ),
    )
    with pytest.raises(Refusal, match="guard has not judged this training set; the test sets are not looked at"):
        score_test(project.work)
    project.execute("guard")
    with pytest.raises(Refusal, match="fitted on other rows than today's training rows"):
        score_test(project.work)
    assert looks(project) == []


def test_a_training_set_that_guard_refuses_is_not_looked_at(project: TinyProject) -> None:
    """The bundle is honest; the features of the test rows would hold their own labels."""
    project.execute("register")
    params = project.root / "params.yaml"
    params.write_text(params.read_text(encoding="utf-8") + "  featurize: {label_delay_us: 0}\n", encoding="utf-8")
    project.execute("featurize", "join")
    with pytest.raises(Refusal, match="gate 'training_set' refused"):
        project.execute("guard")
    with pytest.raises(Refusal, match="guard has not judged this training set"):
        score_test(project.work, every_cell=True)
    assert looks(project) == []


def test_a_target_without_a_label_in_one_test_set_is_scored_on_the_other(project: TinyProject) -> None:
    project.execute("register")
    late = pl.when(pl.col("split") != "test_future").then("mood")
    project.tamper(TRAINING_SET, lambda table: table.with_columns(mood=late))
    project.execute("guard")
    look = score_test(project.work, every_cell=True)
    parts = {(row["target"], row["part"]) for row in look["figures"]}
    assert parts == {("mood", "test_groups"), ("energy", "test_groups"), ("energy", "test_future")}


def test_every_cell_is_scored_by_the_models_that_were_trained_and_set_beside_the_registered_one(project: TinyProject) -> None:
    project.execute("register")
    alone, every = score_test(project.work), score_test(project.work, every_cell=True)
    assert len(looks(project)) == 2, "they are two looks"
    cells = {(row["target"], row["part"], row["cell"]): row for row in every["figures"]}
    assert {cell for _, _, cell in cells} == {"mean", "past", "words", "blend"}
    for row in alone["figures"]:
        assert json_text(cells[row["target"], row["part"], "past"]) == json_text(row)
    [line] = [
        line
        for line in every["differences"]
        if tuple(line[name] for name in WHICH) == ("mood", "test_groups", "past", "mean", "rmse")
    ]
    mine, other = (cells["mood", "test_groups", cell] for cell in ("past", "mean"))
    assert line["figure"] == pytest.approx(mine["rmse"]["figure"] - other["rmse"]["figure"])
    assert line["row_set"] == mine["row_set"] == other["row_set"]


def test_a_cell_over_others_answers_test_rows_by_their_final_models(project: TinyProject) -> None:
    project.execute("register")
    [blend, past, mean] = [
        next(
            row for row in score_test(project.work, every_cell=True)["figures"] if (row["target"], row["cell"]) == ("mood", cell)
        )
        for cell in ("blend", "past", "mean")
    ]
    figures = sorted(row["rmse"]["figure"] for row in (past, mean))
    assert blend["rmse"]["figure"] <= figures[1], "a convex combination is no worse than its worse member"
