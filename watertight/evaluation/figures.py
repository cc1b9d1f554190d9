"""Figures as one long table: a record per target, cell, seed, part, slice and metric, with its interval and its row set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from watertight.core.contract import Target
from watertight.core.coverage import binomial_bounds
from watertight.core.digests import ids_digest
from watertight.core.ensembles import averaged
from watertight.core.workload import EvaluateParams, IntervalParams
from watertight.evaluation.intervals import estimates, intervals
from watertight.evaluation.metrics import Scored, by_row, outputs
from watertight.evaluation.ranked import Ranking, other_folds
from watertight.evaluation.row_sets import Floats, as_array, row_set
from watertight.evaluation.slices import whole_and_slices

OUT_OF_FOLD = "out_of_fold"
PLACE = "__place"
FIGURES = {
    "target": pl.String,
    "cell": pl.String,
    "seed": pl.Int64,
    "part": pl.String,
    "slice": pl.String,
    "value": pl.String,
    "metric": pl.String,
    "figure": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "rows": pl.Int64,
    "groups": pl.Int64,
    "row_set": pl.String,
}
"""``seed``: null for the mean prediction of a cell's seeds, where it has several. ``part``: ``out_of_fold`` or the name of a
test split. ``slice`` and ``value``: a column and what it holds, both empty for all rows. ``figure``: null where the metric is
not defined; ``low`` and ``high`` as in ``intervals``. ``row_set``: figures may be compared only where it is equal.
"""
ROW_SET = ("rows", "groups", "row_set")
Key = tuple[str, int | None]
"""A cell and a seed, null for the mean prediction of its seeds."""
Cells = Mapping[Key, Mapping[str, Floats]]


@dataclass(frozen=True)
class Case:
    """Rows of one target, whole or a slice, and what every cell that predicted them gave for each.

    ``rows`` has row_id, group_id, the target's column and ``__place``: where a row stands in the outputs of ``cells``.
    """

    name: str
    target: Target
    rows: pl.DataFrame
    cells: Cells
    column: str = ""
    value: str = ""


def cases(
    rows: pl.DataFrame,
    predictions: pl.DataFrame,
    targets: Mapping[str, Target],
    slices: Mapping[str, Sequence[float]],
    ranked: EvaluateParams | None = None,
    bank: pl.DataFrame | None = None,
) -> Iterator[Case]:
    """What there is to score: per target all rows, then each slice; cells that predicted other rows are a case of their own.

    ``rows`` has row_id, group_id, the targets' columns and those of ``slices``, of which absent ones are left out.
    ``predictions`` has row_id, target, cell, seed (null: models of several seeds as one) and outputs, one row per row_id of a
    cell and seed.

    Of vectors an output stands for each row that ``errors`` and, as ``ranked`` declares, ``Ranking`` tell: they are ranked
    among the whole, or out of fold among their fold, and a slice keeps that; without ``ranked`` they are not ranked. Inductive
    corrections for hubs take the queries of other folds, where ``predictions`` has ``fold``, and else those of ``bank``:
    predictions of the same cells and seeds for rows
    that were known before.
    """
    for (name,), part in predictions.partition_by("target", as_dict=True, maintain_order=True).items():
        known = None if bank is None else bank.filter(target=name)
        for case in _whole(rows, part, str(name), targets[str(name)], slices, _Told(ranked, known)):
            for found in whole_and_slices(case.rows, slices):
                yield replace(case, rows=found.rows, column=found.column, value=found.value)


def figures(case: Case, declared: IntervalParams, part: str = OUT_OF_FOLD) -> Iterator[dict[str, Any]]:
    """The records of one case, as in :data:`FIGURES`: every cell and seed, every metric that its outputs allow."""
    of, place = row_set(case.rows, case.name, case.target), case.rows[PLACE].to_numpy()
    rows = {"rows": of.rows, "groups": of.groups, "row_set": of.digest}
    for (cell, seed), given in case.cells.items():
        found = Scored(of, {name: values[place] for name, values in given.items()})
        where = {"target": case.name, "cell": cell, "seed": seed, "part": part, "slice": case.column, "value": case.value}
        for metric, told in intervals(estimates(found), declared).items():
            yield {**where, "metric": metric, **vars(told), **rows}


def figures_table(records: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Records as a table, with the columns and types of :data:`FIGURES`."""
    return pl.DataFrame(list(records), schema=FIGURES)


