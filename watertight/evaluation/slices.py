"""Slices: the parts of the rows that a figure is also told for, or the reason why it is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Slice:
    """Rows with one value (or in one range) of a column; ``reason`` says why a slice could not be made."""

    column: str
    value: str
    rows: pl.DataFrame | None = None
    reason: str = ""


def slices(rows: pl.DataFrame, column: str, edges: Sequence[float]) -> Iterator[Slice]:
    """The slices of ``rows`` over ``column``: one per value, or per range where ``edges`` are given.

    A range is open below and closed above: edges 25 and 160 make ≤ 25, ≤ 160 and > 160. A null value is a slice of
    its own. An absent column gives one slice with the reason.
    """
    if column not in rows.columns:
        yield Slice(column, "", reason=f"the source has no column {column!r}")
        return
    values = _ranges(rows[column], edges) if edges else rows[column].cast(pl.String)
    named = rows.with_columns(values.fill_null("none").alias("__slice"))
    for value in sorted(named["__slice"].unique()):
        yield Slice(column, value, named.filter(pl.col("__slice") == value).drop("__slice"))


def _ranges(values: pl.Series, edges: Sequence[float]) -> pl.Series:
    labels = [f"≤ {edge:g}" for edge in edges] + [f"> {edges[-1]:g}"]
    return values.cut(list(edges), labels=labels).cast(pl.String)
