"""A side from what ``dvc.lock`` binds: of another revision, or of a version, its outputs brought from DVC by their hashes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.comparison.side import CONTRACT, EVALUATION, FIGURES, SERVED, Side
from pipelines.gates import PREDICTIONS, TRAINING_SET
from watertight.core.errors import Misuse, WatertightError
from watertight.core.project import Project, Workload
from watertight.registry.objects import Objects
from watertight.registry.records import LockedStage, Stored


def locked_side(side: Side, stages: Mapping[str, LockedStage], objects: Objects, folder: Path) -> Side:
    """``side`` with its outputs in ``folder``: those that a comparison reads and no other file of theirs.

    Its ``absent`` says of each that neither the cache nor the remote has, and of each that no stage made, why.
    """
    work = Workload(Project(folder), side.work.name, side.work.params)
    absent: dict[str, str] = {}
    for place in map(lambda found: found.relative_to(folder).as_posix(), _read(work)):
        try:
            _lay(place, stages, objects, folder)
        except WatertightError as error:
            absent[place] = error.what
    return Side(side.name, side.cell, side.params, work, side.revision, absent)


def _read(work: Workload) -> Iterator[Path]:
    """Every file that a comparison reads of a side."""
    yield from (work.data(*parts) for parts in (TRAINING_SET, SERVED, CONTRACT))
    yield from (work.artifacts(*parts) for parts in (PREDICTIONS, EVALUATION, FIGURES))


def _lay(place: str, stages: Mapping[str, LockedStage], objects: Objects, folder: Path) -> None:
    stored = _stored(place, stages, objects)
    objects.fetch(stored)
    objects.write(stored, folder / place)


def _stored(place: str, stages: Mapping[str, LockedStage], objects: Objects) -> Stored:
    """The file at ``place``, which is an output or in one."""
    outs: dict[str, Any] = {out: stored for stage in stages.values() for out, stored in stage.outs.items()}
    within = next((out for out in outs if place == out or place.startswith(f"{out}/")), "")
    if place in outs:
        return outs[place]  # type: ignore[no-any-return]
    files = objects.files(outs[within]) if within else {}
    name = place.removeprefix(f"{within}/")
    if name not in files:
        raise Misuse("its dvc.lock has no such output")
    return Stored(md5=files[name], size=0)
