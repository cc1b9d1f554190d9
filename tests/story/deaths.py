"""Builds that are killed: one stage after the other, each at a moment of its own."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from project_copies import ProjectCopy, dvc

DYING = Path(__file__).parent / "dying"
DEATHS = {
    "ingest": "open data/toy_pair/.rows.draft/",
    "check": "os.rename data/toy_pair/.checked.draft",
    "split": "os.rename data/toy_pair/.split.draft",
    "featurize": "open data/toy_pair/.features.draft/",
    "join": "open data/toy_pair/.training_set.draft/",
    "guard": "os.rename artifacts/toy_pair/.guard.draft",
    "train": "open artifacts/toy_pair/.train.draft/models/",
    "evaluate": "os.rename artifacts/toy_pair/.metrics.json.draft",
    "register": "open artifacts/toy_pair/.bundle.draft/models/",
    "materialize": "open data/toy_pair/.online.draft/",
    "report": "os.rename artifacts/toy_pair/.report.draft",
}
"""Per stage, the event at which it dies; all come after a part of the output is written."""


@dataclass(frozen=True)
class Death:
    """How a build ended, what it had said, which drafts and which final outputs of the stage were there then."""

    status: int
    output: str
    drafts: list[str]
    in_place: bool
    locked: bool


def killed(project: ProjectCopy, stage: str) -> Death:
    """``dvc repro`` up to a stage, the whole process group killed at the stage's moment."""
    process = project.start(*dvc("repro", f"{stage}@toy_pair"), PYTHONPATH=str(DYING), DIE_AT=DEATHS[stage])
    status = process.wait()
    output = project.log.read_text()
    lock = project.root / "dvc.lock"
    locked = lock.exists() and f"{stage}@toy_pair" in project.lock()
    return Death(status, output, project.leftovers(), _in_place(project, stage), locked)


def killed_after(events: str, passed: int, work: Callable[[], None]) -> bool:
    """Do ``work`` in a forked process that dies at one of ``events`` after letting ``passed`` pass; whether it died."""
    process = multiprocessing.get_context("fork").Process(target=_die_at, args=(events, passed, work))
    process.start()
    process.join()
    return process.exitcode == -signal.SIGKILL


def _die_at(events: str, passed: int, work: Callable[[], None]) -> None:
    os.setpgid(0, 0)
    os.environ |= {"DIE_AT": events, "DIE_AFTER": str(passed)}
    runpy.run_path(str(DYING / "sitecustomize.py"))
    work()


def _in_place(project: ProjectCopy, stage: str) -> bool:
    final = project.root / DEATHS[stage].split()[1].partition(".draft")[0].replace("/.", "/")
    return final.exists()