def of_cells(told: pl.DataFrame) -> pl.DataFrame:
    """The records that stand for a cell: of its only seed, or of the mean prediction of its seeds."""
    return told.filter(pl.col("seed").is_null() | (pl.col("seed").n_unique().over("target", "cell") == 1))


def wide(told: pl.DataFrame, *keys: str) -> list[dict[str, Any]]:
    """A row per ``keys`` and row set: the keys, each metric as figure, low and high (null where it has none), the row set."""
    known = told.filter(pl.col("figure").is_not_null().any().over("metric"))
    metrics = known["metric"].unique(maintain_order=True).to_list()
    rows = []
    for values, part in told.partition_by(*keys, *ROW_SET, as_dict=True, maintain_order=True).items():
        named = dict(zip((*keys, *ROW_SET), values, strict=True))
        given = {line.pop("metric"): line for line in part.select("metric", "figure", "low", "high").to_dicts()}
        rows.append({key: named[key] for key in keys} | {name: given.get(name) for name in metrics} | _last(named))
    return rows


def slices_covered(told: pl.DataFrame, params: EvaluateParams) -> list[dict[str, Any]]:
    """Per target and slice: rows, groups, share of the target's rows, and whether it has the groups for an interval."""
    sets = told.select("target", "slice", "value", *ROW_SET).unique(maintain_order=True)
    most = pl.col("rows").max().over("target")
    enough = pl.col("groups") >= params.intervals.min_groups
    return sets.with_columns(share=(pl.col("rows") / most).round(6), interval=enough).filter(pl.col("slice") != "").to_dicts()


def galleries_left_out(told: pl.DataFrame, params: EvaluateParams) -> dict[str, str]:
    """Per target and declared size of gallery that is larger than the part's own, or a fold's, why it has no figures."""
    own = told.filter((pl.col("metric") == "gallery") & (pl.col("slice") == "")).group_by("target", maintain_order=True).min()
    sizes = {str(name): int(size) for name, size in own.select("target", "figure").iter_rows()}
    given = set(told.select("target", "metric").unique().iter_rows())
    return {
        f"{wanted} of {name}": f"the part's own has {size}"
        for name, size in sizes.items()
        for wanted in params.galleries
        if (name, f"mrr_at_{wanted}") not in given
    }


def intervals_cover(told: pl.DataFrame, predictions: pl.DataFrame) -> list[dict[str, Any]]:
    """Whether the coverage of each cell's intervals is that of their ``level``, overall and per slice.

    This is told of looks at test sets; out of fold the gate ``model`` judges it. ``low_bound`` and ``high_bound`` hold the
    central 99 % of the coverage of n independent rows at that level (binomial); rows of one group are not independent, so a
    miss by little in a slice of few groups says little. Empty where ``predictions`` (target, cell, seed, outputs) has no
    ``level``.
    """
    if "level" not in predictions.columns:
        return []
    levels = predictions.drop_nulls("level").select("target", "cell", "level").unique(maintain_order=True)
    found = told.filter(metric="coverage").join(levels, on=["target", "cell"], how="inner", maintain_order="left")
    rows, level = found["rows"].to_numpy(), found["level"].to_numpy()
    low, high = binomial_bounds(rows, level)
    bounded = found.with_columns(low_bound=pl.Series(low), high_bound=pl.Series(high)).rename({"figure": "coverage"})
    judged = bounded.with_columns(within=pl.col("coverage").is_between("low_bound", "high_bound"))
    names = ("target", "cell", "seed", "slice", "value", "rows", "level", "coverage", "low_bound", "high_bound", "within")
    return judged.select(names).to_dicts()


