"""Times as a source keeps them, as microseconds in UTC."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from watertight.core.errors import Refusal
from watertight.core.time import to_utc
from watertight.stores.wire.takes_arrow import CREATED_TIMESTAMP, EVENT_TIMESTAMP

UTC_MICROSECONDS = pa.timestamp("us", tz="UTC")


def in_utc(rows: pa.Table, view: str) -> pa.Table:
    """``rows`` with both times as ``timestamp[us, tz=UTC]``; naive times are UTC, as Feast takes them.

    Raises Refusal where an event time is null or unreadable, or a creation time unreadable.
    """
    for name in (EVENT_TIMESTAMP, CREATED_TIMESTAMP):
        if name in rows.column_names and rows.schema.field(name).type != UTC_MICROSECONDS:
            rows = rows.set_column(rows.column_names.index(name), name, _utc(rows.column(name), name, view))
    _demand_none_null(rows.column(EVENT_TIMESTAMP), EVENT_TIMESTAMP, view)
    return rows


def _utc(column: pa.ChunkedArray, name: str, view: str) -> pa.ChunkedArray:
    read = pa.chunked_array([to_utc(pl.Series(name, column), "UTC").to_arrow().cast(UTC_MICROSECONDS)])
    if read.null_count > column.null_count:
        _demand_none_null(read, name, view)
    return read


def _demand_none_null(column: pa.ChunkedArray, name: str, view: str) -> None:
    if column.null_count:
        raise Refusal(
            f"view {view!r}: {column.null_count} of {len(column)} row(s) without a readable {name}",
            expected="a date, a timestamp or ISO 8601 text in every row",
            next_step="mend the source",
        )
