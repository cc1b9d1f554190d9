"""Slices: the parts of the rows that a figure is also told for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

NULL = "(null)"


@dataclass(frozen=True)
class Slice:
    """Rows with one value (or in one range) of a column, or all rows, where ``column`` is empty."""

    column: str
    value: str
    rows: pl.DataFrame


def whole_and_slices(rows: pl.DataFrame, declared: Mapping[str, Sequence[float]]) -> Iterator[Slice]:
    """All rows, then the slices over each declared column."""
    yield Slice("", "", rows)
    for column, edges in declared.items():
        yield from slices(rows, column, edges)


def slices(rows: pl.DataFrame, column: str, edges: Sequence[float]) -> Iterator[Slice]:
    """The slices of ``rows`` over ``column``: one per value, or per range where ``edges`` are given.

    A range is open below and closed above: edges 25 and 160 make ≤ 25, ≤ 160 and > 160. The nulls are a slice of
    their own, the last. An absent column has none.
    """
    if column not in rows.columns:
        return
    values = slice_of(rows[column], edges)
    for value in sorted(values.unique(), key=lambda value: (value == NULL, value)):
        yield Slice(column, value, rows.filter(values == value))


def slice_of(column: pl.Series, edges: Sequence[float]) -> pl.Series:
    """The name of the slice of each row over ``column``, as :func:`slices` cuts it; ``(null)`` where there is no value."""
    return (_ranges(column, edges) if edges else column.cast(pl.String)).fill_null(NULL)


def _ranges(values: pl.Series, edges: Sequence[float]) -> pl.Series:
    labels = [f"≤ {edge:.12g}" for edge in edges] + [f"> {edges[-1]:.12g}"]
    known = values.is_not_null() & values.is_not_nan() if values.dtype.is_float() else values.is_not_null()
    places = np.searchsorted(np.asarray(edges, dtype=np.float64), values.cast(pl.Float64).fill_null(0).to_numpy())
    return pl.Series(values.name, np.array(labels)[places]).set(~known, None)
