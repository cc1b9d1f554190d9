"""promote: a candidate becomes the version that holds a stage, if the evidence holds; one commit says so, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.gates import TRAINING_SET
from pipelines.looks import kept, look_at, predicted, record, test_rows
from pipelines.promotion.beside import Beside, baseline, champion
from pipelines.promotion.candidate import Candidate, candidate_of
from pipelines.promotion.judged import judged
from pipelines.promotion.predictions import of_cell
from pipelines.promotion.proofs import NEVER_OVERRIDDEN, proofs, uncompared
from pipelines.promotion.record import facts
from pipelines.promotion.tree import demand_committed, uncommitted_looks
from pipelines.score import demand_fitted_on
from watertight.core.declare import nearest
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Project
from watertight.core.tables import read_table
from watertight.evaluation.known_metrics import demand_known_metrics
from watertight.inference.latency import latency
from watertight.inference.loaded import Loaded
from watertight.registry.bumps import next_version
from watertight.registry.gate_text import gate_lines
from watertight.registry.history import Registry
from watertight.registry.objects import Objects
from watertight.registry.records import Evidence, GateResult, Stored, VersionRecord
from watertight.registry.repository import commit, person
from watertight.registry.tags import write_tags

Look = dict[str, Any]


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


@dataclass(frozen=True)
class Judged:
    """What a candidate's gates answered, its look at the test sets (empty where it came not so far), what it was set beside."""

    gates: tuple[GateResult, ...]
    look: Look
    beside: str = ""
    looks: Mapping[str, str] = field(default_factory=dict)

    @property
    def against(self) -> list[GateResult]:
        """What does not speak for it; skipped is not pass."""
        return [gate for gate in self.gates if gate.status != "pass"]


def promote(project: Project, asked: Asked) -> dict[str, Any]:
    """Judge the candidate and, if nothing speaks against it, record version and event, and commit them.

    What decides, gates, slices and stages, is declared in the working tree's ``params.yaml``, which is as committed: an
    experiment cannot loosen it. The test sets are looked at only by a candidate that has proven what it is made of; the look is
    recorded whatever comes of it. Raises Misuse for a stage, revision or workload that there is not, NotPromoted where a gate
    refuses.
    """
    work = project.workload(asked.name)
    demand_known_metrics(work)
    policy = work.params.gates
    if asked.stage not in policy.stages:
        raise Misuse(f"no stage is called {asked.stage!r}; {nearest(asked.stage, policy.stages)}", expected="one of gates.stages")
    demand_committed(project)
    registry = Registry(project.root, asked.name)
    objects = Objects(project.root)
    with candidate_of(project, asked.name, asked.revision, objects) as candidate:
        _demand_new(registry, candidate, asked)
        if asked.push:
            objects.push(candidate.stored)
        told = _judged(project, registry, candidate, asked, objects)
        _demand_overridden(told, asked)
        version = _version(registry, candidate, told.look)
        # The training set proves later that the champion has not seen a test row.
        objects.push(Stored(**told.look["predictions"]), candidate.out("data/{}/training_set"))
        return _recorded(project, registry, version, told, asked)


def _judged(project: Project, registry: Registry, candidate: Candidate, asked: Asked, objects: Objects) -> Judged:
    proven = tuple(proofs(candidate, objects))
    if not any(gate.gate in NEVER_OVERRIDDEN and gate.status != "pass" for gate in proven):
        proven += tuple(uncompared(candidate, project.workload(asked.name).params.gates))
    if any(gate.status != "pass" and (gate.gate in NEVER_OVERRIDDEN or not asked.reason) for gate in proven):
        return Judged(proven, {})
    table = read_table(candidate.work.data(*TRAINING_SET))
    places = candidate.bundle.places()
    demand_fitted_on([model for model, _ in places], table)
    rows, cell = test_rows(table), candidate.bundle.manifest.cell
    told = predicted(places, rows).filter(pl.col("cell") == cell)
    look = look_at(candidate.work, candidate.bundle, rows, places, told)
    look["predictions"] = kept(project.root, told, cell)
    place = record(project, asked.name, look)
    measured = {"latency_ms": latency(Loaded(candidate.bundle), rows).median, "size_mb": candidate.stored.size / 1e6}
    policy, looks = project.workload(asked.name).params, {"candidate": place.stem}
    # A first version has no users yet whose slice it could make worse.
    asks = policy.gates if asked.stage in registry.holders() else policy.gates.model_copy(update={"slices": None})
    try:
        beside = _beside(project, registry, candidate, rows, look, asked, objects)
        targets = candidate.work.contract.targets
        gates = judged(rows, of_cell(told, cell), beside.predictions, targets, policy.evaluate, asks, measured)
    except Refusal as error:
        missing = GateResult(gate="rows", status="fail", told=f"{error.what}; {error.next_step}")
        return Judged((*proven, missing), look, looks=looks)
    return Judged((*proven, *gates), look, beside.name, looks | ({"champion": beside.look} if beside.look else {}))


