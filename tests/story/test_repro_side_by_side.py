"""`watertight repro` runs independent stages side by side and leaves what plain `dvc repro` leaves, to the byte."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from project_copies import REPOSITORY, ProjectCopy, clone, copy, dvc, environment

WATERTIGHT = (sys.executable, "-c", "from watertight.cli import app; app()")

STEP = """
import os, sys, time
name, seconds, *read = sys.argv[1:]

def tell(what):
    with open(os.environ["STORY_LOG"], "a") as log:
        log.write(f"{what} {name} {time.monotonic()} {os.getpid()}\\n")

tell("begin")
texts = [open(path).read().strip() for path in read]
for text in texts:
    if text.startswith("end with"):
        print(f"{name} has its reasons", file=sys.stderr)
        sys.exit(int(text.split()[-1]))
time.sleep(float(seconds))
print(f"{name} leaves nothing out")
open(name, "w").write("; ".join(texts) + "\\n")
tell("end")
"""

# Depth first through `last` the order is source, left, right, both, alone, last; `alone` is done long before `right`.
GRAPH = """
stages:
  last:
    cmd: python step.py last 0 both alone
    deps: [both, alone]
    params: [told]
    outs: [last]
  both:
    cmd: |
      python step.py both 0 left right
    deps: [left, right]
    outs: [both: {persist: true}]
  left:
    cmd: python step.py left 0.8 source in/left
    deps: [source, in/left]
    outs: [left]
  right:
    cmd: python step.py right 1.2 source in/right
    deps: [source, in/right]
    outs: [right]
  alone:
    cmd: python step.py alone 0 in/alone
    deps: [in/alone]
    outs: [alone]
  source:
    cmd: python step.py source 0 in/source
    deps: [in/source]
    outs: [source]
"""
PARAMS = f"told: {{long: '{'a sentence that any dumper of YAML has to fold, ' * 4}', nested: [1, {{two: 2.0e-7}}]}}\n"
ORDER = ["source", "left", "right", "both", "alone", "last"]

# Three stages that end together: each waits until all have begun.
CROWD = """
stages:
  one:
    foreach: [a, b, c]
    do:
      cmd: touch begun-${item}; until [ $(ls begun-* | wc -l) = 3 ]; do sleep 0.05; done; echo ${item} > ${item}.txt
      outs: ["${item}.txt"]
