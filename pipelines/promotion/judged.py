"""What the gates of a promotion answer, from the predictions of two versions on the same test rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from pipelines.promotion.pair import Pair, drawn_for, pairs
from pipelines.promotion.slices_gate import slices_results
from watertight.core.contract import Target
from watertight.core.errors import Refusal
from watertight.core.workload import EvaluateParams, GatesParams, IntervalParams, MetricGate, MostGate
from watertight.evaluation.intervals import Interval, estimates, intervals
from watertight.evaluation.metrics import Scored, scored
from watertight.evaluation.paired import Difference
from watertight.registry.records import GateResult


def judged(
    rows: pl.DataFrame,
    candidate: pl.DataFrame,
    champion: pl.DataFrame | None,
    targets: Mapping[str, Target],
    evaluate: EvaluateParams,
    gates: GatesParams,
    measured: Mapping[str, float],
) -> list[GateResult]:
    """What each declared gate answers, in the order: metrics, slices, latency, size.

    ``rows``, those of the test sets: row_id, group_id, split, the targets' columns (null where not labelled) and the columns
    of slices. ``candidate`` and ``champion``: row_id, target and outputs, one row per row_id and target, several seeds
    averaged; without a champion nothing is set beside one. ``measured``: latency_ms (milliseconds) and size_mb (millions of
    bytes), as far as they were measured.

    A metric's gate is asked of each of its targets that the candidate predicts, over all rows that have the target. What
    cannot be judged is ``skipped``, which is not to pass: the reason is told. Every gate must pass, so their confidences need no
    correction for one another. Raises Refusal where the two did not predict the same rows, all of those that have the target,
    and where fewer than ``min_groups`` groups are to be judged.
    """
    drawn = evaluate.intervals.model_copy(update={"min_groups": gates.min_groups})
    wanted = pairs(rows, candidate, champion, targets, evaluate) if gates.metrics else []
    _demand_groups(wanted, gates)
    return [
        *(result for metric in gates.metrics for result in _of_metric(metric, gates, wanted, drawn)),
        *slices_results(wanted, evaluate.slices, gates, drawn),
        *_measured("latency_ms", gates.latency_ms, measured, "ms"),
        *_measured("size_mb", gates.size_mb, measured, "MB"),
    ]


def _demand_groups(wanted: Sequence[Pair], gates: GatesParams) -> None:
    for pair in wanted:
        if pair.groups < gates.min_groups and any(pair.has(metric, gates) for metric in gates.metrics):
            raise Refusal(
                f"the test rows that have {pair.name!r} are of {pair.groups} groups: too few to judge a version by",
                expected=f"at least {gates.min_groups} groups (gates.min_groups)",
                next_step="a larger share for test_groups in params.yaml, or more data",
            )


def _of_metric(metric: str, gates: GatesParams, wanted: Sequence[Pair], drawn: IntervalParams) -> Iterator[GateResult]:
    """The results of one metric's gate: per target its bounds, then what is better."""
    gate, asked = gates.metrics[metric], [pair for pair in wanted if pair.has(metric, gates)]
    lacking = [name for name in gate.targets or () if name not in [pair.name for pair in asked]]
    for name in lacking if asked or lacking else [""]:
        yield _skipped(metric, name, "the candidate predicts no labelled test row of a target that has it")
    for pair in asked:
        yield from _bounded(metric, gate, pair, drawn)
        if gate.better_by is not None:
            yield _better(metric, gate, gate.better_by, pair, drawn)


def _bounded(metric: str, gate: MetricGate, pair: Pair, drawn: IntervalParams) -> Iterator[GateResult]:
    """Whether the figure itself is within its bounds."""
    bounds = {"at most": gate.at_most, "at least": gate.at_least}
    declared = {words: bound for words, bound in bounds.items() if bound is not None}
    if not declared:
        return
    found = scored(pair.candidate, pair.name, pair.target)
    one = {name: estimate for name, estimate in estimates(found).items() if name == metric}
    told = intervals(one, drawn)[metric] if one else Interval(None)
    for words, bound in declared.items():
        if told.figure is None:
            yield _skipped(metric, pair.name, "not defined: an output that it needs is not given, or does not vary", bound=bound)
            continue
        held = told.figure <= bound if words == "at most" else told.figure >= bound
        text = f"{told.figure:.4g}, {words} {bound:g} asked"
        yield _result(metric, pair.name, held, text, **vars(told), bound=bound, **_rows(found))


def _better(metric: str, gate: MetricGate, by: float, pair: Pair, drawn: IntervalParams) -> GateResult:
    """Whether the candidate surpasses the champion."""
    if pair.champion is None:
        return _skipped(metric, pair.name, "there is no champion that predicts it", bound=by, paired=True)
    level = 1 - gate.confidence
    found = pair.differences(drawn_for(drawn, level), [metric]).get(metric)
    p = found.p_not_better(by) if found else None
    if found is None or p is None:
        return _skipped(metric, pair.name, "not defined, or of too few groups that contribute to it", bound=by, paired=True)
    facts = {name: getattr(found, name) for name in ("figure", "rows", "groups", "row_set")}
    ends = {"low": found.low(gate.confidence), "high": found.high(gate.confidence)}
    return _result(metric, pair.name, p <= level + 1e-12, _beside(found, by, p, gate), paired=True, bound=by, **facts, **ends)


def _beside(found: Difference, by: float, p: float, gate: MetricGate) -> str:
    asked = f"better by more than {by:g} at confidence {gate.confidence:g} asked"
    return f"{found.one:.4g} beside {found.other:.4g}, {found.better} is better, p {p:.2g}; {asked}"


def _measured(name: str, gate: MostGate | None, measured: Mapping[str, float], unit: str) -> Iterator[GateResult]:
    if gate is None:
        return
    figure = measured.get(name)
    if figure is None:
        yield _skipped(name, "", "it was not measured", bound=gate.at_most)
        return
    text = f"{figure:.4g} {unit}, at most {gate.at_most:g} {unit} asked"
    yield _result(name, "", figure <= gate.at_most, text, figure=figure, bound=gate.at_most)


def _result(gate: str, target: str, held: bool, told: str, **facts: Any) -> GateResult:
    return GateResult(gate=gate, target=target, status="pass" if held else "fail", told=told, **facts)


def _skipped(gate: str, target: str, told: str, **facts: Any) -> GateResult:
    return GateResult(gate=gate, target=target, status="skipped", told=told, **facts)


def _rows(found: Scored) -> dict[str, Any]:
    return {"rows": found.of.rows, "groups": found.of.groups, "row_set": found.of.digest}
