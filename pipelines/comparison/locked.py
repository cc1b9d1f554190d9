"""A side from what ``dvc.lock`` binds: of another revision, or of a version, its outputs brought from DVC by their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.comparison.side import CONTRACT, EVALUATION, FIGURES, SERVED, Side
from pipelines.gates import PREDICTIONS, TRAINING_SET
from watertight.core.errors import Misuse, Refusal
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
        except Misuse as error:
            absent[place] = f"it is not in DVC's cache, and {error.what}"
        except Refusal as error:
            absent[place] = error.what
    return replace(side, work=work, absent=absent)


def strays(work: Workload, stages: Mapping[str, LockedStage], objects: Objects) -> list[str]:
    """Those outputs of the working tree that a comparison reads and that are not what ``stages`` made."""
    there = [path for path in _read(work) if path.is_file()]
    places = {path.relative_to(work.project.root).as_posix(): path for path in there}
    return [place for place, path in places.items() if _stored(place, stages, objects).md5 != _md5(path)]


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()


def _read(work: Workload) -> Iterator[Path]:
    """Every file that a comparison reads of a side."""
    yield from (work.data(*parts) for parts in (TRAINING_SET, SERVED, CONTRACT))
    yield from (work.artifacts(*parts) for parts in (PREDICTIONS, EVALUATION, FIGURES))


def _lay(place: str, stages: Mapping[str, LockedStage], objects: Objects, folder: Path) -> None:
    stored = _stored(place, stages, objects)
    objects.fetch(stored)
    objects.write(stored, folder / place)


def _stored(place: str, stages: Mapping[str, LockedStage], objects: Objects) -> Stored:
    """The file at ``place``, in the folder that is an output."""
    outs = {out: stored for stage in stages.values() for out, stored in stage.outs.items()}
    within = next((out for out in outs if place.startswith(f"{out}/")), "")
    files = objects.files(outs[within]) if within else {}
    name = place.removeprefix(f"{within}/")
    if name not in files:
        raise Refusal("its dvc.lock has no such output")
    return Stored(md5=files[name], size=0)
