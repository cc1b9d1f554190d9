"""The columns of the rows that won: each row group is read once, a few columns at a time, and dealt out to the labels."""

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

_AT_ONCE = 64 * 2**20

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Wanted:
    """The labels that have a row in one row group, ascending, and which row of it each has."""

    number: int
    group: RowGroup
    labels: Longs
    rows: Longs


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
        Wanted(number, group, order[low:high], winners[order[low:high]] - group.first)
        for number, (group, low, high) in enumerate(zip(groups, bounds, bounds[1:]))
        if high > low
    ]


def _fill(source: ParquetRows, wanted: Sequence[Wanted], sinks: dict[str, Sink], workers: int) -> set[str]:
    """Put every value where it belongs; answers the columns that are ragged, and so not filled."""
    ragged: set[str] = set()

    def fill(part: tuple[Wanted, list[str]]) -> None:
        group, names = part
        names = [name for name in names if name not in ragged]
        table = source.read(group.group, names, threads=len(parts) < workers)
        for name in names:
            try:
                sinks[name].put(group.number, group.labels, group.rows, table[name])
            except Ragged:
                ragged.add(name)

    parts = [(group, names) for group in wanted for names in _shares(group.group, list(sinks), workers, len(wanted))]
    in_threads(fill, parts, workers)
    return ragged


def _shares(group: RowGroup, columns: list[str], workers: int, groups: int) -> Iterator[list[str]]:
    """The columns in shares of about 64 MiB of a row group, and as many as there are workers if there is but one group."""
    size = _bytes(group, columns)
    shares = max(-(-size // _AT_ONCE), workers if groups < workers else 1)
    step = max(1, -(-len(columns) // shares))
    yield from (columns[at : at + step] for at in range(0, len(columns), step))


def _bytes(group: RowGroup, columns: Sequence[str]) -> int:
    metadata, asked = group.fragment.metadata, set(columns)
    parts = [metadata.row_group(part.id) for part in group.fragment.row_groups]
    chunks = (part.column(place) for part in parts for place in range(part.num_columns))
    return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] in asked)
