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
