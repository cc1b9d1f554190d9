"""Candidate and champion side by side: the predictions of one target on the same test rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from watertight.core.contract import Target
from watertight.core.errors import Refusal
from watertight.core.workload import EvaluateParams, GatesParams, IntervalParams
from watertight.evaluation.metrics import metric_of, outputs_read
from watertight.evaluation.paired import Difference, differences
from watertight.evaluation.ranked import with_ranks

LEAST_BEYOND = 5
"""Resamples that lie beyond the bound of a test, at least; fewer would make its place a matter of luck."""


@dataclass(frozen=True)
class Pair:
    """The rows that have the target ``name``, with each side's outputs beside them; ``champion`` is null where it has none.

    Vectors have their ranks beside them, in one gallery for both: that of all rows of the test sets.
    """

    name: str
    target: Target
    candidate: pl.DataFrame
    champion: pl.DataFrame | None

    @property
    def groups(self) -> int:
        """How many groups its rows are of."""
        return self.candidate["group_id"].n_unique()

    def of(self, rows: pl.DataFrame) -> Pair:
        """The pair on some of its rows (row_id)."""
        champion = None if self.champion is None else _some(self.champion, rows)
        return replace(self, candidate=_some(self.candidate, rows), champion=champion)

    def has(self, metric: str, gates: GatesParams) -> bool:
        """Whether the gate of ``metric`` is asked of this target."""
        named = gates.metrics[metric].targets
        return metric_of(self.target.kind, metric) is not None and (named is None or self.name in named)

    def differences(self, declared: IntervalParams, metrics: list[str]) -> dict[str, Difference]:
        """Candidate less champion; nothing where there is no champion."""
        if self.champion is None or not metrics:
            return {}
        return differences(self.candidate, self.champion, self.name, self.target, declared, metrics)


def pairs(
    rows: pl.DataFrame,
    candidate: pl.DataFrame,
    champion: pl.DataFrame | None,
    targets: Mapping[str, Target],
    evaluate: EvaluateParams,
) -> list[Pair]:
    """A pair for each target that the candidate predicts and of which some row has a label; see ``judged``."""
    return list(_pairs(rows, candidate, champion, targets, evaluate))


def drawn_for(declared: IntervalParams, level: float) -> IntervalParams:
    """As declared, with as many resamples as a test at ``level`` takes."""
    return declared.model_copy(update={"resamples": max(declared.resamples, math.ceil(LEAST_BEYOND / level))})


def _pairs(
    rows: pl.DataFrame,
    candidate: pl.DataFrame,
    champion: pl.DataFrame | None,
    targets: Mapping[str, Target],
    evaluate: EvaluateParams,
) -> Iterator[Pair]:
    for name in candidate["target"].unique(maintain_order=True):
        own = rows.filter(pl.col(name).is_not_null())
        if own.is_empty():
            continue
        mine, theirs = candidate.filter(target=name), None if champion is None else champion.filter(target=name)
        _demand_all(own, mine, name, "candidate")
        if theirs is None or theirs.is_empty():
            yield Pair(name, targets[name], _beside(own, mine, name, targets[name], evaluate), None)
            continue
        _demand_all(own, theirs, name, "champion")
        _demand_same(mine, theirs, name)
        yield Pair(name, targets[name], *(_beside(own, told, name, targets[name], evaluate) for told in (mine, theirs)))


def _some(side: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    return side.join(rows.select("row_id"), on="row_id", how="semi", maintain_order="left")


def _beside(rows: pl.DataFrame, told: pl.DataFrame, name: str, target: Target, evaluate: EvaluateParams) -> pl.DataFrame:
    known = with_ranks(told, rows, name, target, evaluate)
    read = known.select("row_id", *outputs_read(target.kind, known.columns))
    return rows.join(read, on="row_id", how="left", maintain_order="left")


def _demand_all(rows: pl.DataFrame, told: pl.DataFrame, name: str, who: str) -> None:
    lost = rows.join(told, on="row_id", how="anti")["row_id"]
    twice = told.filter(pl.col("row_id").is_duplicated())["row_id"].unique(maintain_order=True)
    if len(lost) or len(twice):
        raise Refusal(
            f"the {who} {'leaves out' if len(lost) else 'predicts twice'} test rows that have {name!r}",
            rows=(lost if len(lost) else twice).to_list(),
            expected="one prediction of each row",
            next_step="watertight rescore: it runs a version on today's test rows",
        )


def _demand_same(mine: pl.DataFrame, theirs: pl.DataFrame, name: str) -> None:
    apart = pl.concat(
        [one.join(other, on="row_id", how="anti").select("row_id") for one, other in ((mine, theirs), (theirs, mine))]
    )
    if not apart.is_empty():
        raise Refusal(
            f"candidate and champion did not predict {name!r} for the same rows",
            rows=apart["row_id"].to_list(),
            expected="two predictions of one row set",
            next_step="watertight rescore: it runs the champion on today's test rows",
        )
