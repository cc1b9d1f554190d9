"""Vectors of texts that came with the rows: embedded elsewhere, taken as they are."""

from __future__ import annotations

import polars as pl

from watertight.core.dimensions import first_length, no_vector
from watertight.core.errors import Refusal
from watertight.core.view_spec import ViewSpec

GIVEN = "given"


def are_given(spec: ViewSpec, rows: pl.DataFrame) -> bool:
    """Whether the rows bring the view's vectors: they have its column, and not null throughout."""
    column = spec.options.get(GIVEN)
    return column is not None and column in rows.columns and not rows[column].is_null().all()


def given_vectors(spec: ViewSpec, rows: pl.DataFrame, keys: pl.Series) -> pl.Series:
    """The vector that the rows bring for each of ``keys``: ``vector``, List(Float32), in their order.

    Raises Refusal where a row of a key brings none, or one that is not finite, is zero or is of another length than the first
    one's, and where one key brings two.
    """
    (key,), column = spec.texts, spec.options[GIVEN]
    some = rows.drop_nulls(key)
    _demand_vectors(some, column)
    once = some.select(pl.col(key).alias(spec.join_key), vector=column).unique(maintain_order=True)
    doubled = once.filter(pl.col(spec.join_key).is_duplicated())[spec.join_key].unique(maintain_order=True)
    if len(doubled):
        raise Refusal(
            f"{len(doubled)} key(s) bring more than one vector",
            column=column,
            rows=doubled.to_list(),
            expected="one vector per text",
            next_step="give each text a key of its own",
        )
    return keys.to_frame(spec.join_key).join(once, on=spec.join_key, how="left", maintain_order="left")["vector"]


def _demand_vectors(rows: pl.DataFrame, column: str) -> None:
    length = first_length(rows[column])
    bad = rows.filter(rows[column].is_null() | no_vector(rows[column], length))
    if not bad.is_empty():
        raise Refusal(
            f"{bad.height} row(s) bring no vector, or another than the others",
            column=column,
            rows=bad["row_id"].to_list(),
            expected=f"lists of {length} finite numbers, not all of them 0, in every row or in none",
            next_step="embed these texts as the others were embedded",
        )
