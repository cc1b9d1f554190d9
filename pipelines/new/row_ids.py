"""Which column names a row, or of which columns a digest does."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from pipelines.new.columns import Column
from watertight.core.errors import Refusal

ID = r"(^|_)(id|uuid|key|number|no)$|[a-z]id$"


def guessed_row_id(columns: Sequence[Column]) -> Column | None:
    """The first column without a blank or a repeat that is called as ids are; else the first such one of single words."""
    able = [column for column in columns if column.unique and column.kind != "text"]
    called = [column for column in able if re.search(ID, column.name)]
    return next(iter([*called, *(column for column in able if column.kind == "string")]), None)


def demand_unique(column: Column) -> None:
    """Raise Refusal with the first rows that are blank or repeated in the column that is to name them."""
    bad = column.cells.is_null() | column.cells.is_duplicated()
    if bad.any():
        raise Refusal(
            f"{column.raw!r} names {bad.sum()} row(s) twice or not at all",
            column=column.raw,
            count=int(bad.sum()),
            rows=[f"row {place + 1}" for place in bad.arg_true()[:6]],
            expected="a value in every row that no other row has",
            next_step="name another --row-id, or none: a digest of the row is taken then; nothing was changed",
        )


def digested(first: Sequence[Column], rest: Sequence[Column], labels: Sequence[Column]) -> tuple[Column, ...]:
    """The columns of which a digest tells the rows apart: ``first`` if they do, else the ``rest`` besides.

    Rows that are alike in all of them and in their ``labels`` too are repeats, which ingest leaves out. Raises Refusal for
    rows that are alike in all of them with different labels: nothing tells which is which.
    """
    if not _frame(first).is_duplicated().any():
        return tuple(first)
    every = (*first, *rest)
    once = _frame((*every, *labels)).with_row_index("place").unique([*_names(every), *_names(labels)], maintain_order=True)
    doubled = once.filter(once.select(_names(every)).is_duplicated())
    if not doubled.is_empty():
        raise Refusal(
            f"{doubled.height} rows differ in their labels alone, and no column names them",
            count=doubled.height,
            rows=[f"row {place + 1}" for place in doubled["place"][:6]],
            expected="a column with a value of its own in each row",
            next_step="number the rows in a column of the file, and name it with --row-id; nothing was changed",
        )
    return every


def _names(columns: Sequence[Column]) -> list[str]:
    return [column.raw for column in columns]


def _frame(columns: Sequence[Column]) -> pl.DataFrame:
    return pl.DataFrame([column.cells.alias(column.raw) for column in columns])
