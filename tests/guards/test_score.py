"""The test sets are scored by a bundle that was fitted on today's training rows and no others; every look is recorded."""

from __future__ import annotations

import polars as pl
import pytest
from tiny_project import TRAINING_SET, TinyProject

from pipelines.score import score_test
from watertight.core.errors import Refusal
from watertight.core.tables import json_text
from watertight.evaluation.metrics import rmse


def looks(project: TinyProject) -> list[str]:
    return sorted(path.name for path in (project.root / "models" / "tiny" / "looks").glob("*.json"))


def test_a_look_is_told_with_its_row_set_and_recorded_once(project: TinyProject) -> None:
    project.execute("register")
    told = score_test(project.work)
    assert {row["split"] for row in told} == {"test_groups", "test_future"}
    assert all(row["row_set"] and row["rows"] > 0 for row in told)
    assert json_text(score_test(project.work)) == json_text(told)
    assert len(looks(project)) == 1


def test_a_figure_is_that_of_the_rows_of_its_split(project: TinyProject) -> None:
    """With the training mean registered, its error can be told without the bundle."""
    params = project.root / "params.yaml"
    params.write_text(params.read_text(encoding="utf-8").replace("cell: past", "cell: mean"), encoding="utf-8")
    project.execute("register")
    table = project.table(TRAINING_SET)
    [found] = [row for row in score_test(project.work) if (row["target"], row["split"]) == ("mood", "test_groups")]
    mean = table.filter((pl.col("split") == "train") & pl.col("mood").is_not_null())["mood"].mean()
    truth = table.filter((pl.col("split") == "test_groups") & pl.col("mood").is_not_null())["mood"].to_numpy()
    assert found["rows"] == len(truth)
    assert found["rmse"] == pytest.approx(rmse(truth, mean))


def test_a_bundle_that_was_fitted_on_rows_that_are_held_out_today_is_refused(project: TinyProject) -> None:
    project.execute("register")
    moved = pl.col("group_id") == project.table(TRAINING_SET).filter(pl.col("split") == "train")["group_id"][0]
    project.tamper(
        TRAINING_SET,
        lambda table: table.with_columns(
            split=pl.when(moved & (pl.col("split") == "train")).then(pl.lit("test_groups")).otherwise("split"),
            fold=pl.when(~moved).then("fold"),
        ),
    )
    with pytest.raises(Refusal, match="fitted on other rows than today's training rows"):
        score_test(project.work)
    assert looks(project) == []
