"""A gate that is not what its declarations say: evidence that is not served, checks that do not exist, empty tables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from tiny_project import PREDICTIONS, TRAINING_SET, TinyProject, digests, where

from watertight.checks.suite import declared
from watertight.core.errors import Misuse, Refusal
from watertight.stores.join import in_order

ROOT = Path(__file__).parents[2]
ASKED = pl.Series("row_id", ["b", "a", "c"])


def answer(*rows: str) -> pl.DataFrame:
    return pl.DataFrame({"row_id": list(rows), "feature": range(len(rows))})


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def misuse(project: TinyProject, stage: str) -> str:
    with pytest.raises(Misuse) as caught:
        project.execute(stage)
    return str(caught.value)


@pytest.mark.parametrize("column", ["source_at", "mood_count", "energy_count"])
def test_a_service_that_leaves_out_its_evidence(project: TinyProject, column: str) -> None:
    served = f"history[[name for name in scalars(history) if name != {column!r}]]"
    edit(project.root / "feature_repo" / "tiny.py", "history[scalars(history)]", served)
    told = misuse(project, "guard")
    assert f"service 'tiny' leaves out 'tiny_history__{column}'" in told
    assert "next: add the feature to the service, or serve the whole view" in told


def test_a_state_behind_an_on_demand_view_that_is_not_served(project: TinyProject) -> None:
    edit(
        project.root / "feature_repo" / "tiny.py", "features=[lexical, history[scalars(history)], now]", "features=[lexical, now]"
    )
    told = misuse(project, "guard")
    assert "nothing can be proven of view 'tiny_history'" in told


def test_a_plain_view_that_carries_no_evidence(project: TinyProject) -> None:
    plain = (
        "from feast import FeatureView, Field, FileSource\nfrom feast.types import Float32\n"
        "plain = FeatureView(name='plain', entities=[note], schema=[Field(name='x', dtype=Float32)],"
        " source=FileSource(path='plain.parquet', timestamp_field='event_timestamp'))\n\ntiny = "
    )
    edit(project.root / "feature_repo" / "tiny.py", "\ntiny = ", plain)
    edit(project.root / "feature_repo" / "tiny.py", "features=[lexical", "features=[plain, lexical")
    assert "nothing can be proven of view 'plain'" in misuse(project, "guard")


@pytest.mark.parametrize("column", ["text", "no_such_column"])
@pytest.mark.parametrize(("gate", "stage"), [("rows", "check"), ("training_set", "guard"), ("out_of_fold", "evaluate")])
def test_a_check_that_does_not_exist(project: TinyProject, gate: str, stage: str, column: str) -> None:
    """Great Expectations would drop it without a word; a column that is absent too must not hide it."""
    suite = f"{gate}:\n  - type: expect_column_values_to_not_be_nul\n    kwargs: {{column: {column}}}\n"
    (project.root / "expectations" / "tiny.yaml").write_text(suite, encoding="utf-8")
    told = misuse(project, stage)
    assert "no expectation is called 'expect_column_values_to_not_be_nul'" in told
    assert "did you mean 'expect_column_values_to_not_be_null'?" in told


def test_a_gate_that_does_not_exist(project: TinyProject) -> None:
    edit(project.root / "expectations" / "tiny.yaml", "training_set:", "trainig_set:")
    assert "trainig_set: unknown key; did you mean 'training_set'?" in misuse(project, "guard")


@pytest.mark.parametrize("column", ["fold", "group_id", "synthetic", "parent_id"])
def test_a_check_of_the_contract_cannot_be_skipped(project: TinyProject, column: str) -> None:
    project.tamper(TRAINING_SET, lambda rows: rows.drop(column))
    with pytest.raises(Refusal, match=f"skipped, no column '{column}'"):
        project.execute("guard")


@pytest.mark.parametrize(
    ("stage", "place"),
    [("check", "data/tiny/rows/rows.parquet"), ("guard", TRAINING_SET), ("evaluate", "artifacts/tiny/train/predictions.parquet")],
)
def test_an_empty_table_passes_no_gate(project: TinyProject, stage: str, place: str) -> None:
    lost = project.table("data/tiny/checked/rows.parquet")["row_id"] if stage == "guard" else []
    project.tamper(place, lambda table: table.clear())
    refused = project.refused(stage)
    assert "expect_table_row_count_to_be_between" in refused.checks
    assert refused.rows == set(lost)


@pytest.mark.parametrize(
    ("answered", "count", "rows"),
    [
        (answer("b", "c"), "lost 1 row(s) and added or doubled 0", ["a"]),
        (answer("a", "b", "c", "d"), "lost 0 row(s) and added or doubled 1", ["d"]),
        (answer("a", "b", "b", "c"), "lost 0 row(s) and added or doubled 2", ["b"]),
        (answer("b", "b", "d"), "lost 2 row(s) and added or doubled 3", ["a", "c", "b", "d"]),
        (answer(), "lost 3 row(s) and added or doubled 0", ["b", "a", "c"]),
    ],
    ids=["lost", "added", "doubled", "all at once", "nothing comes back"],
)
def test_a_join_answers_exactly_what_it_was_asked(answered: pl.DataFrame, count: str, rows: list[str]) -> None:
    with pytest.raises(Refusal, match="the join") as caught:
        in_order(ASKED, answered.cast({"row_id": pl.String}))
    assert count in caught.value.what
    assert list(caught.value.rows) == rows


def test_a_join_answers_in_the_order_it_was_asked() -> None:
    assert in_order(ASKED, answer("a", "b", "c")).rows() == [("b", 1), ("a", 0), ("c", 2)]


def test_the_exit_status_tells_a_refusal_from_misuse(project: TinyProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert project.command("guard") == 0
    project.tamper(TRAINING_SET, where("a05-4", split="test_future"))
    assert project.command("guard") == 1
    told = capsys.readouterr()
    assert told.err.startswith("tiny · guard: gate 'training_set' refused: 1 check(s) did not pass\n")
    assert "rows: 1 (a05-4)" in told.err
    (project.root / "expectations" / "tiny.yaml").write_text("training_set: [{type: expect_nothing}]", encoding="utf-8")
    assert project.command("guard") == 2
    assert "no expectation is called 'expect_nothing'" in capsys.readouterr().err


def test_a_refused_stage_as_a_command_of_its_own(project: TinyProject) -> None:
    project.tamper(PREDICTIONS, lambda made: pl.concat([made, made[:1]]))
    row, before = project.table(PREDICTIONS)["row_id"][0], digests(project.root)
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.evaluate", "tiny"],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"expect_predicted_once(): 2 row(s), first {row}" in done.stderr
    assert "Traceback" not in done.stderr
    assert digests(project.root) == before


SETTLED_AND_NOT = (("model", "expect_calibrated"), ("split", "expect_groups_in_one_fold"))


def test_a_workload_may_settle_what_its_models_are_to_be_and_not_what_a_leak_is(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    lenient = "[{type: expect_calibrated, severity: warning}]", "[{type: expect_groups_in_one_fold, severity: warning}]"
    own.write_text(f"model: {lenient[0]}\nsplit: {lenient[1]}\n", encoding="utf-8")
    told = {gate: [check.severity for check in declared(gate, own) if check.type == name] for gate, name in SETTLED_AND_NOT}
    assert told == {"model": ["warning"], "split": ["critical", "warning"]}
