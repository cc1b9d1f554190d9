"""The gate `slices`: a version that is better on the whole may be worse where it matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipelines.promotion.pair import Pair, drawn_for
from watertight.checks.holm import holm
from watertight.core.workload import GatesParams, IntervalParams, SlicesGate
from watertight.evaluation.paired import Difference
from watertight.evaluation.slices import Slice, slices
from watertight.registry.records import GateResult

GATE = "slices"


@dataclass(frozen=True)
class SliceTest:
    """A slice of a target's rows, in which the candidate may be worse in a metric. ``p``: of its not being worse."""

    metric: str
    pair: Pair
    part: str
    difference: Difference
    p: float


@dataclass
class Family:
    """Those of one metric and target; ``unjudged``: slices of too few groups, and why."""

    metric: str
    target: str
    tests: list[SliceTest] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)


def slices_results(
    pairs: Sequence[Pair], declared: Mapping[str, Sequence[float]], gates: GatesParams, drawn: IntervalParams
) -> list[GateResult]:
    """A result per target and metric that has ``better_by``, and before it one for each slice that is significantly worse.

    The test sets are slices too, where there are several. All tests are one family (Holm 1979): the chance that a version
    which is nowhere worse is refused is at most 1 − confidence. Bounds are those of a slice by itself.
    """
    if gates.slices is None:
        return []
    families = [family for pair in pairs for family in _families(pair, declared, gates, drawn)]
    tests = [test for family in families for test in family.tests]
    p = holm([_sharpened(test, gates.slices, drawn, len(tests)).p for test in tests])
    worse = {id(test): float(one) for test, one in zip(tests, p, strict=True) if one <= 1 - gates.slices.confidence}
    told = [result for family in families for result in _results(family, worse, len(tests), gates.slices)]
    return told or [GateResult(gate=GATE, status="skipped", told="no metric that has better_by could be set beside a champion")]


def _families(pair: Pair, declared: Mapping[str, Sequence[float]], gates: GatesParams, drawn: IntervalParams) -> Iterator[Family]:
    """What is tested of one target."""
    metrics = [name for name, gate in gates.metrics.items() if gate.better_by is not None and pair.has(name, gates)]
    families = {metric: Family(metric, pair.name) for metric in metrics}
    if pair.champion is None:
        return iter(Family(metric, pair.name, unjudged=["all, for there is no champion that predicts it"]) for metric in metrics)
    for found in _parts(pair, declared):
        part, cut = f"{found.column} {found.value}", pair.of(found.rows)
        if cut.groups < gates.min_groups:
            for family in families.values():
                family.unjudged.append(f"{part} ({cut.groups} groups)")
            continue
        for metric, difference in cut.differences(drawn, metrics).items():
            p = difference.p_not_worse(gates.slices.worse_by) if gates.slices else None
            if p is None:
                families[metric].unjudged.append(f"{part} (not defined)")
            else:
                families[metric].tests.append(SliceTest(metric, cut, part, difference, p))
    return iter(families.values())


def _parts(pair: Pair, declared: Mapping[str, Sequence[float]]) -> Iterator[Slice]:
    """The test sets, where there are several, and the declared slices."""
    sets = list(slices(pair.candidate, "split", ()))
    yield from sets if len(sets) > 1 else ()
    for column, edges in declared.items():
        yield from slices(pair.candidate, column, edges)


def _sharpened(test: SliceTest, gate: SlicesGate, drawn: IntervalParams, tests: int) -> SliceTest:
    """What may be worse is drawn again, as often as its share of the level takes; the rest stays as it is.

    That makes no test more likely to reject than its second draw does.
    """
    level = 1 - gate.confidence
    if test.p > level:
        return test
    again = test.pair.differences(drawn_for(drawn, level / tests), [test.metric])[test.metric]
    p = again.p_not_worse(gate.worse_by)
    return SliceTest(test.metric, test.pair, test.part, again, 1.0 if p is None else p)


def _results(family: Family, worse: Mapping[int, float], tests: int, gate: SlicesGate) -> Iterator[GateResult]:
    bad = [test for test in family.tests if id(test) in worse]
    yield from (_worse(test, worse[id(test)], tests, gate) for test in bad)
    status: Literal["pass", "fail", "skipped"] = "fail" if bad else "pass" if family.tests else "skipped"
    counted = f"{len(bad)} of {len(family.tests)} slices significantly worse in {family.metric}"
    silent = f"; not judged: {', '.join(family.unjudged)}" if family.unjudged else ""
    yield GateResult(
        gate=GATE,
        target=family.target,
        status=status,
        bound=gate.worse_by,
        told=(counted if family.tests else f"no slice could be judged in {family.metric}") + silent,
    )


def _worse(test: SliceTest, p: float, tests: int, gate: SlicesGate) -> GateResult:
    found = test.difference
    return GateResult(
        gate=GATE,
        target=test.pair.name,
        part=test.part,
        status="fail",
        paired=True,
        figure=found.figure,
        low=found.low(gate.confidence),
        high=found.high(gate.confidence),
        bound=gate.worse_by,
        rows=found.rows,
        groups=found.groups,
        row_set=found.row_set,
        told=f"{test.metric} {found.one:.4g} beside the champion's {found.other:.4g}: "
        f"worse by more than {gate.worse_by:g} (p {p:.2g}, Holm over {tests} tests)",
    )
