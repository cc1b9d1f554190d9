"""Killed without warning in the middle of writing, a build goes on where it was, to the same bytes."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

import pytest
from deaths import DEATHS, Death, killed_after
from project_copies import ProjectCopy

from watertight.core.tables import replacing, write_json

MOMENTS = r"open|os.mkdir|os.rename|os.remove|os.rmdir|shutil.rmtree \.(draft|retired)"


@pytest.mark.parametrize("stage", DEATHS)
def test_a_stage_was_killed_while_it_wrote_and_had_put_nothing_in_place(stage: str, deaths: dict[str, Death]) -> None:
    death = deaths[stage]
    assert death.status == -signal.SIGKILL, death.output
    assert f"Running stage '{stage}@toy_pair'" in death.output
    assert death.drafts, "the stage had not begun to write"
    assert not death.in_place
    assert not death.locked


def test_all_outputs_equal_those_of_an_undisturbed_run(built: ProjectCopy, survivor: ProjectCopy) -> None:
    mine, other = survivor.lock(), built.lock()
    assert {name: entry["outs"] for name, entry in mine.items()} == {name: entry["outs"] for name, entry in other.items()}
    assert mine == other


def test_nothing_of_the_dead_is_left(survivor: ProjectCopy, deaths: dict[str, Death]) -> None:
    assert sorted(deaths) == sorted(DEATHS)
    assert survivor.leftovers() == []
    assert survivor.git("status", "--porcelain", "--untracked-files=all") == "?? dvc.lock\n"


def _replace(folder: Path, content: str) -> None:
    with replacing(folder / "table", folder / "table.json") as [table, told]:
        for name in ("first", "second"):
            write_json(content, table / f"{name}.json")
        write_json(content, told)


def _content(place: Path) -> list[str]:
    """The texts in a file, or in the files of a folder; empty where it is absent."""
    return [file.read_text() for file in ([place] if place.is_file() else sorted(place.rglob("*")))]


def _contents(folder: Path) -> dict[str, list[str]]:
    return {name: _content(folder / name) for name in ("table", "table.json")}


def test_whenever_it_is_killed_an_output_is_the_old_one_or_the_new_one_or_absent(tmp_path: Path) -> None:
    states = []
    for passed in range(100):
        folder = tmp_path / str(passed)
        _replace(folder, "old")
        old = _contents(folder)
        died = killed_after(MOMENTS, passed, partial(_replace, folder, "new"))
        states.append(_contents(folder))
        _replace(folder, "new")
        new = _contents(folder)
        assert sorted(path.name for path in folder.iterdir()) == ["table", "table.json"]
        assert all(state in ([], old[name], new[name]) for name, state in states[-1].items()), f"after {passed} events"
        if not died:
            break
    assert not died
    assert old == {"table": ['"old"\n'] * 2, "table.json": ['"old"\n']}
    assert states[0] == old
    assert {"table": [], "table.json": old["table.json"]} in states
    assert {**old, "table": new["table"]} in states
    assert states[-1] == new
