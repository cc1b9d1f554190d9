"""evaluate writes figures of the rows that it judged; the headline of each target is its registered cell's."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from tiny_project import PREDICTIONS, TRAINING_SET, TinyProject
from typer.testing import CliRunner

from watertight.cli import app
from watertight.core.digests import row_set_digest
from watertight.core.errors import Refusal
from watertight.evaluation.figures import FIGURES

FIGURES_FILE = "artifacts/tiny/evaluate/figures.parquet"


def test_the_table_is_long_and_a_figure_is_of_the_training_rows_that_have_the_target(built: TinyProject) -> None:
    figures = built.table(FIGURES_FILE)
    assert figures.schema == FIGURES
    beside = built.table(PREDICTIONS).filter(target="mood", cell="past").join(built.table(TRAINING_SET), on="row_id")
    [found] = figures.filter(target="mood", cell="past", slice="", metric="rmse").to_dicts()
    assert found["figure"] == pytest.approx(np.sqrt(((beside["mood"] - beside["mean"]) ** 2).mean()))
    assert (found["rows"], found["groups"]) == (beside.height, beside["group_id"].n_unique())
    assert found["row_set"] == row_set_digest(beside, "mood")


def test_dvcs_metrics_are_the_registered_cells_with_the_ends_of_the_headlines(project: TinyProject) -> None:
    params = project.root / "params.yaml"
    params.write_text(params.read_text(encoding="utf-8").replace("evaluate:\n", "evaluate:\n    intervals: {min_groups: 5}\n"))
    assert project.work.params.evaluate.intervals.min_groups == 5
    project.execute("evaluate")
    figures = project.table(FIGURES_FILE).filter(target="mood", cell="past", slice="")
    told = project.verdict("artifacts/tiny/metrics.json")["mood"]
    by_name = {line["metric"]: line for line in figures.to_dicts()}
    assert {name: told[name] for name in by_name} == pytest.approx({name: by_name[name]["figure"] for name in by_name}, abs=1e-6)
    assert (told["rmse_low"], told["rmse_high"]) == pytest.approx((by_name["rmse"]["low"], by_name["rmse"]["high"]), abs=1e-6)
    assert "mae_low" not in told
    assert {told["rows"]} == set(figures["rows"])
    assert {told["row_set"]} == set(figures["row_set"])


def test_the_command_tells_figures_for_machines_and_for_people(project: TinyProject) -> None:
    answer = CliRunner().invoke(app, ["metrics", "tiny", "--json"])
    assert answer.exit_code == 0, answer.output
    rows = json.loads(answer.stdout)
    assert {(row["target"], row["cell"]) for row in rows} == set(project.table(FIGURES_FILE).select("target", "cell").rows())
    assert all(set(row["rmse"]) == {"figure", "low", "high"} for row in rows)
    text = CliRunner().invoke(app, ["metrics", "tiny"]).stdout.splitlines()
    [first] = [row for row in rows if (row["target"], row["cell"]) == ("mood", "past")]
    assert f"target mood, rows {first['rows']}, groups {first['groups']}, row set {first['row_set']}:" in text
    assert any(f"{first['rmse']['figure']:.4f}" in line for line in text)


def test_a_prediction_that_lacks_its_output_is_not_scored_without_it(project: TinyProject) -> None:
    lost = project.table(PREDICTIONS).filter(target="mood", cell="past")["row_id"][0]
    project.tamper(
        PREDICTIONS,
        lambda table: table.with_columns(
            mean=pl.when((pl.col("row_id") == lost) & (pl.col("cell") == "past")).then(None).otherwise("mean")
        ),
    )
    assert lost in project.refused("evaluate").rows


def test_a_prediction_that_is_no_number_is_refused_with_its_row(project: TinyProject) -> None:
    lost = (pl.col("cell") == "past") & (pl.col("row_id") == "a07-2")
    project.tamper(
        "artifacts/tiny/train/predictions.parquet",
        lambda told: told.with_columns(mean=pl.when(lost).then(float("nan")).otherwise("mean")),
    )
    with pytest.raises(Refusal, match="predictions lack 'mean' in some rows") as caught:
        project.execute("evaluate")
    assert caught.value.rows == ("a07-2",)
