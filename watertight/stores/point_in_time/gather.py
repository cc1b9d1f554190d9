"""The columns of the rows that won: what is read of a row group is dealt out to the labels at once, and forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa

from watertight.stores.point_in_time.memory import Memory
from watertight.stores.point_in_time.parquet_rows import ParquetRows, RowGroup
from watertight.stores.point_in_time.sinks import Ragged, Sink, sink_for
from watertight.stores.point_in_time.slots import Longs

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Wanted:
    """The labels that have a row in one row group, ascending, and which row of it each has."""

    group: RowGroup
    labels: Longs
    rows: Longs

    def within(self, first: int, end: int) -> tuple[Longs, Longs]:
        """The labels whose row is from ``first`` to before ``end``, and which of these rows each has."""
        if first == 0 and end >= self.group.rows:
            return self.labels, self.rows
        inside = (self.rows >= first) & (self.rows < end)
        return self.labels[inside], self.rows[inside] - first


def gathered(
    source: ParquetRows, groups: Sequence[RowGroup], winners: Longs, columns: Sequence[str], memory: Memory, workers: int
) -> list[pa.ChunkedArray]:
    """The ``columns`` of the files, in their order, each of a value per label: (n,) by ``winners`` (n,), null at -1."""
    wanted, has_row = _by_group(groups, winners), winners >= 0
    sinks: dict[str, Sink] = {name: sink_for(source.dataset.schema.field(name).type, has_row, memory) for name in columns}
    ragged = _fill(source, wanted, sinks, workers)
    again = {name: sink_for(source.dataset.schema.field(name).type, has_row, memory, vectors=False) for name in ragged}
    _fill(source, wanted, again, workers)
    sinks.update(again)
    return [sinks.pop(name).done() for name in columns]


def in_threads(work: Callable[[Thing], None], things: Sequence[Thing], workers: int) -> None:
    """Do the work on each thing, ``workers`` at a time; raises what the work raises."""
    if workers == 1 or len(things) <= 1:
        for thing in things:
            work(thing)
        return
    pool = ThreadPoolExecutor(workers)
    try:
        for _ in pool.map(work, things):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


def _by_group(groups: Sequence[RowGroup], winners: Longs) -> list[Wanted]:
    """A stable sort by row group alone, so that each group's labels are written in their order."""
    # NumPy sorts two bytes by radix, ten times as fast as more.
    small = np.int16 if len(groups) < 2**15 else np.int64
    group_of = np.searchsorted([group.first for group in groups], winners, side="right").astype(small)
    order = np.argsort(group_of, kind="stable")
    bounds = np.searchsorted(group_of[order], np.arange(1, len(groups) + 2))
    return [
        Wanted(group, order[low:high], winners[order[low:high]] - group.first)
        for group, low, high in zip(groups, bounds, bounds[1:])
        if high > low
    ]


def _fill(source: ParquetRows, wanted: Sequence[Wanted], sinks: dict[str, Sink], workers: int) -> set[str]:
    """Put every value where it belongs; answers the columns that are ragged, and so not filled."""
    ragged: set[str] = set()

    def fill(share: tuple[Wanted, list[str]]) -> None:
        of_group, names = share
        for first, table in source.pieces(of_group.group, names, threads=len(shares) < workers):
            labels, rows = of_group.within(first, first + table.num_rows)
            for name in (name for name in names if name not in ragged):
                try:
                    sinks[name].put(labels, rows, table[name])
                except Ragged:
                    ragged.add(name)

    shares = [(of_group, names) for of_group in wanted for names in _shares(list(sinks), workers if len(wanted) < workers else 1)]
    in_threads(fill, shares, workers)
    return ragged


def _shares(columns: list[str], shares: int) -> Iterator[list[str]]:
    step = max(1, -(-len(columns) // shares))
    yield from (columns[at : at + step] for at in range(0, len(columns), step))