def _beside(
    project: Project, registry: Registry, candidate: Candidate, rows: pl.DataFrame, look: Look, asked: Asked, objects: Objects
) -> Beside:
    """The champion, and a baseline for targets that it does not have."""
    held = registry.holders().get(asked.stage)
    if held is None:
        return baseline(candidate, rows, candidate.targets)
    found = champion(project, registry.version(held.version), look, asked.stage, objects)
    new = [name for name in candidate.targets if name not in found.predictions["target"].unique().to_list()]
    return found.with_(baseline(candidate, rows, new)) if new else found


def _demand_overridden(told: Judged, asked: Asked) -> None:
    """Raise NotPromoted where a gate refuses, unless it may be overridden and is."""
    never = [gate for gate in told.against if gate.gate in NEVER_OVERRIDDEN]
    if not told.against or (asked.reason and not never):
        return
    lines = "\n".join(gate_lines(told.against))
    beside = f", beside {told.beside}" if told.beside else ""
    raise NotPromoted(
        f"{asked.revision} is not promoted to {asked.stage}{beside}: {len(told.against)} gate(s) refused\n{lines}",
        {"promoted": False, "model": asked.name, "stage": asked.stage, **_evidence(told).model_dump(mode="json")},
        expected="every gate of params.yaml and every proof to pass",
        next_step="a better candidate" if never else "a better candidate, or --force --reason WHY, which is recorded",
    )


def _line(gate: GateResult) -> str:
    return f"{' '.join(part for part in (gate.gate, gate.target, gate.part) if part)} ({gate.status}): {gate.told}"


def _demand_new(registry: Registry, candidate: Candidate, asked: Asked) -> None:
    """Raise Misuse where the candidate holds the stage already."""
    held = registry.holders().get(asked.stage)
    if held and registry.version(held.version).bundle.md5 == candidate.stored.md5:
        raise Misuse(f"{asked.name} {held.version} is this very bundle, and holds {asked.stage} already")


def _version(registry: Registry, candidate: Candidate, look: Look) -> VersionRecord:
    """The record of the version that the candidate is, or would be."""
    found = facts(candidate, look)
    version, because = next_version(registry, found)
    return registry.version(version) if version in registry.versions() else found.numbered(version, because)


def _recorded(project: Project, registry: Registry, version: VersionRecord, told: Judged, asked: Asked) -> dict[str, Any]:
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
                by=person(project.root),
                stage=asked.stage,
                reason=asked.reason,
                overridden=overridden,
                evidence=_evidence(told),
            )
        )
        revision = commit(
            project.root,
            [*written, *uncommitted_looks(project, asked.name)],
            f"promote {asked.name} {version.version} to {asked.stage}",
        )
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    tags = write_tags(registry) if asked.tag else []
    return {
        "promoted": True,
        "model": asked.name,
        "version": version.version,
        "stage": asked.stage,
        "because": list(version.because),
        "commit": revision,
        "tags": tags,
        **_evidence(told).model_dump(mode="json"),
    }


def _evidence(told: Judged) -> Evidence:
    return Evidence(champion=told.beside, looks=dict(told.looks), gates=told.gates)
