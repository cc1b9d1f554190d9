"""Folds that are blocks of time: borders fixed by the first drop, and an embargo before each.

A block begins where the first of its groups does. A model that predicts one block has then learnt from groups that were there
before it, or came after it, and not from the same days.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from watertight.core.errors import Refusal
from watertight.core.time import known_at
from watertight.core.workload import SplitParams


def in_blocks(groups: pl.DataFrame, own: pl.DataFrame, first_drop: str, params: SplitParams) -> pl.DataFrame:
    """``groups`` (group_id, held_out, group_fold) with the block in which each begins as its group_fold, and ``until``: when the
    next block begins, null for the last; ``since``: when its own does, null for the first.

    ``own``: the labelled rows of each group in the drop in which it first had any, with group_id, asked_at, drop. Blocks hold
    about equally many rows of the groups of ``first_drop`` that are not held out. A group without labelled rows keeps its
    fold. Raises Refusal where these groups begin at fewer instants than there are folds.
    """
    starts = own.group_by("group_id").agg(start=pl.col("asked_at").min(), rows=pl.len(), drop=pl.col("drop").first())
    placed = groups.join(starts, on="group_id", how="left", maintain_order="left")
    borders = _borders(placed.filter(~pl.col("held_out") & (pl.col("drop") == first_drop)), params.folds)
    begun = pl.sum_horizontal(pl.col("start") >= border for border in borders).cast(pl.Int64)
    fold = pl.coalesce(pl.when(pl.col("start").is_not_null()).then(begun), "group_fold")
    edges = pl.DataFrame({"group_fold": range(params.folds), "since": [None, *borders], "until": [*borders, None]})
    told = placed.select("group_id", "held_out", group_fold=fold)
    return told.join(edges, on="group_fold", how="left", maintain_order="left")


def _borders(groups: pl.DataFrame, folds: int) -> list[datetime]:
    """The instants at which the second and later blocks begin."""
    starts = groups.group_by("start").agg(pl.col("rows").sum()).sort("start")
    if starts.height < folds:
        raise Refusal(
            f"the groups of the first drop begin at {starts.height} instant(s), fewer than the {folds} folds",
            column="asked_at",
            expected="at least one instant per fold at which a group is first asked",
            next_step="declare fewer folds, or folds_by: group",
        )
    before, borders = np.concatenate([[0], np.cumsum(starts["rows"].to_numpy())[:-1]]), [0]
    for fold in range(1, folds):
        nearest = int(np.abs(before - starts["rows"].sum() * fold / folds).argmin())
        borders.append(min(max(nearest, borders[-1] + 1), starts.height - folds + fold))
    return starts["start"].gather(borders[1:]).to_list()


def outside(params: SplitParams) -> pl.Expr:
    """Whether a row, beside the ``since`` and ``until`` of its group, does not lie in the block with an embargo to the next: its
    label must be known earlier than ``embargo_days`` before that begins.
    """
    known = pl.max_horizontal("asked_at", known_at())
    late = known + timedelta(days=params.embargo_days) >= pl.col("until")
    return ((pl.col("asked_at") < pl.col("since")) | late).fill_null(False)


def demand_rows_in_every_block(placed: pl.DataFrame, params: SplitParams) -> None:
    """Raise Refusal where the embargo leaves a fold without any training row; ``placed`` has split and fold."""
    empty = sorted(set(range(params.folds)) - set(placed["fold"].drop_nulls()))
    if empty:
        raise Refusal(
            f"fold(s) {', '.join(map(str, empty))} keep no row to train on: all lie outside their block or in its embargo",
            column="asked_at",
            expected="blocks of time that are longer than the embargo and the wait for a label",
            next_step="declare fewer folds or a shorter embargo_days",
        )
