"""When a row was asked and when it was labelled, and in which time zone that is said."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from pipelines.new.columns import Column
from watertight.core.errors import Refusal
from watertight.core.time import to_utc

ZONE = "UTC"
"""Where a time that says no offset is taken to be from; an order of two times rarely depends on it."""
OFFSET = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$"


def instants(column: Column) -> pl.Series:
    """The column's times as UTC microseconds; null where a cell is blank, or is no time."""
    return to_utc(column.cells, ZONE)


def demand_times(column: Column, needed: pl.Series) -> None:
    """Raise Refusal with the first bad rows where a ``needed`` row has no time, or any has what cannot be read as one."""
    bad = instants(column).is_null() & (needed | column.cells.is_not_null())
    if not bad.any():
        return
    places = bad.arg_true()
    raise Refusal(
        f"{column.raw!r} is no time in {len(places)} row(s), first {column.cells[places[0]]!r}",
        column=column.raw,
        count=len(places),
        rows=[f"row {place + 1}" for place in places[:6]],
        expected="ISO 8601 in every row, such as 2025-05-03T09:30:00Z or 2025-05-03 09:30",
        next_step="write these times so, or name another column; nothing was changed",
    )


def demand_not_before(labelled: Column, asked: Column) -> None:
    """Raise Refusal with the first rows that were labelled before they were asked."""
    before = (instants(labelled) < instants(asked)).fill_null(False)
    if before.any():
        raise Refusal(
            f"{labelled.raw!r} is before {asked.raw!r} in {before.sum()} row(s): a label before its question",
            column=labelled.raw,
            count=int(before.sum()),
            rows=[f"row {place + 1}" for place in before.arg_true()[:6]],
            expected=f"{labelled.raw!r} at or after {asked.raw!r}",
            next_step="mend the times, or name another --labelled-at; nothing was changed",
        )


def guessed_label_time(columns: Iterable[Column], asked: Column, labelled: pl.Series) -> Column | None:
    """The first column of times that no ``labelled`` row lacks and that never lies before ``asked``; None if none does."""
    start = instants(asked)
    for column in columns:
        if column.kind == "timestamp":
            given = instants(column)
            if (given >= start).filter(labelled).fill_null(False).all() and not (given < start).any():
                return column
    return None


def says_offset(column: Column) -> bool:
    """Whether every time of the column says its own offset from UTC."""
    if column.cells.dtype == pl.String:
        return bool(column.values.str.contains(OFFSET).all())
    return isinstance(column.cells.dtype, pl.Datetime) and column.cells.dtype.time_zone is not None
