"""Two sides with planted differences: each diff names what was planted and nothing else, and of a twin nothing at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from tiny_project import STAGES, TRAINING_SET, TinyProject, where

from pipelines.comparison.answer import compared
from pipelines.comparison.data_diff import data_diff
from pipelines.comparison.nested import changes
from pipelines.comparison.service_diff import service_diff
from pipelines.comparison.side import Side
from pipelines.comparison.told import as_text
from watertight.core.project import Workload
from watertight.core.tables import read_json, write_json

SERVED = "data/tiny/training_set/training_set.json"
KEPT = '[note for note in notes if note["row_id"] != "a09-3"]'
ADDED = '{**_note(5, 2), "row_id": "a05-x", "note_id": "a05-x"}'
REWRITTEN = {
    "params.yaml": [("options: {strength: 100}}", "options: {strength: 50}}")],
    "feature_repo/tiny.py": [
        ('texts={"note_id": "text"}', 'texts={"note_id": ["text"]}'),
        ("tiny = Feat", 'short = temporal_view("tiny", entity=author, labels=["mood"], name="short")\ntiny = Feat'),
        (
            "[lexical, history[scalars(history)], now]",
            "[lexical, history[scalars(history)], now, short[['mood_count', 'mood_mean', 'source_at']]]",
        ),
    ],
    "pipelines/sources/tiny/made.py": [
        ("    children =", f"    notes = {KEPT}\n    notes.append({ADDED})\n    children ="),
        ("else mood,", 'else 1.5 if row == "a07-2" else mood,'),
    ],
}
"""A param; a view made otherwise, a view and a column more; a row less, a row more, a row with another mood."""


def side(project: TinyProject, name: str, cell: str = "past") -> Side:
    """The project's own outputs as a side."""
    return Side(name, cell, yaml.safe_load((project.root / "params.yaml").read_text())["tiny"], project.work)


def answered(old: TinyProject, new: TinyProject, work: Workload | None = None, cell: str = "past") -> dict[str, Any]:
    return compared(work or new.work, side(new, "new", cell), side(old, "old", cell))


