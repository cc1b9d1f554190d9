"""One feature view joined to the labels: which of its rows each label sees, and the columns of those rows."""

from __future__ import annotations

import functools
import operator
import queue
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from feast import FeatureView

from watertight.core.errors import Misuse
from watertight.stores.point_in_time.gather import gathered, in_threads
from watertight.stores.point_in_time.instants import Unit, instants, unit_for
from watertight.stores.point_in_time.keys import Keys
from watertight.stores.point_in_time.lookup import Known
from watertight.stores.point_in_time.memory import Memory
from watertight.stores.point_in_time.parquet_rows import ParquetRows, RowGroup
from watertight.stores.point_in_time.prune import between, within
from watertight.stores.point_in_time.slots import LONG_AGO, NONE, Codes, Labels, Longs, Slots, labels_in_slots

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class ViewQuery:
    """What is asked of one view.

    ``keys`` are pairs of an entity column and the column of the source that it must equal; ``columns`` the features by the
    source's names. ``ttl`` is the greatest age of an event that is seen, None any. With ``written`` a row is not seen before
    its creation; a row whose creation is null never is.
    """

    view: FeatureView
    source: ParquetRows
    keys: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    event: str
    created: str | None
    ttl: timedelta | None
    written: bool

    @property
    def name(self) -> str:
        """Under which the view is asked."""
        return str(self.view.projection.name_to_use())


@dataclass(frozen=True)
class Asked:
    """Entity rows: a table, and its column of instants, in which no null may be."""

    table: pa.Table
    at: str
    _slots: dict[object, tuple[Keys, Labels]] = field(default_factory=dict)

    def instants(self, unit: Unit) -> Longs:
        """When each row is asked; raises Misuse if a row does not say."""
        found, known = instants(self.table[self.at], unit, self.at)
        if not known.all():
            rows = np.flatnonzero(~known)
            raise Misuse(
                f"{len(rows)} entity row(s) have no {self.at!r}, the first is row {rows[0]}", expected="an instant in every row"
            )
        return found

    def in_slots(self, columns: Sequence[str], types: Sequence[pa.DataType], unit: Unit) -> tuple[Keys, Labels]:
        """The rows by key and instant; views with like keys share them."""
        called = (tuple(columns), tuple(map(str, types)), unit)
        if called not in self._slots:
            keys = Keys([self.table[name] for name in columns], types, columns, self.table.num_rows)
            self._slots[called] = keys, labels_in_slots(keys.codes, self.instants(unit), keys.count)
        return self._slots[called]


def joined(asked: Asked, query: ViewQuery, memory: Memory, workers: int) -> list[pa.ChunkedArray]:
    """The columns of ``query``, each (n,) for the n rows ``asked``; null where no row of the view is seen."""
    source = query.source
    unit = _unit(asked, query)
    columns = [source.column(name) for name in query.columns]
    types = [source.type(own) for _, own in query.keys]
    keys, labels = asked.in_slots([name for name, _ in query.keys], types, unit)
    groups = source.row_groups(_that_matter(asked, query, labels, unit)) if len(labels.instants) else []
    found = _winners(query, groups, keys, labels, unit, workers)
    winners = np.full(asked.table.num_rows, NONE, np.int64)
    winners[labels.order] = found
    return gathered(source, groups, winners, columns, memory, workers)


def _unit(asked: Asked, query: ViewQuery) -> Unit:
    kind = asked.table.schema.field(asked.at).type
    fine = pa.types.is_timestamp(kind) and kind.unit == "ns"
    types = [query.source.type(name) for name in (query.event, query.created) if name]
    return unit_for(asked.instants("ns") if fine else None, types)


def _that_matter(asked: Asked, query: ViewQuery, labels: Labels, unit: Unit) -> pc.Expression | None:
    """Rows that some label may see: of a key between its least and greatest, within the time that labels look back on."""
    first, last = int(labels.instants.min()), int(labels.instants.max())
    source, ttl = query.source, _ticks(query.ttl, unit)
    parts = [within(source, query.event, first - ttl if ttl is not None else None, last, unit)]
    parts += [between(source, own, asked.table[name]) for name, own in query.keys]
    known = [part for part in parts if part is not None]
    return functools.reduce(operator.and_, known) if known else None


def _winners(query: ViewQuery, groups: Sequence[RowGroup], keys: Keys, labels: Labels, unit: Unit, workers: int) -> Longs:
    """The number of the row that the label of each slot sees."""
    workers = max(1, min(workers, len(groups)))
    free: queue.SimpleQueue[Slots] = queue.SimpleQueue()
    every = [Slots(labels) for _ in range(workers)]
    for slots in every:
        free.put(slots)

    def drop(group: RowGroup) -> None:
        codes, event, created, seen_from = _read(query, group, keys, unit, threads=workers == 1)
        slots = free.get()
        slots.drop(codes, event, created, seen_from, group.first)
        free.put(slots)

    in_threads(drop, groups, workers)
    for other in every[1:]:
        every[0].take(other)
    return every[0].winners(_ticks(query.ttl, unit))


def _read(query: ViewQuery, group: RowGroup, keys: Keys, unit: Unit, threads: bool) -> tuple[Codes, Longs, Longs, Longs]:
    """The keys and instants of a row group: codes, events, creations, and from when on each row is seen."""
    source = query.source
    own = [source.column(column) for _, column in query.keys]
    times = [source.column(name) for name in (query.event, query.created) if name]
    table = source.read(group, list(dict.fromkeys([*own, *times])), threads)
    codes = keys.of([table[name] for name in own], group.rows)
    event, known = instants(table[times[0]], unit, query.event)
    _forget(codes, known)
    if query.created is None:
        return codes, event, event, event
    created, known = instants(table[times[1]], unit, query.created)
    if query.written:
        _forget(codes, known)
        return codes, event, created, np.maximum(event, created)
    return codes, event, created if known.all() else np.where(known, created, LONG_AGO), event


def _forget(codes: Codes, known: Known) -> None:
    if not known.all():
        codes[~known] = NONE


def _ticks(span: timedelta | None, unit: Unit) -> int | None:
    """A span in ticks; one that 64 bits cannot hold is none."""
    found = None if span is None else span // _MICROSECOND * (1_000 if unit == "ns" else 1)
    return None if found is None or found >= 2**63 else found
