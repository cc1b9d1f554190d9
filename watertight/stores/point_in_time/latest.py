"""The newest row of every key within a span of time: what is written to an online store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watertight.stores.point_in_time.instants import Unit, instants, unit_for
from watertight.stores.point_in_time.keys import Keys
from watertight.stores.point_in_time.parquet_rows import ParquetRows, RowGroup
from watertight.stores.point_in_time.prune import within
from watertight.stores.point_in_time.slots import LONG_AGO, Codes, Longs

# Rows that wait until they are worth another look at all keys; more keys, more rows.
_WAITING = 1_000_000


@dataclass(frozen=True)
class Newest:
    """One row of each key: its key columns, its number, and the row groups by whose numbers it is counted."""

    keys: pa.Table
    rows: Longs
    groups: list[RowGroup]


@dataclass(frozen=True)
class Candidates:
    """Rows that may be the newest of their keys: key columns, event, creation (LONG_AGO where null) and number."""

    keys: pa.Table
    event: Longs
    created: Longs
    rows: Longs


def newest_of_each_key(
    source: ParquetRows, keys: Sequence[str], event: str, created: str | None, start: datetime | None, end: datetime | None
) -> Newest:
    """Of each combination of ``keys`` the row with the newest event from ``start`` to ``end``, both included.

    Ties go to the newest creation, null being the oldest, then to the row that stands last. Null is a key like any other.
    Memory grows with the number of keys, not of rows. ``start`` and ``end`` without a zone are in UTC; None is unbounded.
    """
    unit = unit_for(None, [source.type(name) for name in (event, created) if name])
    first, last = ticks(start, unit), ticks(end, unit)
    groups = source.row_groups(within(source, event, first, last, unit))
    waiting: list[Candidates] = []
    best = 0
    for group in groups:
        waiting.append(_in_span(source, group, keys, event, created, unit, (first, last)))
        if sum(len(part.rows) for part in waiting[1:]) >= max(_WAITING, best):
            waiting = [_reduced(waiting)]
            best = len(waiting[0].rows)
    found = _reduced(waiting) if waiting else None
    if found is None:
        empty = source.dataset.schema.empty_table().select([source.column(name) for name in keys])
        return Newest(empty, np.zeros(0, np.int64), groups)
    order = np.argsort(found.rows)
    return Newest(found.keys.take(pa.array(order)), found.rows[order], groups)


def ticks(instant: datetime | None, unit: Unit) -> int | None:
    """An instant as a whole number; one without a zone is in UTC."""
    if instant is None:
        return None
    zoned = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return pa.scalar(zoned, pa.timestamp("us", "UTC")).value * (1_000 if unit == "ns" else 1)


def in_span(event: Longs, known: npt.NDArray[np.bool_], span: tuple[int | None, int | None]) -> npt.NDArray[np.bool_]:
    """Which events are known and from the first to the last of ``span``."""
    first, last = span
    kept = known.copy()
    if first is not None:
        kept &= event >= first
    if last is not None:
        kept &= event <= last
    return kept


def _in_span(
    source: ParquetRows,
    group: RowGroup,
    keys: Sequence[str],
    event: str,
    created: str | None,
    unit: Unit,
    span: tuple[int | None, int | None],
) -> Candidates:
    own = [source.column(name) for name in keys]
    times = [source.column(name) for name in (event, created) if name]
    table = source.read(group, list(dict.fromkeys([*own, *times])), threads=True)
    happened, known = instants(table[times[0]], unit, event)
    kept = np.flatnonzero(in_span(happened, known, span))
    written = np.full(group.rows, LONG_AGO, np.int64)
    if created:
        instant, known = instants(table[times[1]], unit, created)
        written = np.where(known, instant, LONG_AGO)
    chosen = table.select(own).take(pa.array(kept)) if own else pa.table({})
    return _reduced([Candidates(chosen, happened[kept], written[kept], group.first + kept)])


def _reduced(parts: Sequence[Candidates]) -> Candidates:
    """The newest row of each key of several parts."""
    keys = pa.concat_tables([part.keys for part in parts])
    event, created, rows = (np.concatenate([getattr(part, name) for part in parts]) for name in ("event", "created", "rows"))
    codes, count = _codes(keys, len(rows))
    kept = np.sort(_newest(codes, count, event, created, rows))
    return Candidates(keys.take(pa.array(kept)), event[kept], created[kept], rows[kept])


def _codes(keys: pa.Table, rows: int) -> tuple[Codes, int]:
    """A code for each key, null parts being values like any other."""
    filled = [column for name in keys.column_names for column in _with_nulls(keys[name])]
    found = Keys(filled, [column.type for column in filled], keys.column_names * 2, rows)
    return found.codes, found.count if rows else 0


def _with_nulls(column: pa.ChunkedArray) -> list[pa.ChunkedArray]:
    """A key column without nulls, and one that says where they were; no number is none."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if not column.null_count:
        return [column]
    some = column.drop_null()[:1]
    filler = some[0] if len(some) else pa.scalar(0, pa.int64())
    filled = column.fill_null(filler) if len(some) else pa.chunked_array([pa.repeat(filler, len(column))])
    return [filled, column.is_null()]


@numba.njit(cache=True, nogil=True)
def _newest(codes: Codes, count: int, event: Longs, created: Longs, rows: Longs) -> Longs:
    best = np.full(count, -1, np.int64)
    for i in range(len(codes)):
        if codes[i] < 0:
            continue
        held = best[codes[i]]
        if held < 0 or (
            event[i] > event[held]
            or (
                event[i] == event[held] and (created[i] > created[held] or (created[i] == created[held] and rows[i] > rows[held]))
            )
        ):
            best[codes[i]] = i
    return best
