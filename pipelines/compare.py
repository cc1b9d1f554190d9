"""compare: one cell less another on the same out-of-fold rows, with paired, group-clustered intervals."""

from __future__ import annotations

from typing import Any

from pipelines.gates import PREDICTIONS, TRAINING_SET, demand_judged
from watertight.core.declare import nearest
from watertight.core.errors import Misuse
from watertight.core.project import Workload
from watertight.core.tables import read_table
from watertight.evaluation.intervals import apart


def compare(work: Workload, one: str, other: str) -> list[dict[str, Any]]:
    """A row per target that both cells have: every metric of ``one`` less that of ``other`` as figure, low and high.

    Of the first seed of each. Raises Misuse where there is no such cell, Refusal where the cells predicted other rows or where
    evaluate has not judged what they predicted.
    """
    demand_judged(work, "nothing is compared")
    rows = read_table(work.data(*TRAINING_SET))
    predictions = read_table(work.artifacts(*PREDICTIONS))
    told = []
    for (name,), part in predictions.partition_by("target", as_dict=True, maintain_order=True).items():
        cells = part.partition_by("cell", as_dict=True, maintain_order=True)
        if (one,) in cells and (other,) in cells:
            target, declared = work.contract.targets[str(name)], work.params.evaluate.intervals
            told.append(_row(str(name), apart(rows, cells[one,], cells[other,], str(name), target, declared)))
    if not told:
        known = predictions["cell"].unique(maintain_order=True).to_list()
        strange = next((cell for cell in (one, other) if cell not in known), None)
        raise Misuse(
            f"no cell is called {strange!r}; {nearest(strange, known)}" if strange else f"{one!r} and {other!r} share no target"
        )
    return told


def _row(target: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    metrics = {line["metric"]: {name: line[name] for name in ("figure", "low", "high")} for line in lines}
    return {"target": target, **metrics, **{name: lines[0][name] for name in ("rows", "groups", "row_set")}}
