"""Two people promote at once: the second push is refused, the pull conflicts, and what verify says leads out of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.registry.registry_project import RegistryProject, settle
from watertight.core.digests import json_digest
from watertight.core.errors import Refusal

CONFLICTING = "in conflict: somebody else's record of this name was pushed first"


@pytest.fixture
def clones(project: RegistryProject, tmp_path: Path) -> tuple[RegistryProject, RegistryProject]:
    """Two clones of one repository, which share a DVC remote."""
    project.git("clone", "--quiet", "--bare", str(project.root), str(tmp_path / "shared.git"))
    return clone(tmp_path, "first", project), clone(tmp_path, "second", project)


def clone(folder: Path, name: str, project: RegistryProject) -> RegistryProject:
    project.git("clone", "--quiet", str(folder / "shared.git"), str(folder / name))
    made = RegistryProject(folder / name)
    settle(made)
    made.shell(f"dvc remote modify --local storage url {project.root / '.dvc' / 'remote'}")
    return made


LOOK = f"models/judge/looks/{json_digest({})[:16]}.json"


def both_promote(clones: tuple[RegistryProject, RegistryProject], second_version: str) -> None:
    """The first pushes; the second's push is refused, and its pull ends in a conflict."""
    first, second = clones
    first.promote("1.1.1", 4)
    second.promote(second_version, 5)
    (second.root / LOOK).write_text("{}\n")
    second.git("add", "--all")
    second.git("commit", "--quiet", "--message", "a look at the test sets")
    first.git("push", "--quiet")
    assert "rejected" in second.git("push", check=False)


def commands_in(told: str) -> str:
    """What stands before the words "then: watertight …"."""
    return re.split(r"\n\s*then: ", told)[0]


@pytest.mark.parametrize("second_version", ["1.1.1", "1.2.0", "1.1.0"])
@pytest.mark.parametrize("rebase", [False, True])
def test_the_way_out_as_it_is_told(clones: tuple[RegistryProject, RegistryProject], second_version: str, rebase: bool) -> None:
    """The same version twice, two new versions, or one that was there: theirs stays, then ours goes on top."""
    first, second = clones
    both_promote(clones, second_version)
    second.git("config", "pull.rebase", "true" if rebase else "false")
    assert "CONFLICT" in second.git("pull", "--quiet", check=False)
    told = {fault.next_step for fault in second.faults() if CONFLICTING in fault.what}
    [way_out] = told
    with pytest.raises(Refusal, match="in conflict"):
        second.registry().holders()
    second.shell(commands_in(way_out))
    assert "then: watertight verify judge, and promote again" in way_out
    assert second.faults() == []
    assert second.git("status", "--porcelain") == ""
    assert second.registry().holders()["prod"].version == "1.1.1"
    assert (second.root / LOOK).is_file()
    again = "1.1.0" if second_version == "1.1.0" else "1.2.0"
    second.promote(again, 6)
    second.git("push", "--quiet")
    first.git("pull", "--quiet")
    assert first.faults() == second.faults() == []
    assert [event.version for event in first.registry().events()] == ["1.0.0", "1.1.0", "1.0.0", "1.1.1", again]


def test_promotions_of_two_models_do_not_conflict(clones: tuple[RegistryProject, RegistryProject]) -> None:
    first, second = clones
    first.promote("1.1.1", 4)
    second.promote("1.0.0", 5, model="preference")
    first.git("push", "--quiet")
    second.git("pull", "--quiet", "--no-edit")
    assert second.faults() == second.faults("preference") == []


def test_a_push_that_failed_leaves_a_whole_history_here(clones: tuple[RegistryProject, RegistryProject]) -> None:
    first, second = clones
    both_promote(clones, "1.2.0")
    assert second.faults() == []
    assert first.git("fetch") == ""
    assert first.registry().holders()["prod"].version == "1.1.1"
