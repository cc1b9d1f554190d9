"""What one side's predictions are worth beside another's: paired, clustered by group, and on the same rows or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from pipelines.comparison.side import Side
from pipelines.set_beside import SETS
from watertight.checks.suite import declared, judge
from watertight.core.contract import Target
from watertight.core.digests import row_set_digest
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Workload
from watertight.evaluation.figures import ROW_SET
from watertight.evaluation.intervals import apart, first_seed
from watertight.evaluation.ranked import with_ranks

NEXT = "fit both on the same rows (source, drops and split), or let `watertight rescore` run a version on today's test rows"
"""What to do where the rows differ."""


@dataclass(frozen=True)
class Pair:
    """A target that both sides predicted out of fold."""

    work: Workload
    target: str
    one: Side
    other: Side

    @property
    def declared(self) -> Target:
        """The target, as the first side's contract declares it."""
        return self.one.contract.targets[self.target]

    @cached_property
    def rows(self) -> pl.DataFrame:
        """The rows that were predicted, with group, label and the columns of the declared slices, as the first side has them."""
        return self.of(self.one, *self.work.params.evaluate.slices)

    def of(self, side: Side, *columns: str) -> pl.DataFrame:
        """The rows of a side that it predicted, in order of row_id."""
        known = side.rows(["row_id", "group_id", self.target, *columns]).drop_nulls(self.target)
        return known.join(self.predicted(side).select("row_id").unique(), on="row_id", how="semi").sort("row_id")

    def predicted(self, side: Side) -> pl.DataFrame:
        """The predictions of a side."""
        return side.predictions.filter(target=self.target)

    def apart(self, rows: pl.DataFrame) -> list[dict[str, Any]]:
        """Per metric the first side less the other on ``rows``; see :func:`watertight.evaluation.intervals.apart`."""
        return apart(rows, *self._ranked, self.target, self.declared, self.work.params.evaluate.intervals)

    @cached_property
    def _ranked(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Both sides' predictions, vectors with their ranks, which a slice keeps."""
        given = self.work.params.evaluate
        told = (first_seed(self.predicted(side)) for side in (self.one, self.other))
        one, other = (with_ranks(each, self.rows, self.target, self.declared, given) for each in told)
        return one, other

    def told(self) -> dict[str, Any]:
        """The target, each metric as figure, low and high, then rows, groups and row set."""
        lines = self.apart(self.rows)
        metrics = {line["metric"]: {name: line[name] for name in ("figure", "low", "high")} for line in lines}
        return {"target": self.target, **metrics, **{name: lines[0][name] for name in ROW_SET}}


def pairs(work: Workload, one: Side, other: Side) -> list[Pair]:
    """A pair per target that both cells have; raises Misuse where they share none."""
    mine, theirs = (side.predictions["target"].unique(maintain_order=True).to_list() for side in (one, other))
    shared = [name for name in mine if name in theirs]
    if not shared:
        raise Misuse(f"{one.name!r} and {other.name!r} share no target", expected="a target that both cells were fitted for")
    return [Pair(work, name, one, other) for name in shared]


def demand_comparable(pair: Pair) -> None:
    """Raise Refusal, with how many rows each side lacks, unless both are of the same rows, labels and groups.

    The gate `figures` judges the row sets, those that each side's evaluate found among them.
    """
    _demand_one_declaration(pair)
    mine, theirs = pair.of(pair.one), pair.of(pair.other)
    faults = list(_faults(pair, mine, theirs))
    if faults:
        raise Refusal(
            f"{pair.target}: {'; '.join(faults)}",
            expected="the same rows, with the same labels and in the same groups",
            next_step=NEXT,
        )
    lines = [line for side, rows in ((pair.one, mine), (pair.other, theirs)) for line in _lines(pair, side, rows)]
    judge("figures", pl.DataFrame(lines, schema=SETS), declared("figures", pair.work.expectations)).demand()


def _demand_one_declaration(pair: Pair) -> None:
    mine, theirs = (side.contract.targets[pair.target] for side in (pair.one, pair.other))
    told = [(target.kind, target.classes, target.dimension) for target in (mine, theirs)]
    if told[0] != told[1]:
        raise Refusal(
            f"{pair.target}: {pair.one.name} and {pair.other.name} declare it otherwise",
            expected="one kind, and the same classes or dimension",
            next_step=NEXT,
        )


def _faults(pair: Pair, mine: pl.DataFrame, theirs: pl.DataFrame) -> Iterator[str]:
    for side, own, others in ((pair.one, mine, theirs), (pair.other, theirs, mine)):
        lacks = others.join(own, on="row_id", how="anti")
        if lacks.height:
            yield f"{side.name} lacks {_told(lacks)}"
    both = mine.join(theirs, on="row_id", suffix=" other", maintain_order="left")
    for name, what in ((pair.target, "labelled otherwise"), ("group_id", "in another group")):
        differ = both.filter(pl.col(name).ne_missing(pl.col(f"{name} other")))
        if differ.height:
            yield f"{_told(differ)} {'is' if differ.height == 1 else 'are'} {what}"


def _told(rows: pl.DataFrame) -> str:
    first = ", ".join(rows["row_id"].head(3))
    return f"{rows.height} row{'s' if rows.height > 1 else ''} ({first}{', …' if rows.height > 3 else ''})"


def _lines(pair: Pair, side: Side, rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """The row set of a side's predictions by its labels as they are, and those that evaluate found."""
    named = {"target": pair.target, "slice": "", "value": "", "lacks": []}
    who = f"{pair.target}, {side.name}"
    yield {
        **named,
        "row_id": who,
        "row_set": row_set_digest(rows.select("row_id", pair.target), pair.target),
        "rows": rows.height,
    }
    for found in side.evaluated.filter(target=pair.target).unique("row_set", maintain_order=True).to_dicts():
        yield {**named, "row_id": f"{who}, as evaluated", "row_set": found["row_set"], "rows": found["rows"]}
