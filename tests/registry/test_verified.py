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
from watertight.core.digests import json_digest
from watertight.registry.diary import diary_text
from watertight.registry.objects import Objects
from watertight.registry.records import Event, Stored
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


def look_of(project: RegistryProject, version: str) -> Path:
    """The look that decided the first event of a version."""
    event = next(event for event in project.registry().events() if event.version == version)
    return project.root / "models" / "judge" / "looks" / f"{event.evidence.looks['candidate']}.json"


def edited_look(project: RegistryProject) -> None:
    edited(look_of(project, "1.1.0"), figures=[{"figure": 0.1}])


def missing_look(project: RegistryProject) -> None:
    look_of(project, "1.1.0").unlink()


def off_the_remote(project: RegistryProject, stored: Stored) -> None:
    (project.root / ".dvc" / "remote" / "files" / "md5" / stored.md5[:2] / stored.md5[2:]).unlink()


def answers_off_the_remote(project: RegistryProject) -> None:
    off_the_remote(project, Stored(**json.loads(look_of(project, "1.0.0").read_text())["predictions"]))


def training_set_off_the_remote(project: RegistryProject) -> None:
    off_the_remote(project, project.registry().version("1.0.0").stages["join"].outs["data/judge/training_set"])


def commit_that_was_squashed(project: RegistryProject) -> None:
    """As in a clone after a squash: the record is there, the commit that it names is not."""
    project.registry().write_version(made_facts(fit="squashed").numbered("1.2.0", ("fitted again",)))
    project.registry().append("promotion", "1.2.0", stage="prod", at=at_hour(3), by="Ada <a@b>")


LOOKS = "models/judge/looks"


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
    (edited_look, f"{LOOKS}/LOOK", "it was edited: its name is the digest of other content"),
    (missing_look, f"{LOOKS}/LOOK", "it is not there, though event 2 was decided by it"),
    (answers_off_the_remote, f"{LOOKS}/HELD", "what the version in prod answered"),
    (training_set_off_the_remote, f"{VERSIONS}/1.0.0.json", "the training set that it was fitted on"),
    (commit_that_was_squashed, f"{VERSIONS}/1.2.0.json", "is nowhere in this clone; the record and the bundle stay usable"),
    (remote_unplugged, "models/judge", "the remote s3://nowhere/at-all"),
]


def test_a_whole_registry_has_no_fault(project: RegistryProject) -> None:
    assert project.faults() == []


@pytest.mark.parametrize(("plant", "place", "what"), PLANTED, ids=lambda value: getattr(value, "__name__", None))
def test_a_fault_is_found_where_it_is(project: RegistryProject, plant: Any, place: str, what: str) -> None:
    place = place.replace("LOOK", look_of(project, "1.1.0").name).replace("HELD", look_of(project, "1.0.0").name)
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
    for plant in (edited_event, edited_version, missing_event, event_without_version, edited_look, missing_look):
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
    assert asked == [4]  # two bundles; of what holds prod its training set and its answers


def test_what_a_candidate_will_be_set_beside_is_told_with_the_command_that_makes_it_again(project: RegistryProject) -> None:
    answers_off_the_remote(project)
    [fault] = project.faults()
    assert fault.next_step == "watertight rescore judge#prod"


def test_answers_of_what_holds_no_stage_and_as_of_a_drop_may_be_gone(project: RegistryProject) -> None:
    held = json.loads(look_of(project, "1.0.0").read_text())
    off_the_remote(project, Stored(**json.loads(look_of(project, "1.1.0").read_text())["predictions"]))
    never = {**held, "as_of": "first", "predictions": {"md5": "0" * 32, "size": 1}}
    (project.root / LOOKS / f"{json_digest(never)[:16]}.json").write_text(json.dumps(never))
    assert project.faults() == []


@pytest.mark.parametrize("plant", [edited_look, missing_look], ids=lambda plant: plant.__name__)
def test_a_look_that_was_changed_or_taken_out_in_a_commit_is_found(project: RegistryProject, plant: Any) -> None:
    """A look that no event names: only git knows that it was there."""
    told = {"bundle": "another", "figures": []}
    look = project.root / LOOKS / f"{json_digest(told)[:16]}.json"
    look.write_text(json.dumps(told))
    assert project.faults() == []  # the next promotion commits it
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "a look")
    assert project.faults() == []
    edited(look, figures=[1]) if plant is edited_look else look.unlink()
    project.git("commit", "--quiet", "--all", "--message", "tidy up")
    [fault] = project.faults()
    assert fault.place == f"{LOOKS}/{look.name}"
    project.shell(f"{fault.next_step} && git commit --quiet --message 'as it was'")
    assert project.faults() == []


def cut_off(project: RegistryProject) -> None:
    """A promotion that was killed before its commit: version, event and look are written."""
    before = project.git("rev-parse", "HEAD").strip()
    project.promote("1.2.0", 4)
    project.git("reset", "--quiet", "--mixed", before)


@pytest.mark.parametrize("way", [0, 1], ids=["ended", "undone"])
@pytest.mark.parametrize("staged", [False, True])
def test_a_promotion_that_was_cut_off_is_ended_or_undone_as_one(project: RegistryProject, way: int, staged: bool) -> None:
    cut_off(project)
    if staged:
        project.git("add", "--all")
    faults = project.faults()
    assert {fault.place.split("/")[2] for fault in faults} == {"versions", "events", "looks"}
    [step] = {fault.next_step for fault in faults}
    project.shell(step.split("\n    or, to do it again: ")[way])
    assert (project.faults(), project.git("status", "--porcelain")) == ([], "")
    assert ("1.2.0" in project.registry().versions()) == (way == 0)


def test_history_marks_what_is_not_committed(project: RegistryProject) -> None:
    assert "not committed" not in diary_text(project.registry())
    cut_off(project)
    marked = [line for line in diary_text(project.registry()).splitlines() if "(not committed)" in line]
    assert [line.partition(",")[0] for line in marked] == ["prod: judge 1.2.0"]


def test_a_version_whose_commit_is_gone_is_a_fault_but_in_a_shallow_clone(project: RegistryProject, tmp_path: Path) -> None:
    commit_that_was_squashed(project)
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "squashed")
    [squashed] = [fault for fault in project.faults() if fault.place == f"{VERSIONS}/1.2.0.json" and "its commit" in fault.what]
    assert "never squash or rebase" in squashed.next_step
    project.git("clone", "--quiet", "--depth", "1", project.root.as_uri(), str(tmp_path / "clone"))
    shutil.copytree(project.root / ".dvc" / "remote", tmp_path / "clone" / ".dvc" / "remote")
    assert not [fault for fault in RegistryProject(tmp_path / "clone").faults() if "its commit" in fault.what]
