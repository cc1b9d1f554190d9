"""The declared slices in which one side is significantly worse, or better, than the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pipelines.comparison.figures import Pair
from watertight.core.project import Workload
from watertight.evaluation.metrics import metric_of
from watertight.evaluation.slices import slices

SIGNS = {"lower": 1, "higher": -1}
"""By the direction that is better, the sign of a difference that is worse. What should be at its level is neither."""


def slices_apart(work: Workload, pairs: Iterable[Pair]) -> dict[str, Any]:
    """``worse`` and ``better``: where an interval of the first side less the other is apart from 0, and which way.

    A record per target, slice and metric: target, slice, value, metric, figure, low, high, rows, groups, row_set. ``looked_at``
    counts the intervals that there are, ``by_chance`` how many of them would be apart from 0 each way if the sides were equal.
    The slices are those of the working tree's ``evaluate.slices``, cut by the first side's columns.
    """
    found = [line for pair in pairs for line in _lines(pair)]
    return {
        "worse": [line for line, sign in found if sign * line["low"] > 0 and sign * line["high"] > 0],
        "better": [line for line, sign in found if sign * line["low"] < 0 and sign * line["high"] < 0],
        "looked_at": len(found),
        "by_chance": len(found) * (1 - work.params.evaluate.intervals.confidence) / 2,
    }


def _lines(pair: Pair) -> Iterator[tuple[dict[str, Any], int]]:
    """Every interval of a slice, with the sign of what is worse."""
    for column, edges in pair.work.params.evaluate.slices.items():
        for part in slices(pair.rows, column, edges):
            for line in pair.apart(part.rows):
                metric = metric_of(pair.declared.kind, line["metric"])
                sign = SIGNS.get(metric.better) if metric else None
                if sign and line["low"] is not None:
                    yield {"target": pair.target, "slice": column, "value": part.value, **line}, sign
