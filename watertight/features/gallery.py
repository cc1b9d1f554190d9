"""The vectors that are to be found: a target's, by what they are vectors of."""

from __future__ import annotations

import polars as pl

from watertight.core.errors import Refusal
from watertight.core.time import known_at, microseconds
from watertight.core.view_spec import SOURCE_AT, ViewSpec

SHOWN = "shown"


def gallery(spec: ViewSpec, rows: pl.DataFrame) -> pl.DataFrame:
    """Each vector of each key from when it was first known: join key, timestamps, source_at, ``vector``, ``shown``.

    Of a row that was corrected every version counts, so that a key has a row for each vector that it ever had. ``shown``,
    where the view has it, is the text of the row that told the vector first. Raises Refusal where a key has two vectors at
    one instant.
    """
    (target,) = spec.labels
    known = rows.filter(known_at().is_not_null() & ~pl.col("synthetic")).drop_nulls([spec.join_key, target])
    told = known.select(
        spec.join_key,
        event_timestamp=known_at(),
        created_timestamp=known_at(),
        vector=target,
        **{name: spec.options[name] for name in (SHOWN,) if name in spec.options},
    )
    every = [spec.join_key, "vector"]
    first = told.sort("created_timestamp", maintain_order=True).unique(every, keep="first", maintain_order=True)
    _demand_one(first, spec.join_key)
    return first.with_columns(microseconds("created_timestamp").alias(SOURCE_AT))


def _demand_one(first: pl.DataFrame, key: str) -> None:
    doubled = first.filter(pl.struct(key, "created_timestamp").is_duplicated())[key].unique(maintain_order=True)
    if len(doubled):
        raise Refusal(
            f"{len(doubled)} key(s) have more than one vector at one instant",
            column=key,
            rows=doubled.to_list(),
            expected="one vector for each, or a correction with a later created_at",
            next_step="give each vector a key of its own",
        )
