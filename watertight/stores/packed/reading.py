"""Rows by their keys, many at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from watertight.stores.packed.catalogue import StoredView, layout

AT_ONCE = 1024


class StoredRow(NamedTuple):
    """A row as it is kept: times in microseconds, created None if unknown, and its values packed in the order of ``names``."""

    event_us: int
    created_us: int | None
    names: tuple[str, ...]
    packed: bytes


def stored_rows(connection: sqlite3.Connection, stored: StoredView, keys: Sequence[bytes]) -> dict[bytes, StoredRow]:
    """The rows of those ``keys`` that the view has."""
    layouts: dict[int, tuple[str, ...]] = {}
    found = {}
    for key, event_us, created_us, number, packed in _asked(connection, stored, keys):
        if number not in layouts:
            layouts[number] = layout(connection, number)
        found[key] = StoredRow(event_us, created_us, layouts[number], packed)
    return found


def _asked(
    connection: sqlite3.Connection, stored: StoredView, keys: Sequence[bytes]
) -> Iterator[tuple[bytes, int, int | None, int, bytes]]:
    for start in range(0, len(keys), AT_ONCE):
        some = keys[start : start + AT_ONCE]
        # To the next power of two, so that few statements serve all sizes and none is compiled twice.
        places = 1 << (len(some) - 1).bit_length()
        asked = (
            f"SELECT entity_key, event_us, created_us, layout, packed FROM {stored.rows} WHERE entity_key IN ({_marks(places)})"
        )
        yield from connection.execute(asked, [*some, *[None] * (places - len(some))])


def _marks(places: int) -> str:
    return ",".join("?" * places)
