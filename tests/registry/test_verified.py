"""Every fault that a registry can have, planted in copies of one that is found whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.registry.made_records import at_hour, made_facts
from tests.registry.registry_project import RegistryProject
from watertight.registry.objects import Objects
from watertight.registry.records import Event
from watertight.registry.verified import verified

EVENTS, VERSIONS = "models/judge/events", "models/judge/versions"


def edited(path: Path, sealed: bool = False, **changes: Any) -> None:
    told = {**json.loads(path.read_text()), **changes}
    told = Event(**told).sealed().model_dump(mode="json") if sealed else told
    path.write_text(json.dumps(told, sort_keys=True, indent=2, ensure_ascii=False) + "\n")


def edited_version(project: RegistryProject) -> None:
    edited(project.root / VERSIONS / "1.1.0.json", cell="another")


def edited_event(project: RegistryProject) -> None:
    edited(project.root / EVENTS / "0002.json", by="Eve <eve@example.org>")


def edited_and_sealed_event(project: RegistryProject) -> None:
    edited(project.root / EVENTS / "0002.json", sealed=True, by="Eve <eve@example.org>")


def edited_last_event(project: RegistryProject) -> None:
    edited(project.root / EVENTS / "0003.json", reason="another")


def edited_and_sealed_last_event(project: RegistryProject) -> None:
    edited(project.root / EVENTS / "0003.json", sealed=True, reason="another")


def missing_event(project: RegistryProject) -> None:
    (project.root / EVENTS / "0002.json").unlink()


def missing_first_event(project: RegistryProject) -> None:
    (project.root / EVENTS / "0001.json").unlink()


def missing_last_event(project: RegistryProject) -> None:
    (project.root / EVENTS / "0003.json").unlink()


def gap(project: RegistryProject) -> None:
    (project.root / EVENTS / "0003.json").rename(project.root / EVENTS / "0005.json")


def merged_by_hand(project: RegistryProject) -> None:
    """Somebody else's second event, kept beside ours under the next free number."""
    other = json.loads((project.root / EVENTS / "0003.json").read_text())
    first = json.loads((project.root / EVENTS / "0001.json").read_text())
    event = Event(**{**other, "number": 4, "previous": first["digest"]}).sealed()
    (project.root / EVENTS / "0004.json").write_text(event.model_dump_json())


def two_events_in_one_file(project: RegistryProject) -> None:
    path = project.root / EVENTS / "0002.json"
    path.write_text(path.read_text() * 2)


def conflict(project: RegistryProject) -> None:
    path = project.root / EVENTS / "0003.json"
    path.write_text(f"<<<<<<< HEAD\n{path.read_text()}=======\n{path.read_text()}>>>>>>> theirs\n")


def event_without_version(project: RegistryProject) -> None:
    (project.root / VERSIONS / "1.1.0.json").unlink()


def version_without_event(project: RegistryProject) -> None:
    project.registry().write_version(made_facts(fit="never").numbered("1.2.0", ("fitted again",)))


def deprecated_and_promoted(project: RegistryProject) -> None:
    project.registry().append("deprecation", "1.1.0", at=at_hour(3), by="Ada <a@b>", reason="wrong labels")
    barred = json.loads((project.root / EVENTS / "0004.json").read_text())
    again = {"number": 5, "kind": "promotion", "stage": "prod", "previous": barred["digest"]}
    (project.root / EVENTS / "0005.json").write_text(Event(**{**barred, **again}).sealed().model_dump_json())


def clock_that_goes_back(project: RegistryProject) -> None:
    last = json.loads((project.root / EVENTS / "0003.json").read_text())
    back = {"number": 4, "at": at_hour(1.5), "previous": last["digest"]}
    (project.root / EVENTS / "0004.json").write_text(Event(**{**last, **back}).sealed().model_dump_json())


def other_models_event(project: RegistryProject) -> None:
    last = json.loads((project.root / EVENTS / "0003.json").read_text())
    other = {"number": 4, "model": "preference", "previous": last["digest"]}
    (project.root / EVENTS / "0004.json").write_text(Event(**{**last, **other}).sealed().model_dump_json())


def strange_event_file(project: RegistryProject) -> None:
    shutil.copy(project.root / EVENTS / "0003.json", project.root / EVENTS / "0003 (copy).json")


def strange_version_file(project: RegistryProject) -> None:
    shutil.copy(project.root / VERSIONS / "1.1.0.json", project.root / VERSIONS / "1.1.json")


def version_of_another_name(project: RegistryProject) -> None:
    (project.root / VERSIONS / "1.1.0.json").rename(project.root / VERSIONS / "1.2.0.json")


def unknown_key(project: RegistryProject) -> None:
    edited(project.root / VERSIONS / "1.1.0.json", comment="a good one")


def bundle_off_the_remote(project: RegistryProject) -> None:
    shutil.rmtree(project.root / ".dvc" / "remote" / "files")


def remote_unplugged(project: RegistryProject) -> None:
    project.shell("dvc remote modify storage url s3://nowhere/at-all && dvc remote modify storage endpointurl http://127.0.0.1:9")


