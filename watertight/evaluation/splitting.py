"""Splits as one function of the drops in their order: stratified once, stable for ever.

The groups of the first drop are dealt out so that the declared strata are balanced; a group that comes later goes
where a seeded hash of its name says, or, where folds are blocks of time, into the block in which it begins. A group once
assigned stays, and so does the instant at which its future begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl
from sklearn.model_selection import StratifiedGroupKFold

from watertight.core.digests import unit_interval
from watertight.core.errors import Refusal
from watertight.core.time import known_at
from watertight.core.workload import SplitParams, TestFuture
from watertight.evaluation.time_blocks import demand_rows_in_every_block, in_blocks, outside

GROUP_SCHEMA = {"group_id": pl.String, "held_out": pl.Boolean, "group_fold": pl.Int64}


@dataclass(frozen=True)
class Splitting:
    """``rows``: row_id, split, fold (null outside train). ``groups``: group_id, held_out, group_fold, future_from."""

    rows: pl.DataFrame
    groups: pl.DataFrame


def split_rows(rows: pl.DataFrame, first: pl.DataFrame, params: SplitParams, strata: list[str]) -> Splitting:
    """Assign every row.

    ``rows`` in the order of their drops, with row_id, group_id, parent_id, asked_at, labelled_at, created_at, drop, the
    ``strata`` columns and ``labelled``, whether there is any target; ``first`` the same rows as they first came, by which
    groups are assigned, so that a late label or a correction moves nothing but its own row. ``test_groups``: the rows of
    held-out groups. ``test_drops``: those of drops that are declared to be test sets, which decide nothing about the other
    rows. ``test_future``: rows asked from the group's ``future_from`` on. ``embargo``: rows in the gap before
    it, rows whose label was not known before it, labelled children of rows outside train, and rows outside their block where
    folds are blocks of time: neither trained on nor scored. ``unlabelled``: rows without any target. Raises Refusal where
    there are fewer groups than folds.
    """
    first = first.filter(~_of_test_drop(params))
    if first.is_empty():
        raise Refusal("every drop is declared a test set", column="drop", expected="a drop to train on; see split.test_drops")
    groups = _assigned_groups(first, params, strata)
    if params.folds_by == "time":
        groups = in_blocks(groups, _first_appearance(first.filter(_own())), first["drop"][0], params)
    future = _future_from(first, groups, params.test_future)
    groups = groups.join(future, on="group_id", how="left", maintain_order="left")
    placed = _assigned_rows(rows, groups, params)
    if params.folds_by == "time":
        demand_rows_in_every_block(placed, params)
    return Splitting(_by_row(placed, rows, params) if params.folds_by == "row" else placed, groups)


def _of_test_drop(params: SplitParams) -> pl.Expr:
    return pl.col("drop").is_in(list(params.test_drops))


def _own() -> pl.Expr:
    """Labelled rows that are no children."""
    return pl.col("labelled") & pl.col("parent_id").is_null()


def _assigned_groups(rows: pl.DataFrame, params: SplitParams, strata: list[str]) -> pl.DataFrame:
    first = rows.filter((pl.col("drop") == rows["drop"][0]) & pl.col("labelled"))
    known = _dealt(first, params, strata)
    late = rows.filter(~pl.col("group_id").is_in(known["group_id"].to_list()))["group_id"].unique(maintain_order=True)
    hashed = [(group, *_hashed(group, params)) for group in late]
    return pl.concat([known, pl.DataFrame(hashed, schema=GROUP_SCHEMA, orient="row")]).sort("group_id")


def _by_row(placed: pl.DataFrame, rows: pl.DataFrame, params: SplitParams) -> pl.DataFrame:
    """The same splits with each row of train, and the children beside it, in a fold of its own hash."""
    roots = rows.select("row_id", root=pl.coalesce("parent_id", "row_id"))
    drawn = [int(unit_interval(params.seed, "row fold", root) * params.folds) for root in roots["root"]]
    folds = roots.select("row_id", drawn=pl.Series(drawn, dtype=pl.Int64))
    beside = placed.join(folds, on="row_id", how="left", maintain_order="left")
    return beside.select("row_id", "split", fold=pl.when(pl.col("split") == "train").then("drawn"))


def _hashed(group: str, params: SplitParams) -> tuple[bool, int]:
    held_out = unit_interval(params.seed, "test_groups", group) < params.test_groups.share
    return held_out, int(unit_interval(params.seed, "fold", group) * params.folds)


def _dealt(rows: pl.DataFrame, params: SplitParams, strata: list[str]) -> pl.DataFrame:
    """The groups of the first drop: a share of each stratum held out, the rest in balanced folds."""
    parts = [pl.col(name).cast(pl.String).fill_null("") for name in strata]
    keyed = rows.with_columns(stratum=pl.concat_str([*parts, pl.lit("")], separator="|"))
    held_out = _held_out(keyed, params)
    rest = keyed.filter(~pl.col("group_id").is_in(list(held_out))).sort("row_id")
    groups = rest["group_id"].n_unique()
    if groups < params.folds:
        raise Refusal(
            f"{groups} group(s) are left to train on, fewer than the {params.folds} folds",
            column="group_id",
            expected="at least one group per fold",
            next_step="declare fewer folds or a smaller share of test_groups",
        )
    folds = _folds(rest, params)
    kept = pl.DataFrame({"group_id": list(folds), "held_out": False, "group_fold": list(folds.values())}, schema=GROUP_SCHEMA)
    out = pl.DataFrame({"group_id": sorted(held_out), "held_out": True, "group_fold": 0}, schema=GROUP_SCHEMA)
    return pl.concat([kept, out])


def _held_out(rows: pl.DataFrame, params: SplitParams) -> set[str]:
    """In each stratum (a group's commonest), the groups that come first by their seeded hash."""
    groups = rows.group_by("group_id").agg(pl.col("stratum").mode().sort().first()).sort("group_id")
    chosen: set[str] = set()
    for (_,), members in sorted(groups.partition_by("stratum", as_dict=True).items()):
        order = sorted(members["group_id"], key=lambda group: unit_interval(params.seed, "test_groups", group))
        chosen |= set(order[: round(len(order) * params.test_groups.share)])
    return chosen


def _folds(rows: pl.DataFrame, params: SplitParams) -> dict[str, int]:
    """Folds balanced over the strata; rows of a stratum with fewer rows than folds count as rows of the commonest."""
    common = pl.len().over("stratum") >= params.folds
    strata = rows.select(pl.when(common).then("stratum").otherwise(pl.col("stratum").mode().min())).to_series()
    splitter = StratifiedGroupKFold(n_splits=params.folds, shuffle=True, random_state=params.seed)
    groups = rows["group_id"].to_numpy()
    parts = splitter.split(np.zeros(len(groups)), strata.to_numpy(), groups)
    return {str(group): fold for fold, (_, held) in enumerate(parts) for group in np.unique(groups[held])}


def _future_from(rows: pl.DataFrame, groups: pl.DataFrame, future: TestFuture) -> pl.DataFrame:
    """Per group, the instant its future begins: fixed by the drop in which it first came; null where it has none.

    It is the instant of the first of the last ``share`` of the group's labelled rows, children not counted. A group
    that would keep no row a gap earlier, or that came without labels, has no future: all its rows are trained on.
    """
    own = _first_appearance(rows).filter(_own()).sort("asked_at", "row_id")
    place, size = pl.int_range(pl.len()).over("group_id"), pl.len().over("group_id")
    last = place >= (size * (1 - future.share)).ceil()
    starts = own.filter(last).group_by("group_id").agg(future_from=pl.col("asked_at").min())
    trained = own.join(starts, on="group_id").filter(_before_future(future))
    lasting = starts.filter(pl.col("group_id").is_in(trained["group_id"].unique().to_list()))
    free = groups.filter(~pl.col("held_out"))["group_id"].to_list()
    return lasting.filter(pl.col("group_id").is_in(free))


def _before_future(future: TestFuture) -> pl.Expr:
    """Asked a gap before the group's future begins, and the label known before it: a model of that day could use it."""
    asked = pl.col("asked_at") < pl.col("future_from") - timedelta(days=future.gap_days)
    return asked & (known_at() < pl.col("future_from"))


def _first_appearance(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of each group that came in the drop in which the group first came."""
    drops = rows["drop"].unique(maintain_order=True).to_list()
    number = pl.col("drop").replace_strict(drops, list(range(len(drops))), return_dtype=pl.Int64)
    return rows.filter(number == number.min().over("group_id"))


def _assigned_rows(rows: pl.DataFrame, groups: pl.DataFrame, params: SplitParams) -> pl.DataFrame:
    early = pl.col("future_from").is_null() | _before_future(params.test_future)
    split = (
        pl.when(~pl.col("labelled"))
        .then(pl.lit("unlabelled"))
        .when(_of_test_drop(params))
        .then(pl.lit("test_drops"))
        .when(pl.col("held_out"))
        .then(pl.lit("test_groups"))
        .when(early & ~pl.col("outside"))
        .then(pl.lit("train"))
        .when(pl.col("asked_at") >= pl.col("future_from"))
        .then(pl.lit("test_future"))
        .otherwise(pl.lit("embargo"))
    )
    placed = rows.join(groups, on="group_id", how="left", maintain_order="left")
    blocked = outside(params) if params.folds_by == "time" else pl.lit(False)
    placed = placed.with_columns(outside=blocked).with_columns(split=split)
    beside = _beside_parents(placed, _of_test_drop(params))
    fold = pl.when(pl.col("split") == "train").then(pl.col("group_fold"))
    return beside.select("row_id", "split", fold=fold)


def _beside_parents(placed: pl.DataFrame, tested: pl.Expr) -> pl.DataFrame:
    """Labelled children of training rows are trained on in their parent's fold; those of any other row are set aside.

    So are those that come in a drop which is ``tested`` on, whatever their parent.
    """
    parents = placed.select(parent_id="row_id", parent_split="split", parent_fold="group_fold")
    joined = placed.join(parents, on="parent_id", how="left", maintain_order="left")
    child = pl.col("parent_id").is_not_null()
    own = ~child | (pl.col("split") == "unlabelled")
    split = (
        pl.when(own).then("split").when((pl.col("parent_split") == "train") & ~pl.col("outside") & ~tested).then(pl.lit("train"))
    )
    return joined.with_columns(
        split=split.otherwise(pl.lit("embargo")),
        group_fold=pl.when(child).then("parent_fold").otherwise("group_fold"),
    )