@pytest.fixture(scope="session")
def rewritten(built: TinyProject, tmp_path_factory: pytest.TempPathFactory) -> TinyProject:
    """The project with everything in ``REWRITTEN``, run anew; nobody writes into it."""
    root = Path(shutil.copytree(built.root, tmp_path_factory.mktemp("rewritten") / "project"))
    for name, replaced in REWRITTEN.items():
        text = (root / name).read_text(encoding="utf-8")
        for old, new in replaced:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (root / name).write_text(text, encoding="utf-8")
    project = TinyProject(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        project.execute(*STAGES)
    return project


@pytest.fixture
def twin(built: TinyProject, tmp_path: Path) -> TinyProject:
    """Another copy of the built project."""
    return TinyProject(Path(shutil.copytree(built.root, tmp_path / "twin")))


def test_of_a_twin_nothing_is_named_and_every_difference_is_nought(project: TinyProject, twin: TinyProject) -> None:
    told = answered(project, twin)
    assert [told[part] for part in ("params", "cell", "features", "data", "refused")] == [[], [], {}, {}, []]
    assert (told["slices"]["worse"], told["slices"]["better"]) == ([], [])
    assert [row["target"] for row in told["figures"]] == ["mood", "energy"]
    assert {row["rmse"]["figure"] for row in told["figures"]} == {0.0}


def test_every_planted_difference_is_named_and_no_other(built: TinyProject, rewritten: TinyProject) -> None:
    told = answered(built, rewritten)
    assert told["params"] == [{"key": "train.cells.past.options.strength", "old": 100, "new": 50}]
    assert told["features"] == {
        "views_added": ["tiny_short"],
        "views_changed": {"tiny_lexical": [{"key": "texts.note_id", "old": "text", "new": ["text"]}]},
        "columns_added": ["tiny_short__mood_count", "tiny_short__mood_mean"],
    }
    assert told["data"] == {
        "added": {"count": 1, "first": ["a05-x"]},
        "removed": {"count": 1, "first": ["a09-3"]},
        "relabelled": {"mood": {"count": 1, "first": ["a07-2"]}},
    }


def test_other_rows_refuse_the_figures_with_what_each_lacks_and_leave_the_diffs(
    built: TinyProject, rewritten: TinyProject
) -> None:
    told = answered(built, rewritten)
    assert (told["figures"], told["slices"]["looked_at"]) == ([], 0)
    mood, energy = told["refused"]
    assert (mood["part"], mood["target"], energy["target"]) == ("figures", "mood", "energy")
    assert "old lacks 1 row (a05-x)" in mood["what"]
    assert "1 row (a07-2) is labelled otherwise" in mood["what"]
    assert "new lacks" not in energy["what"], "a09-3 has no energy"
    assert "fit both on the same rows" in mood["next"]


def test_a_value_of_any_column_is_told_a_null_being_one_and_so_are_drops_and_columns(
    project: TinyProject, twin: TinyProject
) -> None:
    project.tamper(TRAINING_SET, where("a02-5", mood=1.0))
    project.tamper(TRAINING_SET, where(("a04-1", "a04-2"), text="mended", drop="late"))
    project.tamper(TRAINING_SET, where("a05-0", split="test_groups"))
    project.tamper(TRAINING_SET, lambda rows: rows.with_columns(tiny_lexical__word_count_log=0.0, fold=pl.lit(0)))
    change_contract(project, lambda told: {**told, "columns": {"place": "string"}})
    project.tamper(TRAINING_SET, lambda rows: rows.with_columns(place=pl.lit("here")))
    assert data_diff(side(twin, "old"), side(project, "new")) == {
        "relabelled": {"mood": {"count": 1, "first": ["a02-5"]}},
        "edited": {
            "drop": {"count": 2, "first": ["a04-1", "a04-2"]},
            "text": {"count": 2, "first": ["a04-1", "a04-2"]},
            "split": {"count": 1, "first": ["a05-0"]},
        },
        "drops": [{"drop": "late", "old": 0, "new": 2}, {"drop": "made", "old": 76, "new": 74}],
        "columns_added": ["place"],
    }


def change_contract(project: TinyProject, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    place = project.root / "data" / "tiny" / "rows" / "contract.json"
    write_json(change(read_json(place)), place)


def test_rows_in_other_groups_refuse_the_figures_for_the_intervals_would_be_of_others(
    project: TinyProject, twin: TinyProject
) -> None:
    project.tamper(TRAINING_SET, where(("a05-0", "a05-2"), group_id="a06"))
    told = answered(twin, project)
    assert [line["what"] for line in told["refused"]] == [
        f"{target}: 2 rows (a05-0, a05-2) are in another group" for target in ("mood", "energy")
    ]


def test_a_target_that_is_declared_otherwise_is_not_compared_and_the_other_is(project: TinyProject, twin: TinyProject) -> None:
    classes = {"kind": "class", "classes": ["low", "high"]}
    change_contract(project, lambda told: {**told, "targets": {**told["targets"], "mood": classes}})
    told = answered(twin, project)
    assert [line["what"] for line in told["refused"]] == ["mood: new and old declare it otherwise"]
    assert [row["target"] for row in told["figures"]] == ["energy"]


def test_another_encoder_and_another_service_are_told(project: TinyProject, twin: TinyProject) -> None:
    served = read_json(project.root / SERVED)
    signature = {**served["signature"], "service": "other"}
    write_json({**served, "encoders": {"small": "0a"}, "signature": signature}, project.root / SERVED)
    assert service_diff(side(twin, "old"), side(project, "new")) == {
        "service": [{"key": "service", "old": "tiny", "new": "other"}],
        "encoders": [{"key": "small", "new": "0a"}],
    }


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"a": {"b": 1, "c": [1, 2]}}, {"a": {"b": 1.0, "c": [1, 2]}}, []),
        ({"a": 1}, {"a": True}, [{"key": "a", "old": 1, "new": True}]),
        ({"a": None}, {}, [{"key": "a", "old": None}]),
        ({}, {"a": {"b": {"c": 1}, "d": {}}}, [{"key": "a.b.c", "new": 1}, {"key": "a.d", "new": {}}]),
        ({"a": {"b": 1}}, {"a": 2}, [{"key": "a", "old": {"b": 1}, "new": 2}]),
        ({"a": [1, 2]}, {"a": [2, 1]}, [{"key": "a", "old": [1, 2], "new": [2, 1]}]),
        ({"a": [{"s": 1}, {"s": 2}]}, {"a": [{"s": 1}, {"s": 3}]}, [{"key": "a.1.s", "old": 2, "new": 3}]),
        ({"a": [{"s": 1}]}, {"a": []}, [{"key": "a", "old": [{"s": 1}], "new": []}]),
    ],
)
def test_nested_declarations_are_compared_value_by_value(old: dict, new: dict, told: list) -> None:
    assert changes(old, new) == told


def test_for_a_person_everything_planted_stands_in_the_text(built: TinyProject, rewritten: TinyProject) -> None:
    text = as_text(answered(built, rewritten))
    assert text["params, from old (past) to new (past)"] == [{"": "train.cells.past.options.strength", "old": "100", "new": "50"}]
    assert text["features, from old (past) to new (past)"]["views added"] == "tiny_short"
    assert text["features, from old (past) to new (past)"]["view tiny_lexical"][0]["new"] == '["text"]'
    assert text["data, from old (past) to new (past)"] == {
        "added": "1 (a05-x)",
        "removed": "1 (a09-3)",
        "relabelled mood": "1 (a07-2)",
    }
    assert "old lacks 1 row (a05-x)" in text["not compared"]["figures of mood"]
