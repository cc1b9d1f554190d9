"""The sides that a command line names: cells, versions, revisions, experiments, or the working tree as it stands."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.comparison.locked import locked_side, strays
from pipelines.comparison.side import Side
from watertight.core.declare import nearest, read_yaml
from watertight.core.errors import Misuse, WatertightError
from watertight.core.project import MARK, Project, Workload
from watertight.registry.binding import unbound
from watertight.registry.history import parse_selector, registry_of
from watertight.registry.objects import Objects
from watertight.registry.repository import succeeds
from watertight.registry.revisions import Revision, checkout, resolve, stages_of

WORKSPACE = "workspace"
OF_A_VERSION = ("@", "#")
LAST_READ = "evaluate"
"""The last stage whose outputs are compared."""
FORMS = "MODEL@VERSION MODEL#STAGE, or WORKLOAD ONE OTHER: a cell, @VERSION, #STAGE, a revision, an experiment, or workspace"


@dataclass(frozen=True)
class Asked:
    """What is to be compared: ``one`` less ``other``, by what the working tree declares for ``work``."""

    work: Workload
    one: Side
    other: Side
    notes: tuple[str, ...]


def names_of(words: Sequence[str]) -> tuple[str, str, str]:
    """The workload and the names of both sides: three words as they are, or two that select versions of one model."""
    if len(words) == 3:
        return words[0], words[1], words[2]
    models = {parse_selector(word)[0] for word in words}
    if len(words) != 2 or len(models) != 1:
        raise Misuse(f"{' '.join(words)!r} names no two sides of one model", expected=FORMS)
    model = models.pop()
    one, other = (word.removeprefix(model) for word in words)
    return model, one, other


@contextmanager
def asked(project: Project, words: Sequence[str]) -> Iterator[Asked]:
    """The sides that ``words`` name, while the outputs of those that are not of the working tree lie in a temporary folder.

    Where a name is both, a cell goes before a revision, and ``notes`` say so; they say too where a side's outputs are not those
    of its params, code and data. Raises Misuse for a name that is nothing.
    """
    workload, *names = names_of(words)
    work = project.workload(workload)
    with tempfile.TemporaryDirectory(prefix="watertight-sides-") as folder:
        found = [_side(work, name, Path(folder, str(number))) for number, name in enumerate(names)]
        (one, _), (other, _) = found
        yield Asked(work, one, other, tuple(dict.fromkeys(note for _, notes in found for note in notes)))


def _side(work: Workload, name: str, folder: Path) -> tuple[Side, list[str]]:
    here = Side(name, name, work.project.params[work.name], work)
    if name in work.params.train.cells:
        return here, _also_a_revision(work, name)
    if name == WORKSPACE:
        return replace(here, cell=work.params.register_.cell), _workspace_faults(work)
    if not name or name.startswith(OF_A_VERSION):
        return _version(work, name, folder), []
    return _revision(work, name, _resolved(work, name), folder)


def _also_a_revision(work: Workload, name: str) -> list[str]:
    try:
        found = _resolved(work, name).commit
    except Misuse:
        return []
    return [f"{name!r} is a cell and a revision; the cell was taken (the revision is {found[:12]})"]


def _resolved(work: Workload, name: str) -> Revision:
    hint = f"nor is a cell: {nearest(name, work.params.train.cells)}"
    if not succeeds(work.project.root, "rev-parse", "--git-dir"):
        raise Misuse(f"no version is called {name!r}, {hint}; there are no revisions without git", expected=FORMS)
    try:
        return resolve(work.project.root, name)
    except Misuse as error:
        raise Misuse(f"{error.what}; {hint}", expected=FORMS, next_step=error.next_step) from error


def _version(work: Workload, name: str, folder: Path) -> Side:
    _, version, stage = parse_selector(f"{work.name}{name}")
    record = registry_of(work.project.root, work.name).resolve(version, stage)
    side = Side(f"{work.name}@{record.version}", record.cell, record.params, work, record.revision)
    return locked_side(side, record.stages, Objects(work.project.root), folder)


def _revision(work: Workload, name: str, found: Revision, folder: Path) -> tuple[Side, list[str]]:
    objects = Objects(work.project.root)
    with checkout(work.project.root, found.commit) as tree:
        section = read_yaml(tree / MARK).get(work.name)
        if not section:
            raise Misuse(f"{name} has no workload {work.name!r}", expected=f"a section of that name in its {MARK}")
        stages, notes = stages_of(tree, work.name), _faults(name, tree, work, objects)
    side = Side(name, section["register"]["cell"], section, work, found.commit)
    return locked_side(side, stages, objects, folder), notes


def _workspace_faults(work: Workload) -> list[str]:
    """What DVC would run again, or check out; nothing where it knows of no run."""
    root = work.project.root
    if not (root / "dvc.lock").is_file():
        return []
    objects = Objects(root)
    notes = _faults(WORKSPACE, root, work, objects)
    with suppress(WatertightError):  # What the cache lacks cannot be compared with the working tree; unbound has said so.
        edited = strays(work, stages_of(root, work.name), objects)
        notes += [f"{WORKSPACE}: not what dvc.lock says: {', '.join(edited)}"] if edited else []
    return notes


def _faults(name: str, tree: Path, work: Workload, objects: Objects) -> list[str]:
    """That a side's outputs are not those of what it declares, with the first reason."""
    try:
        faults = unbound(tree, work.name, LAST_READ, objects)
    except WatertightError as error:
        return [f"{name}: nobody knows whether its outputs are those of its own params, code and data: {error.what}"]
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    return [f"{name}: its outputs are not those of its own params, code and data: {faults[0]}{more}"] if faults else []
