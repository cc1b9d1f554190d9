"""The candidate as it was committed: a tree of its revision, with the outputs that its ``dvc.lock`` names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from watertight.core.digests import file_digest
from watertight.core.errors import Refusal
from watertight.core.project import Project, Workload
from watertight.registry.bundle import MANIFEST, Bundle, open_bundle
from watertight.registry.objects import Objects
from watertight.registry.records import LockedStage, Stored
from watertight.registry.revisions import Revision, checkout, resolve, stages_of

BUNDLE, TRAIN = "artifacts/{}/bundle", "artifacts/{}/train"
READ = ("data/{}/split", "data/{}/training_set", "artifacts/{}/guard", TRAIN, "artifacts/{}/evaluate", BUNDLE)
"""The outputs that a promotion reads whole."""
CHECKED, VERDICT = "data/{}/checked", "verdict.json"


@dataclass(frozen=True)
class Candidate:
    """A revision's workload in a tree of its own; ``stages`` as its ``dvc.lock`` binds them, by name without the workload.

    ``project`` is the working tree that it is to be promoted in.
    """

    project: Project
    found: Revision
    work: Workload
    stages: Mapping[str, LockedStage] = field(repr=False)

    @property
    def tree(self) -> Path:
        """The root of the tree."""
        return self.work.project.root

    @property
    def stored(self) -> Stored:
        """The bundle, as DVC keeps it."""
        return self.out(BUNDLE)

    def out(self, place: str) -> Stored:
        """An output of the workload, whose name stands for ``{}``; raises what ``out_of`` raises."""
        return out_of(self.stages, place.format(self.work.name))

    @cached_property
    def bundle(self) -> Bundle:
        """The bundle; raises Refusal where a file is not what its manifest says."""
        return open_bundle(self.tree / BUNDLE.format(self.work.name))

    @property
    def targets(self) -> list[str]:
        """The targets that the bundle's cell predicts."""
        manifest = self.bundle.manifest
        return list(dict.fromkeys(model.target for model in manifest.models if model.cell == manifest.cell))

    @cached_property
    def manifest(self) -> str:
        """sha256 of the bundle's manifest."""
        return file_digest(self.bundle.folder / MANIFEST)


@contextmanager
def candidate_of(project: Project, name: str, revision: str, objects: Objects) -> Iterator[Candidate]:
    """The workload ``name`` as of ``revision`` (a commit, a branch, an experiment), until the context ends.

    Raises Misuse where there is no such revision or workload, Refusal where ``dvc.lock`` does not name an output that is read, or
    where neither the cache nor the remote has it.
    """
    found = resolve(project.root, revision)
    with checkout(project.root, found.commit) as tree:
        work, stages = Project(tree).workload(name), stages_of(tree, name)
        for place in (place.format(name) for place in READ):
            _written(objects, out_of(stages, place), tree / place)
        _written(objects, _checked(objects, out_of(stages, CHECKED.format(name))), tree / CHECKED.format(name) / VERDICT)
        yield Candidate(project, found, work, stages)


def _written(objects: Objects, stored: Stored, to: Path) -> None:
    objects.fetch(stored)
    objects.write(stored, to)


def _checked(objects: Objects, folder: Stored) -> Stored:
    """The verdict on the rows, without the rows."""
    return Stored(md5=objects.files(folder)[VERDICT], size=0)


def out_of(stages: Mapping[str, LockedStage], place: str) -> Stored:
    """The output at ``place``; raises Refusal where no stage of the lock made it."""
    for stage in stages.values():
        if place in stage.outs:
            return stage.outs[place]
    raise Refusal(
        f"dvc.lock does not say what {place} is",
        expected="a lock of a whole run",
        next_step="dvc repro, and commit dvc.lock",
    )
