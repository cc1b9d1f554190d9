"""compare: one cell less another on the same out-of-fold rows, with paired, group-clustered intervals."""

from __future__ import annotations

from typing import Any

import polars as pl

from pipelines.gates import PREDICTIONS, TRAINING_SET, demand_judged
from pipelines.set_beside import evaluated_row_sets, row_sets
from watertight.checks.suite import declared, judge
from watertight.core.declare import nearest
from watertight.core.errors import Misuse
from watertight.core.project import Workload
from watertight.core.tables import read_table
from watertight.evaluation.intervals import apart


def compare(work: Workload, one: str, other: str) -> list[dict[str, Any]]:
    """A row per target that both cells have: every metric of ``one`` less that of ``other`` as figure, low and high.

    Of the first seed of each. Raises Misuse where there is no such cell, Refusal where the cells predicted other rows, where
    evaluate has not judged what they predicted, or found other labels than there are now.
    """
    demand_judged(work, "nothing is compared")
    rows = read_table(work.data(*TRAINING_SET))
    predictions = read_table(work.artifacts(*PREDICTIONS))
    shared = _shared(predictions, one, other)
    both = predictions.filter(pl.col("cell").is_in([one, other]) & pl.col("target").is_in(shared))
    beside = pl.concat([evaluated_row_sets(work, [one, other]), row_sets(work, rows, both).filter(pl.col("slice") == "")])
    judge("figures", beside.filter(pl.col("target").is_in(shared)), declared("figures", work.expectations)).demand()
    told = []
    for name in shared:
        mine, theirs = (both.filter(target=name, cell=cell) for cell in (one, other))
        target, drawn = work.contract.targets[name], work.params.evaluate.intervals
        told.append(_row(name, apart(rows, mine, theirs, name, target, drawn)))
    return told


def _shared(predictions: pl.DataFrame, one: str, other: str) -> list[str]:
    """The targets that both cells have."""
    known = predictions["cell"].unique(maintain_order=True).to_list()
    strange = next((cell for cell in (one, other) if cell not in known), None)
    mine, theirs = (predictions.filter(cell=cell)["target"].unique(maintain_order=True).to_list() for cell in (one, other))
    shared = [name for name in mine if name in theirs]
    if not shared:
        raise Misuse(
            f"no cell is called {strange!r}; {nearest(strange, known)}" if strange else f"{one!r} and {other!r} share no target"
        )
    return shared


def _row(target: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    metrics = {line["metric"]: {name: line[name] for name in ("figure", "low", "high")} for line in lines}
    return {"target": target, **metrics, **{name: lines[0][name] for name in ("rows", "groups", "row_set")}}