def _last(named: Mapping[str, Any]) -> dict[str, Any]:
    return {key: named[key] for key in ROW_SET}


Telling = Callable[[Key, Mapping[str, Floats]], dict[str, Floats]]
"""What is told of a cell's outputs, row by row."""


@dataclass(frozen=True)
class _Told:
    """As ``cases``; ``bank`` is of one target."""

    ranked: EvaluateParams | None
    bank: pl.DataFrame | None

    def of(self, rows: pl.DataFrame, predictions: pl.DataFrame, name: str, target: Target) -> Telling:
        """For all ``rows`` of a part; ``predictions``, of any cell, say in which fold each was predicted."""
        if target.kind != "vector":
            return lambda key, given: dict(given)
        truth = as_array(rows[name])
        if self.ranked is None:
            return lambda key, given: by_row(truth, given)
        folds = predictions.select(column for column in ("row_id", "fold") if column in predictions.columns)
        ranking = Ranking(truth, self.ranked, other_folds(rows.join(folds, on="row_id", how="left", maintain_order="left")))
        return lambda key, given: by_row(truth, given) | ranking.of(given["vector"], self._asked_before(key))

    def _asked_before(self, key: Key) -> Floats | None:
        """The bank of a cell and seed; of the mean prediction where the seed is null."""
        cell, seed = key
        mine = None if self.bank is None else self.bank.filter(pl.col("cell") == cell)
        if mine is None or mine.is_empty():
            return None
        seeds = [part.sort("row_id") for part in mine.partition_by("seed") if seed is None or part["seed"][0] == seed]
        return averaged([{"vector": as_array(part["vector"])} for part in seeds])["vector"] if seeds else None


def _whole(
    rows: pl.DataFrame,
    predictions: pl.DataFrame,
    name: str,
    target: Target,
    slices: Mapping[str, Sequence[float]],
    told: _Told,
) -> Iterator[Case]:
    """Cells by the rows that they predicted: all of a target's, unless some predicted others."""
    parts = predictions.partition_by("cell", "seed", as_dict=True, maintain_order=True)
    sets: dict[str, dict[Key, pl.DataFrame]] = {}
    for (cell, seed), part in parts.items():
        sets.setdefault(ids_digest(part["row_id"]), {})[str(cell), seed] = part
    read = list(dict.fromkeys(["row_id", "group_id", name, *(column for column in slices if column in rows.columns)]))
    for cells in sets.values():
        predicted = next(iter(cells.values())).select("row_id")
        own = rows.select(read).filter(pl.col(name).is_not_null()).join(predicted, on="row_id", how="semi", maintain_order="left")
        if own.is_empty():
            continue
        own = own.with_row_index(PLACE)
        yield Case(name, target, own, _with_means(own, target, cells, told.of(own, next(iter(cells.values())), name, target)))


def _aligned(rows: pl.DataFrame, predictions: pl.DataFrame, target: Target) -> dict[str, Floats]:
    return outputs(rows.select("row_id").join(predictions, on="row_id", how="left", maintain_order="left"), target.kind)


def _with_means(rows: pl.DataFrame, target: Target, cells: Mapping[Key, pl.DataFrame], told: Telling) -> Cells:
    """Behind the seeds of a cell, where there are several, their predictions averaged: what a bundle of them answers.

    One cell's outputs are held at a time, as far as they are not told.
    """
    seeds: dict[Key, Mapping[str, Floats]] = {}
    means: dict[Key, Mapping[str, Floats]] = {}
    for cell in dict.fromkeys(cell for cell, _ in cells):
        given = {key: _aligned(rows, part, target) for key, part in cells.items() if key[0] == cell}
        seeds |= {key: told(key, outputs) for key, outputs in given.items()}
        if len(given) > 1:
            means[cell, None] = told((cell, None), averaged(list(given.values())))
    return {key: seeds[key] for key in cells} | means
