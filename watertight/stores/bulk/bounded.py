"""Batches of a size that is worth the work on a batch and that memory does not notice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

MAX_ROWS = 10_000
MAX_BYTES = 8 << 20


def bounded(batches: Iterable[pa.RecordBatch], max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES) -> Iterator[pa.Table]:
    """The rows of ``batches``, in their order, as tables of one chunk.

    A table has at most ``max_rows`` rows and about ``max_bytes`` bytes, or a single row; small batches are put together.
    """
    waiting: list[pa.RecordBatch] = []
    for piece in _pieces(batches, max_rows, max_bytes):
        if waiting and not _fit([*waiting, piece], max_rows, max_bytes):
            yield _whole(waiting)
            waiting = []
        waiting.append(piece)
    if waiting:
        yield _whole(waiting)


def _pieces(batches: Iterable[pa.RecordBatch], max_rows: int, max_bytes: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = batch.num_rows
        share = max(1, rows * max_bytes // max(1, batch.nbytes)) if batch.nbytes > max_bytes else rows
        step = min(max_rows, share)
        yield from (batch.slice(start, step) for start in range(0, rows, max(1, step)))


def _fit(pieces: list[pa.RecordBatch], max_rows: int, max_bytes: int) -> bool:
    return sum(piece.num_rows for piece in pieces) <= max_rows and sum(piece.nbytes for piece in pieces) <= max_bytes


def _whole(pieces: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(pieces).combine_chunks()