"""


def project_of(folder: Path, files: dict[str, str]) -> ProjectCopy:
    extra = {"PYTHONPATH": str(REPOSITORY), "STORY_LOG": str(folder / "project.story")}
    project = ProjectCopy(folder / "project", environment(folder) | extra)
    for name, text in {**files, ".dvc/config": "", ".dvc/.gitignore": "/tmp\n/cache\n"}.items():
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (project.root / name).write_text(text)
    project.git("init", "--quiet", "--initial-branch", "main")
    project.commit("a small graph")
    return project


def telling(project: ProjectCopy) -> ProjectCopy:
    """The project with a log of its own, outside the graph, in which its stages say when they begin and end."""
    log = project.root.with_suffix(".story")
    log.touch()
    return ProjectCopy(project.root, project.environment | {"STORY_LOG": str(log)})


def repro(project: ProjectCopy, *arguments: str, ends: int = 0) -> tuple[dict[str, Any], str]:
    """Status by stage, and what was told; the run must end with ``ends``."""
    command = [*WATERTIGHT, "repro", "--json", *arguments]
    done = subprocess.run(
        command, cwd=project.root, env=project.environment, text=True, capture_output=True, check=False, timeout=90
    )
    assert done.returncode == ends, done.stderr
    outcomes = json.loads(done.stdout) if done.stdout else []
    assert all(set(outcome) == {"stage", "status", "seconds"} for outcome in outcomes)
    assert all((outcome["seconds"] is None) <= (outcome["status"] in ("unchanged", "not run")) for outcome in outcomes)
    return {outcome["stage"]: outcome["status"] for outcome in outcomes}, done.stderr


def story(project: ProjectCopy) -> list[list[str]]:
    return [line.split() for line in Path(project.environment["STORY_LOG"]).read_text().splitlines()]


def most_at_once(project: ProjectCopy) -> int:
    running = most = 0
    for what, *_ in sorted(story(project), key=lambda line: float(line[2])):
        running += 1 if what == "begin" else -1
        most = max(most, running)
    return most


def left_by(project: ProjectCopy) -> dict[str, bytes]:
    """All files but git's, DVC's cache and the log."""
    files = [path for path in project.root.rglob("*") if path.is_file() and not {".git", ".dvc"} & set(path.parts)]
    return {path.relative_to(project.root).as_posix(): path.read_bytes() for path in files}


def write(project: ProjectCopy, name: str, text: str) -> None:
    (project.root / name).write_text(text)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """The graph, committed, nothing built."""
    inputs = {f"in/{name}": f"{name}\n" for name in ("source", "left", "right", "alone")}
    return project_of(tmp_path_factory.mktemp("small"), {"dvc.yaml": GRAPH, "params.yaml": PARAMS, "step.py": STEP, **inputs})


@pytest.fixture(scope="module")
def both_ways(small: ProjectCopy, tmp_path_factory: pytest.TempPathFactory) -> tuple[ProjectCopy, ProjectCopy]:
    """Built from a fresh clone by plain `dvc repro`, and by `watertight repro`. Not to be changed."""
    folder = tmp_path_factory.mktemp("both")
    plain, beside = (telling(clone(small, folder / name)) for name in ("plain", "beside"))
    reference = plain.start(*dvc("repro"))
    statuses, _ = repro(beside, "-j", "2")
    assert reference.wait() == 0, plain.log.read_text()
    assert statuses == dict.fromkeys(ORDER, "ran")
    return plain, beside


def test_a_fresh_clone_is_left_as_dvc_leaves_it(both_ways: tuple[ProjectCopy, ProjectCopy]) -> None:
    plain, beside = both_ways
    assert left_by(beside) == left_by(plain)
    assert list(beside.lock()) == ORDER
    assert {"dvc.lock", ".gitignore", "last"} <= set(left_by(beside))


def test_no_more_stages_run_at_once_than_allowed(both_ways: tuple[ProjectCopy, ProjectCopy]) -> None:
    plain, beside = both_ways
    assert most_at_once(plain) == 1
    assert most_at_once(beside) <= 2
    ended = [name for what, name, *_ in story(beside) if what == "end"]
    assert ended.index("alone") < ended.index("right"), "the stages ended in the order of the lock, which proves nothing"


def test_a_second_run_starts_nothing(both_ways: tuple[ProjectCopy, ProjectCopy]) -> None:
    _, beside = both_ways
    before = left_by(beside), story(beside)
    statuses, told = repro(ProjectCopy(beside.root / "in", beside.environment))  # from a folder inside the project
    assert statuses == dict.fromkeys(ORDER, "unchanged")
    assert told.splitlines() == [f"[{place}/6] {name}: unchanged" for place, name in enumerate(ORDER, 1)]
    assert (left_by(beside), story(beside)) == before


def test_on_a_committed_lock_only_what_changed_runs(both_ways: tuple[ProjectCopy, ProjectCopy], tmp_path: Path) -> None:
    plain, beside = (telling(copy(project, tmp_path / project.root.name)) for project in both_ways)
    for project in (plain, beside):
        project.commit("built")
        write(project, "in/left", "left \n")  # the output of `left` stays as it is
        write(project, "in/alone", "quite alone\n")
        write(project, "dvc.yaml", GRAPH + "  late: {cmd: python step.py late 0, outs: [late]}\n")
    reference = plain.start(*dvc("repro"))
    statuses, told = repro(beside, "-j", "3")
    assert reference.wait() == 0, plain.log.read_text()
    assert statuses == {
        **{"source": "unchanged", "left": "ran", "right": "unchanged", "both": "unchanged"},
        **{"alone": "ran", "last": "ran", "late": "ran"},
    }
    assert left_by(beside) == left_by(plain)
    assert [name for what, name, *_ in story(beside) if what == "begin"].count("both") == 0
    assert "left leaves nothing out" in told


@pytest.fixture
def built(both_ways: tuple[ProjectCopy, ProjectCopy], tmp_path: Path) -> ProjectCopy:
    """A copy of what `watertight repro` built."""
    return telling(copy(both_ways[1], tmp_path / "project"))


def test_targets_run_with_what_they_read_one_by_one_if_so_asked(built: ProjectCopy) -> None:
    for name in ("left", "right", "alone"):
        write(built, f"in/{name}", f"{name} again\n")
    statuses, _ = repro(built, "-j", "1", "left", "alone")
    assert statuses == {"source": "unchanged", "left": "ran", "alone": "ran"}
    assert most_at_once(built) == 1
    assert (built.root / "right").read_text() == "source; right\n"


def test_a_failure_stops_what_depends_on_it_and_starts_nothing_new(built: ProjectCopy) -> None:
    before = built.lock()
    for name, text in {"left": "end with 3\n", "right": "right again\n", "alone": "late\n"}.items():
        write(built, f"in/{name}", text)
    statuses, told = repro(built, "-j", "2", ends=1)
    assert statuses == {
        **{"source": "unchanged", "left": "failed", "right": "ran"},
        **{"both": "not run", "alone": "not run", "last": "not run"},
    }
    assert "left has its reasons\n" in told
    assert "exited with 3" in told
    assert {name for name, entry in built.lock().items() if entry != before[name]} == {"right"}
    assert (built.root / "right").read_text() == "source; right again\n"


def test_independent_stages_run_at_once_and_the_entries_of_all_are_kept(tmp_path: Path) -> None:
    project = project_of(tmp_path, {"dvc.yaml": CROWD})
    statuses, _ = repro(project, "-j", "3")
    assert statuses == {f"one@{item}": "ran" for item in "abc"}
    assert list(project.lock()) == list(statuses)


def test_a_misused_stage_is_told_from_one_that_refused(built: ProjectCopy) -> None:
    write(built, "in/alone", "end with 2\n")
    assert repro(built, "alone", ends=2)[0] == {"alone": "failed"}


def interrupted(project: ProjectCopy, number: signal.Signals) -> int:
    """Send a signal to a run while a stage runs, to it alone: it has to pass it on. The process id of that stage."""
    before = len(story(project))
    process = project.start(*WATERTIGHT, "repro", "-j", "2")
    until = time.monotonic() + 20
    while len(story(project)) == before:
        assert time.monotonic() < until, project.log.read_text()
        time.sleep(0.05)
    os.kill(process.pid, number)
    assert process.wait(timeout=8) == 130
    assert "Traceback" not in project.log.read_text()
    return int(story(project)[-1][3])


def test_an_interrupted_run_ends_its_stages_and_can_be_taken_up(built: ProjectCopy) -> None:
    write(built, "in/right", "right again\n")
    write(built, "dvc.yaml", GRAPH.replace("right 1.2", "right 60"))
    stages = [interrupted(built, number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert not any(Path(f"/proc/{pid}").exists() for pid in stages)
    write(built, "dvc.yaml", GRAPH)
    assert repro(built, "right")[0] == {"source": "unchanged", "right": "ran"}


def test_what_dvc_cannot_make_out_is_misuse(built: ProjectCopy) -> None:
    _, told = repro(built, "lefft", ends=2)
    assert re.match(r"repro: .*lefft", told)
    assert "Traceback" not in told
    assert story(built) == []
