"""The gate `model`: each train cell has its verdict, one that did not pass is told and barred, and the graph goes on."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
import yaml
from tiny_project import PREDICTIONS, TinyProject

from watertight.core.errors import Refusal
from watertight.core.tables import write_json

EVALUATION = "artifacts/tiny/evaluate/evaluation.json"
PAST = (pl.col("cell") == "past") & (pl.col("target") == "mood")


def verdicts(project: TinyProject) -> dict[tuple[str, str], dict[str, Any]]:
    return {(told["target"], told["cell"]): told["verdict"] for told in project.verdict(EVALUATION)["models"]}


def declare(project: TinyProject, **changed: Any) -> None:
    path = project.root / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["tiny"] |= changed
    path.write_text(yaml.safe_dump(params), encoding="utf-8")


def refusal(project: TinyProject) -> Refusal:
    with pytest.raises(Refusal) as caught:
        project.execute("register")
    return caught.value


def test_every_cell_and_target_has_its_verdict(built: TinyProject) -> None:
    found = verdicts(built)
    every = {(target, cell) for target in ("mood", "energy") for cell in ("mean", "past", "blend")}
    assert set(found) == every | {("mood", "words")}
    assert {told["gate"] for told in found.values()} == {"model"}
    assert found["mood", "past"]["status"] == found["energy", "past"]["status"] == "pass"


def test_a_baseline_collapses_and_bars_itself_alone(project: TinyProject) -> None:
    assert verdicts(project)["mood", "mean"]["status"] == "fail"
    project.execute("register")
    declare(project, register={"cell": "mean"})
    project.execute("evaluate")
    told = refusal(project)
    assert told.what.startswith("cell 'mean' did not pass gate 'model'; its models are not registered\n  - target 'mood', seed 0")
    for target in ("mood", "energy"):
        assert (
            f"target '{target}', seed 0 (fail): expect_no_collapse: {target}: predictions spread 0.000 of the labels" in told.what
        )
    assert "at least 0.05; 100.0% of them in the modal bin, at most " in told.what
    assert told.next_step == "mend the cell and train it again, or name one that passed: past, words, blend"
    assert len(told.rows) >= 20


@pytest.mark.parametrize(
    ("planted", "check"),
    [
        (pl.lit(0.25), "expect_no_collapse"),
        (pl.col("mean") * 0.05, "expect_no_collapse"),
        (pl.col("mean") + 1.5, "expect_calibrated"),
    ],
    ids=["constant", "hardly moving", "shifted"],
)
def test_a_registered_cell_that_does_not_pass_is_evaluated_and_not_registered(
    project: TinyProject, planted: pl.Expr, check: str
) -> None:
    project.tamper(PREDICTIONS, lambda told: told.with_columns(mean=pl.when(PAST).then(planted).otherwise("mean")))
    project.execute("evaluate")
    failed = {told["type"] for told in verdicts(project)["mood", "past"]["checks"] if told["status"] == "fail"}
    assert failed == {check}
    told = refusal(project)
    assert f"target 'mood', seed 0 (fail): {check}: mood: " in told.what
    assert "energy" not in told.what


def test_intervals_that_do_not_cover_bar_the_cell(project: TinyProject) -> None:
    thin = {name: pl.when(PAST).then(pl.col("mean") + off) for name, off in (("lower", -0.01), ("upper", 0.01))}
    project.tamper(PREDICTIONS, lambda told: told.with_columns(**thin, level=pl.when(PAST).then(0.9)))
    project.execute("evaluate")
    told = refusal(project)
    assert "expect_intervals_to_cover: intervals of level 0.9 cover 0." in told.what
    missed = {row for row in project.table(PREDICTIONS).filter(PAST)["row_id"]}
    assert set(told.rows) <= missed


def test_a_waived_check_of_the_gate_bars_the_cell_all_the_same(project: TinyProject) -> None:
    project.tamper(PREDICTIONS, lambda told: told.with_columns(mean=pl.when(PAST).then(0.25).otherwise("mean")))
    declare(project, waive=["expect_no_collapse"])
    project.execute("evaluate")
    assert verdicts(project)["mood", "past"]["status"] == "waived"
    assert "target 'mood', seed 0 (waived): expect_no_collapse" in refusal(project).what


def test_a_cell_without_a_verdict_is_not_registered(project: TinyProject) -> None:
    told = project.verdict(EVALUATION)
    told["models"] = [model for model in told["models"] if model["cell"] != "past"]
    write_json(told, project.root / EVALUATION)
    assert refusal(project).what.startswith("cell 'past' did not pass gate 'model'")


def test_thresholds_are_the_workloads_to_tighten(project: TinyProject) -> None:
    suite = project.root / "expectations" / "tiny.yaml"
    declared = yaml.safe_load(suite.read_text(encoding="utf-8")) or {}
    declared["model"] = [{"type": "expect_no_collapse", "kwargs": {"least_spread": 0.9}}]
    suite.write_text(yaml.safe_dump(declared), encoding="utf-8")
    project.execute("evaluate")
    assert "at least 0.9" in refusal(project).what
