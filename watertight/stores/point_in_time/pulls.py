"""The rows of a source themselves: the newest of each key, or all of a span of time; a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
from feast.feature_view import DUMMY_ENTITY_ID, DUMMY_ENTITY_VAL

from watertight.stores.point_in_time.instants import instants, unit_for
from watertight.stores.point_in_time.latest import in_span, newest_of_each_key, ticks
from watertight.stores.point_in_time.parquet_rows import ParquetRows, RowGroup
from watertight.stores.point_in_time.prune import within

Span = tuple[datetime | None, datetime | None]


@dataclass
class Latest:
    """The newest row of each key, in the order of the source, which is ``opened`` each time that it is read.

    ``times`` are the event's and, where there is one, the creation's column. Without ``keys`` there is one row. ``count`` is how
    many rows there are, known once the first is asked for.
    """

    opened: Callable[[], ParquetRows]
    columns: Sequence[str]
    keys: Sequence[str]
    times: Sequence[str]
    span: Span
    count: int | None = None

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows, at most so many at a time."""
        created = self.times[1] if len(self.times) > 1 else None
        source = self.opened()
        newest = newest_of_each_key(source, self.keys, self.times[0], created, *self.span)
        self.count = len(newest.rows)
        bounds = np.searchsorted(newest.rows, [group.first for group in newest.groups] + [np.iinfo(np.int64).max])
        for group, low, high in zip(newest.groups, bounds, bounds[1:]):
            if high > low:
                yield from _of_group(source, group, self.columns, newest.rows[low:high] - group.first, rows)


def pulled_all(source: ParquetRows, columns: Sequence[str], event: str, span: Span, rows: int) -> Iterator[pa.RecordBatch]:
    """All rows with an event within the span, in the order of the source, in batches of at most ``rows``."""
    unit = unit_for(None, [source.type(event)])
    bounds = (ticks(span[0], unit), ticks(span[1], unit))
    for group in source.row_groups(within(source, event, *bounds, unit)):
        happened, known = instants(source.read(group, [source.column(event)])[0], unit, event)
        kept = np.flatnonzero(in_span(happened, known, bounds) if span != (None, None) else np.ones(group.rows, np.bool_))
        if len(kept):
            yield from _of_group(source, group, columns, kept, rows)


def _of_group(
    source: ParquetRows, group: RowGroup, columns: Sequence[str], kept: np.ndarray, rows: int
) -> Iterator[pa.RecordBatch]:
    named = [name for name in columns if name != DUMMY_ENTITY_ID]
    own = [source.column(name) for name in named]
    for first, piece in source.pieces(group, list(dict.fromkeys(own)), threads=True):
        table = pa.Table.from_arrays([piece[name] for name in own], names=named)
        if DUMMY_ENTITY_ID in columns:
            table = table.append_column(DUMMY_ENTITY_ID, pa.repeat(DUMMY_ENTITY_VAL, table.num_rows))
        inside = kept[np.searchsorted(kept, first) : np.searchsorted(kept, first + table.num_rows)] - first
        for at in range(0, len(inside), rows):
            yield from table.take(pa.array(inside[at : at + rows])).combine_chunks().to_batches()
