"""What speaks for a candidate and against it: its proofs, then its answers on the test rows beside the champion's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipelines.gates import TRAINING_SET
from pipelines.looks import kept, look_at, predicted, record, test_rows
from pipelines.promotion.beside import Beside, baseline, champion
from pipelines.promotion.candidate import Candidate
from pipelines.promotion.judged import judged
from pipelines.promotion.predictions import of_cell
from pipelines.promotion.proofs import NEVER_OVERRIDDEN, proofs, uncompared
from pipelines.score import bank_of, demand_fitted_on
from watertight.core.errors import Refusal
from watertight.core.project import Project
from watertight.core.tables import read_table
from watertight.core.workload import WorkloadParams
from watertight.inference.latency import latency
from watertight.inference.loaded import Loaded
from watertight.registry.objects import Objects
from watertight.registry.records import Evidence, GateResult, VersionRecord

Look = dict[str, Any]


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

    @property
    def final(self) -> list[GateResult]:
        """What speaks against it and no reason overrides."""
        return [gate for gate in self.against if gate.gate in NEVER_OVERRIDDEN]

    @property
    def evidence(self) -> Evidence:
        """What an event keeps of it."""
        return Evidence(champion=self.beside, looks=dict(self.looks), gates=self.gates)


@dataclass(frozen=True)
class Case:
    """A candidate before its judges: ``held`` is the version in the ``stage``, null where there is none.

    ``policy``: the workload's section in the working tree, which is as committed. ``overriding``: some gates may be overridden.
    """

    project: Project
    candidate: Candidate
    held: VersionRecord | None
    stage: str
    policy: WorkloadParams
    overriding: bool
    objects: Objects

    def judged(self) -> Judged:
        """The test sets are looked at only where the proofs hold; the look is recorded, whatever comes of it."""
        proven = tuple(self._proven())
        if any(gate.status != "pass" and (gate.gate in NEVER_OVERRIDDEN or not self.overriding) for gate in proven):
            return Judged(proven, {})
        rows, told = self._answered()
        work, bundle = self.candidate.work, self.candidate.bundle
        look = look_at(work, bundle, rows, bundle.places(), told, bank_of(work))
        look["predictions"] = kept(self.project.root, told, self._cell)
        looks = {"candidate": record(self.project, self.candidate.work.name, look).stem}
        mine = of_cell(told, self._cell)
        try:
            beside = self._beside(rows, look)
            gates = self._gates(rows, mine, beside.predictions)
        except Refusal as error:
            missing = GateResult(gate="rows", status="fail", told=f"{error.what}; {error.next_step}")
            return Judged((*proven, missing, *self._gates(rows, mine, None)), look, looks=looks)
        return Judged((*proven, *gates), look, beside.name, looks | ({"champion": beside.look} if beside.look else {}))

    @property
    def _cell(self) -> str:
        return self.candidate.bundle.manifest.cell

    def _proven(self) -> Iterator[GateResult]:
        """The proofs and, where there is a bundle to ask, whether every target is compared and none was dropped."""
        proven = list(proofs(self.candidate, self.objects))
        yield from proven
        if all(gate.status == "pass" for gate in proven if gate.gate in NEVER_OVERRIDDEN):
            yield from uncompared(self.candidate, self.policy.gates)
            yield from self._dropped()

    def _dropped(self) -> Iterator[GateResult]:
        for name in self.held.interface.targets if self.held else ():
            if self.held and name not in self.candidate.targets:
                told = f"{self.held.version} predicts it, the candidate does not"
                yield GateResult(gate="compared", target=name, status="fail", told=told)

    def _answered(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The test rows, and what the candidate's cell answers for each."""
        table, places = read_table(self.candidate.work.data(*TRAINING_SET)), self.candidate.bundle.places()
        demand_fitted_on([model for model, _ in places], table)
        rows = test_rows(table)
        return rows, predicted(places, rows).filter(pl.col("cell") == self._cell)

    def _gates(self, rows: pl.DataFrame, mine: pl.DataFrame, theirs: pl.DataFrame | None) -> list[GateResult]:
        bundle, targets = self.candidate.bundle, self.candidate.work.contract.targets
        measured = {"latency_ms": latency(Loaded(bundle), rows).median, "size_mb": self.candidate.stored.size / 1e6}
        # A first version has no users yet whose slice it could make worse.
        gates = self.policy.gates if self.held else self.policy.gates.model_copy(update={"slices": None})
        return judged(rows, mine, theirs, targets, self.policy.evaluate, gates, measured)

    def _beside(self, rows: pl.DataFrame, look: Look) -> Beside:
        """The champion, and a baseline for targets that it does not have."""
        declared, targets = self.policy.evaluate.baselines, self.candidate.targets
        if self.held is None:
            return baseline(self.candidate, declared, rows, targets)
        found = champion(self.project, self.held, look, self.stage, self.objects)
        new = [name for name in targets if name not in found.predictions["target"].unique().to_list()]
        return found.with_(baseline(self.candidate, declared, rows, new)) if new else found
