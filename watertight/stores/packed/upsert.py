"""Writing packed rows: of each key the newest event stays, of equal events the newest created, of equal both the last written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from watertight.stores.packed.catalogue import StoredView
from watertight.stores.packed.times import UNKNOWN

Line = tuple[bytes, int, int | None, int, bytes]
"""Entity key, event and created in microseconds (None is unknown, older than any), layout, packed values."""

_KEEP_NEWEST = f"""
INSERT INTO {{rows}} (entity_key, event_us, created_us, layout, packed) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (entity_key) DO UPDATE SET
    event_us = excluded.event_us, created_us = excluded.created_us, layout = excluded.layout, packed = excluded.packed
WHERE (excluded.event_us, ifnull(excluded.created_us, {UNKNOWN})) >= (event_us, ifnull(created_us, {UNKNOWN}))
"""


def upsert(connection: sqlite3.Connection, stored: StoredView, lines: Iterable[Line]) -> None:
    """Write rows in order; faster where they come in the order of their keys. Within a transaction of the caller's."""
    connection.executemany(_KEEP_NEWEST.format(rows=stored.rows), lines)