PLANTED: list[tuple[Callable[[RegistryProject], None], str, str]] = [
    (edited_version, f"{VERSIONS}/1.1.0.json", "it was edited: event 2 names other content"),
    (edited_event, f"{EVENTS}/0002.json", "it was edited: its digest is of other content"),
    (edited_and_sealed_event, f"{EVENTS}/0003.json", "it was not recorded on top of event 2"),
    (edited_last_event, f"{EVENTS}/0003.json", "it was edited"),
    (edited_and_sealed_last_event, f"{EVENTS}/0003.json", "it is not as committed"),
    (missing_event, f"{EVENTS}/0002.json", "it is missing"),
    (missing_first_event, f"{EVENTS}/0001.json", "it is missing"),
    (missing_last_event, f"{EVENTS}/0003.json", "it is not as committed"),
    (gap, f"{EVENTS}/0003.json", "it is missing, and so are all up to event 4"),
    (merged_by_hand, f"{EVENTS}/0004.json", "it was not recorded on top of event 3"),
    (two_events_in_one_file, f"{EVENTS}/0002.json", "is not JSON"),
    (conflict, f"{EVENTS}/0003.json", "is in conflict: somebody else's record of this name was pushed first"),
    (event_without_version, f"{VERSIONS}/1.1.0.json", "it is not there, though event 2 names it"),
    (version_without_event, f"{VERSIONS}/1.2.0.json", "no event names it"),
    (deprecated_and_promoted, f"{EVENTS}/0005.json", "it uses version 1.1.0, which event 4 had deprecated"),
    (clock_that_goes_back, f"{EVENTS}/0004.json", "is before that of event 3"),
    (other_models_event, f"{EVENTS}/0004.json", "it says that it is event 4 of preference"),
    (strange_event_file, f"{EVENTS}/0003 (copy).json", "it is no event's file"),
    (strange_version_file, f"{VERSIONS}/1.1.json", "it is no version's file"),
    (version_of_another_name, f"{VERSIONS}/1.2.0.json", "it says that it is judge 1.1.0"),
    (unknown_key, f"{VERSIONS}/1.1.0.json", "comment: unknown key"),
    (bundle_off_the_remote, f"{VERSIONS}/1.1.0.json", "is not whole on the DVC remote"),
    (remote_unplugged, "models/judge", "the remote s3://nowhere/at-all"),
]


def test_a_whole_registry_has_no_fault(project: RegistryProject) -> None:
    assert project.faults() == []


@pytest.mark.parametrize(("plant", "place", "what"), PLANTED, ids=lambda value: getattr(value, "__name__", None))
def test_a_fault_is_found_where_it_is(project: RegistryProject, plant: Any, place: str, what: str) -> None:
    plant(project)
    found = [fault for fault in project.faults() if fault.place == place]
    assert any(what in fault.what for fault in found), project.faults()
    assert all(fault.next_step for fault in found)


COMMITTED = [edited_and_sealed_last_event, missing_last_event]


@pytest.mark.parametrize("plant", COMMITTED, ids=lambda plant: plant.__name__)
def test_a_last_event_that_was_changed_or_taken_out_in_a_commit_is_found(project: RegistryProject, plant: Any) -> None:
    """Nothing in the files says so: git does, and its next step brings the event back."""
    plant(project)
    project.git("commit", "--quiet", "--all", "--message", "tidy up")
    [fault] = project.faults()
    assert (fault.place, "after it was recorded, by commit" in fault.what) == (f"{EVENTS}/0003.json", True)
    project.shell(fault.next_step)
    project.git("commit", "--quiet", "--message", "as it was")
    assert project.faults() == []


def test_a_conflict_that_was_committed_is_mended_from_what_was_first_recorded(project: RegistryProject) -> None:
    conflict(project)
    project.git("commit", "--quiet", "--all", "--message", "merged")
    [fault] = project.faults()
    assert "is in conflict" in fault.what
    project.shell(f"{fault.next_step} && git commit --quiet --message 'as it was'")
    assert project.faults() == []


def test_a_shallow_clone_is_found_whole(project: RegistryProject, tmp_path: Path) -> None:
    project.git("clone", "--quiet", "--depth", "1", project.root.as_uri(), str(tmp_path / "clone"))
    shutil.copytree(project.root / ".dvc" / "remote", tmp_path / "clone" / ".dvc" / "remote")
    clone = RegistryProject(tmp_path / "clone")
    assert clone.faults() == []
    assert clone.registry().resolve().version == "1.0.0"


def test_a_fault_tells_the_command_that_mends_it(project: RegistryProject) -> None:
    for plant in (edited_event, edited_version, missing_event, event_without_version):
        plant(project)
        for fault in project.faults():
            if fault.next_step.startswith("git checkout"):
                project.shell(fault.next_step)
        assert project.faults() == [], plant.__name__


def test_every_bundle_is_asked_for_in_one_question(project: RegistryProject) -> None:
    asked: list[int] = []

    def missing(*stored: Any) -> list[str]:
        asked.append(len(stored))
        return Objects(project.root).missing(*stored)

    assert verified(project.registry(), missing) == []
    assert asked == [2]
