"""Blocks that stay in memory from one search to the next, as long as nothing is written to their view."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from watertight.stores.packed.catalogue import StoredView
from watertight.stores.packed.search.block import Block, blocks
from watertight.stores.packed.search.query import Query


class _Entry(NamedTuple):
    changes: int
    columns: set[str]
    blocks: list[Block]
    nbytes: int


class Kept:
    """The embeddings of the views that were searched last, within a limit of memory. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: OrderedDict[tuple[Path, int, str, int], _Entry] = OrderedDict()

    def blocks(self, path: Path, connection: sqlite3.Connection, stored: StoredView, query: Query, limit: int) -> Iterable[Block]:
        """The view's blocks as of the connection's snapshot; those of a view over ``limit`` bytes are read and not kept."""
        place = (path, stored.id, query.field.name, query.vector.size)
        with self._lock:
            entry = self._entries.get(place)
            if entry is not None and entry.changes == stored.changes and entry.columns >= set(query.filtered):
                self._entries.move_to_end(place)
                return entry.blocks
            return self._read(place, connection, stored, query, limit)

    def _read(
        self, place: tuple[Path, int, str, int], connection: sqlite3.Connection, stored: StoredView, query: Query, limit: int
    ) -> Iterable[Block]:
        self._entries.pop(place, None)
        coming, found, size = blocks(connection, stored, query), [], 0
        for block in coming:
            found.append(block)
            size += block.nbytes
            if size > limit:
                return chain(found, coming)
        while self._entries and size + sum(entry.nbytes for entry in self._entries.values()) > limit:
            self._entries.popitem(last=False)
        self._entries[place] = _Entry(stored.changes, set(query.filtered), found, size)
        return found
