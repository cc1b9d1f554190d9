"""Metrics that the gates of ``params.yaml`` name, and that no target has."""

from __future__ import annotations

from collections.abc import Iterator

from watertight.core.declare import nearest
from watertight.core.errors import Misuse
from watertight.core.known_names import contracts
from watertight.core.project import Workload
from watertight.core.workload import GatesParams, MetricGate
from watertight.evaluation.metrics import Metric, metrics_declared, ranked_names

LEVEL = "neither lower nor higher is better: declare at_least and at_most"
NO_BANK = "a promotion has no queries of its own that were known before; its gates are of figures without this correction"
NOT_SMOOTH = "no test of a difference holds for it: declare at_least or at_most, and better_by of another metric"


def demand_known_metrics(work: Workload) -> None:
    """Raise one Misuse for all gates of metrics that none of their targets has, and for a ``better_by`` that means nothing.

    A target of another source of the workload is no mistake.
    """
    faults = [fault for metric, gate in work.params.gates.metrics.items() for fault in _faults(work, metric, gate)]
    if faults:
        raise Misuse(
            f"params.yaml, section {work.name!r}, has gates that nothing can pass\n"
            + "\n".join(f"  - {line}" for line in faults),
            workload=work.name,
            expected="metrics of the targets that are trained, with better_by where one direction is better",
        )


def _faults(work: Workload, metric: str, gate: MetricGate) -> Iterator[str]:
    kinds = {name: _kinds(work, name) for name in gate.targets or work.params.train.targets}
    metrics = {kind: metrics_declared(kind, work.params.evaluate) for every in kinds.values() for kind in every}
    known = {name for named in metrics.values() for name in named}
    if metric not in known:
        yield f"gates.{metric}: no metric of {', '.join(kinds)}; {nearest(metric, {*known, *GatesParams.model_fields})}"
        return
    if metric in ranked_names(name for name, one in work.params.evaluate.corrections.items() if one.bank == "inductive"):
        yield f"gates.{metric}: {NO_BANK}"
        return
    having = {kind for kind, named in metrics.items() if metric in named}
    lacking = [name for name, every in kinds.items() if not every & having]
    if gate.targets and lacking:
        yield f"gates.{metric}.targets: {', '.join(lacking)} of kind {', '.join(sorted(kinds[lacking[0]]))} has no such metric"
    if gate.better_by is not None:
        yield from (
            f"gates.{metric}.better_by: {why}"
            for why in dict.fromkeys(_untested(metrics[kind][metric]) for kind in having)
            if why
        )


def _untested(metric: Metric) -> str:
    return LEVEL if metric.better == "level" else "" if metric.smooth else NOT_SMOOTH


def _kinds(work: Workload, target: str) -> set[str]:
    """The kinds that the sources of the workload give a target; one, as a rule."""
    return {contract.targets[target].kind for contract in contracts(work) if target in contract.targets}
