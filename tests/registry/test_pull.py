"""A pulled folder is the version's bundle, whole or not there; nothing else of the user's is ever replaced."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_bundle import made_bundle, rows
from made_project import cloned, made_project
from typer.testing import CliRunner, Result

import watertight
from watertight.cli import app
from watertight.core.errors import Misuse, Refusal
from watertight.inference import pulled
from watertight.inference.pulled import pull


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_project(tmp_path_factory.mktemp("made") / "project")


@pytest.fixture
def project(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATERTIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(cloned(built, tmp_path / "clone"))
    return Path.cwd()


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def command(*words: str) -> Result:
    return CliRunner().invoke(app, ["pull", *words])


def test_a_pull_is_the_bundle_and_loads_by_itself(project: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    told = command("judge#prod", "--to", str(to), "--json")
    assert told.exit_code == 0, told.output
    answer = json.loads(told.stdout)
    assert {name: answer[name] for name in ("model", "version", "to", "files")} == {
        "model": "judge", "version": "1.1.0", "to": str(to), "files": len(files(to)),
    }  # fmt: skip
    expected = watertight.load("judge", stage="prod").predict(rows())
    shutil.rmtree(project)
    shutil.rmtree(tmp_path / "cache")
    assert watertight.load(to).predict(rows()).equals(expected)


def test_an_edit_of_a_pull_does_not_reach_the_cache(project: Path, tmp_path: Path) -> None:
    pull(project, "judge", tmp_path / "out")
    (tmp_path / "out" / "card.md").write_text("# mine\n")
    pull(project, "judge", tmp_path / "other")
    assert (tmp_path / "other" / "card.md").read_text() == "# toy\n"


def test_an_older_pull_is_replaced_whole(project: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    pull(project, "judge@1.0.0", to)
    before = files(to)
    pull(project, "judge@1.1.0", to)
    assert files(to) != before
    pull(project, "judge@1.0.0", to)
    assert files(to) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "clone", "out"], "no drafts"


def test_an_empty_folder_may_be_named(project: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert pull(project, "judge", tmp_path / "out")["version"] == "1.1.0"


def test_a_folder_with_anything_else_is_left_alone(project: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    to.mkdir()
    (to / "thesis.txt").write_text("dear")
    told = command("judge", "--to", str(to))
    assert told.exit_code == 2 and "is not empty" in told.stderr
    assert files(to) == {"thesis.txt": b"dear"}


@pytest.mark.parametrize("harm", ["added", "edited"])
def test_a_pull_that_somebody_changed_is_left_alone(project: Path, tmp_path: Path, harm: str) -> None:
    to = tmp_path / "out"
    pull(project, "judge", to)
    (to / ("notes.txt" if harm == "added" else "card.md")).write_text("mine")
    before = files(to)
    told = command("judge@1.0.0", "--to", str(to))
    assert told.exit_code == 1 and "was changed since it was pulled" in told.stderr
    assert files(to) == before


def test_the_bundle_of_another_model_is_left_alone(project: Path, tmp_path: Path) -> None:
    pull(project, "judge", tmp_path / "out")
    with pytest.raises(Misuse, match="is a pull of 'judge'"):
        pulled._demand_free(tmp_path / "out", project, "perception")


def test_where_stages_write_is_no_place(project: Path) -> None:
    made_bundle(project / "artifacts" / "judge" / "bundle")
    with pytest.raises(Misuse, match="is where stages write"):
        pull(project, "judge", project / "artifacts" / "judge" / "bundle")


def test_a_copy_that_went_wrong_leaves_the_older_pull(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    to = tmp_path / "out"
    pull(project, "judge@1.0.0", to)
    before = files(to)

    def cut(source: Path, target: Path) -> None:
        shutil.copytree(source, target)
        (target / "card.md").write_bytes(b"")

    monkeypatch.setattr(pulled, "shutil", SimpleNamespace(copytree=cut))
    with pytest.raises(Refusal, match=r"not what was registered: card\.md"):
        pull(project, "judge@1.1.0", to)
    assert files(to) == before
