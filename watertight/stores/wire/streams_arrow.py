"""A retrieval job that gives its rows bit by bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import pyarrow as pa


@runtime_checkable
class StreamsArrow(Protocol):
    """What whoever materialises asks of a retrieval job before it takes the whole answer into memory."""

    def record_batches(self, max_rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of ``to_arrow()``, each once and in any order, at most ``max_rows`` at a time."""
        ...


@runtime_checkable
class CountsRows(Protocol):
    """A streaming job that can tell how many rows there are in all, for whoever shows the time left and checks the end."""

    def row_count(self) -> int | None:
        """The rows of ``record_batches`` in all: known from its first batch on, None before."""
        ...
