"""What was measured, as Markdown: a line per case and engine; then a line per case with the ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, nan
from statistics import median

from .cases import Case
from .engines import BARE, FEAST, FLOOR, GATHERED, OURS
from .truth import Verdict
from .watched import Outcome

MB = 10**6
HEAD = """| case | engine | seconds | processor | × floor | rows/s | peak MB | less output MB | lost | wrong | order |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"""
RATIOS = """| case | ours / best bare | best bare | best Feast / ours | best Feast | ours / floor | memory, ours / gathered |
| --- | ---: | --- | ---: | --- | ---: | ---: |"""


@dataclass(frozen=True)
class Result:
    """The repeats of one engine in one case: medians, or why there are none (and the seconds that it took at least)."""

    seconds: float
    processor: float
    peak: float
    above_output: float
    verdict: Verdict | None
    stopped: str = ""
    at_least: float = nan


def result(outcomes: Sequence[Outcome], limit_seconds: float) -> Result:
    """One result from the outcomes of the repeats; one repeat that was stopped is the result of all."""
    verdict = next((one.verdict for one in outcomes if one.verdict), None)
    stopped = next((one.stopped for one in outcomes if one.stopped), "")
    if stopped:
        return Result(nan, nan, nan, nan, verdict, stopped, limit_seconds if stopped.endswith(" s") else nan)
    above = median(max(one.peak - one.output, 0) for one in outcomes)
    seconds, processor, peak = (median(getattr(one, name) for one in outcomes) for name in ("seconds", "processor", "peak"))
    return Result(seconds, processor, peak, above, verdict)


def line(case: Case, name: str, found: Result, floor: Result | None) -> str:
    """The line of an engine; an engine that was stopped says at what, and a failure stands in its place."""
    if found.stopped:
        return f"| {case.name} | {name} | {found.stopped} | | | | | | | | |"
    times = f"{found.seconds / floor.seconds:.1f}" if floor and not floor.stopped else ""
    speed = "" if name == FLOOR else f"{case.labels / found.seconds:,.0f}"
    above = "" if name == FLOOR else f"{found.above_output / MB:,.0f}"
    figures = f"{found.seconds:.3f} | {found.processor:.3f} | {times} | {speed} | {found.peak / MB:,.0f} | {above}"
    return f"| {case.name} | {name} | {figures} | {_judged(found.verdict)} |"


def _judged(verdict: Verdict | None) -> str:
    if verdict is None:
        return " | | "
    lost = f"{verdict.lost:,}" + (f", {verdict.added:,} added" if verdict.added else "")
    return f"{lost} | {verdict.wrong:,} | {'kept' if verdict.in_order else 'changed'}"


def ratios(case: Case, found: Mapping[str, Result]) -> str:
    """The ratios of a case, from the medians; ``>`` where every store of Feast's was stopped by the time limit or by memory."""
    ours, floor, gathered = found.get(OURS), found.get(FLOOR), found.get(GATHERED)
    bare, feast = _best(found, BARE), _best(found, FEAST)
    mine = ours.seconds if ours else nan
    cells = [
        _ratio(mine, found[bare].seconds if bare else nan),
        bare,
        _ratio(found[feast].seconds, mine) if feast else _at_least(found, mine),
        feast,
        _ratio(mine, floor.seconds if floor else nan),
        _ratio(ours.above_output if ours else nan, gathered.above_output if gathered else nan),
    ]
    return f"| {case.name} | {' | '.join(cells)} |"


def _best(found: Mapping[str, Result], names: Sequence[str]) -> str:
    done = [name for name in names if name in found and not found[name].stopped]
    return min(done, key=lambda name: found[name].seconds, default="")


def _at_least(found: Mapping[str, Result], mine: float) -> str:
    """Where no store of Feast's came to an end; one that ran out of memory has no time at all."""
    least = min((found[name].at_least for name in FEAST if name in found and found[name].at_least > 0), default=inf)
    return f"> {_ratio(least, mine)}" if least < inf and mine > 0 else ""


def _ratio(above: float, below: float) -> str:
    return f"{above / below:.2f}" if above >= 0 and below > 0 else ""
