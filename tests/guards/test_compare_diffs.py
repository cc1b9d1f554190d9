"""Two sides with planted differences: each diff names what was planted and nothing else, and of a twin nothing at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_project import STAGES, TinyProject

from pipelines.comparison.answer import compared
from pipelines.comparison.side import Side
from pipelines.comparison.told import as_text
from watertight.core.project import Workload

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
    assert "a07-2" in str(as_text(told))
