"""promote: a candidate becomes the version that holds a stage, if the evidence holds; one commit says so, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.promotion.candidate import Candidate, candidate_of
from pipelines.promotion.judging import Case, Judged
from pipelines.promotion.record import facts
from pipelines.promotion.tree import demand_committed, uncommitted_looks
from watertight.core.declare import nearest
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Project
from watertight.core.workload import WorkloadParams
from watertight.evaluation.known_metrics import demand_known_metrics
from watertight.registry.bumps import next_version
from watertight.registry.gate_text import gate_lines
from watertight.registry.history import Registry
from watertight.registry.objects import Objects
from watertight.registry.records import GateResult, Stored, VersionRecord
from watertight.registry.repository import commit, demand_branch, person
from watertight.registry.tags import demand_taggable, write_tags


class NotPromoted(Refusal):
    """A candidate that a gate refused: every reason in its text, ``answer`` for machines."""

    def __init__(self, what: str, answer: Mapping[str, Any], **told: Any) -> None:
        super().__init__(what, **told)
        self.answer = answer


@dataclass(frozen=True)
class Asked:
    """What is to be promoted: ``revision`` of the workload ``name`` to ``stage``. ``reason`` overrides the gates that can be.

    ``tag``: write GTO's tags as well. ``push``: put the bundle on the DVC remote first.
    """

    name: str
    stage: str
    revision: str
    reason: str = ""
    tag: bool = False
    push: bool = False


def promote(project: Project, asked: Asked) -> dict[str, Any]:
    """Judge the candidate and, if nothing speaks against it, record version and event, and commit them.

    What decides, gates, slices, baselines and stages, is declared in the working tree's ``params.yaml``, which is as committed,
    and the candidate's checks must be those of the working tree: an experiment cannot loosen what it is judged by. The test
    sets are looked at only by a candidate that has proven what it is made of; the look is recorded whatever comes of it. Raises
    Misuse for a stage, revision or workload that there is not, NotPromoted where a gate refuses.
    """
    policy, by = _policy(project, asked), person(project.root)
    demand_branch(project.root)
    demand_committed(project)
    registry, objects = Registry(project.root, asked.name), Objects(project.root)
    held = registry.holders().get(asked.stage)
    holding = registry.version(held.version) if held else None
    with candidate_of(project, asked.name, asked.revision, objects) as candidate:
        _demand_new(holding, candidate, asked)
        if asked.push:
            objects.push(candidate.stored)
        told = Case(project, candidate, holding, asked.stage, policy, bool(asked.reason), objects).judged()
        _demand_overridden(told, asked)
        version = _version(registry, candidate, told)
        # The training set proves later that the champion has not seen a test row.
        objects.push(Stored(**told.look["predictions"]), candidate.out("data/{}/training_set"))
        if asked.tag:
            demand_taggable(registry, version, asked.stage)
        return _recorded(project, registry, version, told, asked, by)


def _policy(project: Project, asked: Asked) -> WorkloadParams:
    work = project.workload(asked.name)
    demand_known_metrics(work)
    stages = work.params.gates.stages
    if asked.stage not in stages:
        raise Misuse(f"no stage is called {asked.stage!r}; {nearest(asked.stage, stages)}", expected="one of gates.stages")
    return work.params


def _demand_new(holding: VersionRecord | None, candidate: Candidate, asked: Asked) -> None:
    """Raise Misuse where the candidate holds the stage already."""
    if holding and holding.bundle.md5 == candidate.stored.md5:
        raise Misuse(f"{asked.name} {holding.version} is this very bundle, and holds {asked.stage} already")


def _demand_overridden(told: Judged, asked: Asked) -> None:
    """Raise NotPromoted where a gate refuses, unless it may be overridden and is."""
    if not told.against or (asked.reason and not told.final):
        return
    lines = "\n".join(gate_lines(told.against))
    beside = f", beside {told.beside}" if told.beside else ""
    better = "a better candidate, or --force --reason WHY, which is recorded"
    raise NotPromoted(
        f"{asked.revision} is not promoted to {asked.stage}{beside}: {len(told.against)} gate(s) refused\n{lines}",
        {"promoted": False, "model": asked.name, "stage": asked.stage, **told.evidence.model_dump(mode="json")},
        expected="every gate of params.yaml and every proof to pass",
        next_step="mend what is told, and promote again" if told.final else better,
    )


def _version(registry: Registry, candidate: Candidate, told: Judged) -> VersionRecord:
    """The record of the version that the candidate is, or would be."""
    found = facts(candidate, told.look)
    version, because = next_version(registry, found)
    return registry.version(version) if version in registry.versions() else found.numbered(version, because)


def _recorded(
    project: Project, registry: Registry, version: VersionRecord, told: Judged, asked: Asked, by: str
) -> dict[str, Any]:
    """Version, event and looks in one commit; nothing is left in the tree where it does not come about."""
    written: list[Path] = []
    overridden = tuple(_line(gate) for gate in told.against)
    try:
        if version.version not in registry.versions():
            written.append(registry.write_version(version))
        written.append(
            registry.append(
                "override" if overridden else "promotion",
                version.version,
                at=datetime.now(UTC),
                by=by,
                stage=asked.stage,
                reason=asked.reason,
                overridden=overridden,
                evidence=told.evidence,
            )
        )
        files = [*written, *uncommitted_looks(project, asked.name)]
        revision = commit(project.root, files, f"promote {asked.name} {version.version} to {asked.stage}")
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return {
        "promoted": True,
        "model": asked.name,
        "version": version.version,
        "stage": asked.stage,
        "because": list(version.because),
        "commit": revision,
        "experiment": version.experiment,
        "tags": write_tags(registry) if asked.tag else [],
        **told.evidence.model_dump(mode="json"),
    }


def _line(gate: GateResult) -> str:
    return f"{' '.join(part for part in (gate.gate, gate.target, gate.part) if part)} ({gate.status}): {gate.told}"
