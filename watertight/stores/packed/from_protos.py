"""Feast's own rows, protobuf messages key by key, as packed rows."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value

from watertight.stores.packed.catalogue import StoredView, layout_id
from watertight.stores.packed.keys import serialized
from watertight.stores.packed.reading import StoredRow, stored_rows
from watertight.stores.packed.row import packed, unpacked
from watertight.stores.packed.times import UNKNOWN, microseconds
from watertight.stores.packed.upsert import upsert

FeastRow = tuple[EntityKey, Mapping[str, Value], datetime, datetime | None]


class _Row(NamedTuple):
    event_us: int
    created_us: int
    values: Mapping[str, Value]

    @property
    def age(self) -> tuple[int, int]:
        return self.event_us, self.created_us


def write(connection: sqlite3.Connection, stored: StoredView, features: Sequence[str], rows: Sequence[FeastRow]) -> None:
    """Write rows of Feast's, in order.

    A whole row, of all ``features``, replaces the stored one or, where that is newer, is passed over. A row of some
    features leaves the others as they are; where it is older than the stored row it only adds what that lacks. Within
    ``rows`` the newest value of each feature stays. A stored row has one event, that of its newest write, and not one
    per feature: after a whole row of 12:10 and some features of 12:20, a whole row of 12:15 is passed over, and the
    other features stay as of 12:10. So rows of some features have to come in the order of their events.
    """
    history = _by_key(rows)
    whole = set(features)
    partial = [key for key, versions in history.items() if any(not row.values.keys() >= whole for row in versions)]
    before = stored_rows(connection, stored, partial)
    newest = {key: _newest([*_known(before.get(key)), *versions]) for key, versions in history.items()}
    numbers: dict[tuple[str, ...], int] = {}
    lines = []
    for key, row in sorted(newest.items()):
        names = _order(features, row.values)
        if names not in numbers:
            numbers[names] = layout_id(connection, names)
        created = None if row.created_us == UNKNOWN else row.created_us
        lines.append((key, row.event_us, created, numbers[names], packed(row.values[name] for name in names)))
    upsert(connection, stored, lines)


def _by_key(rows: Iterable[FeastRow]) -> dict[bytes, list[_Row]]:
    found: dict[bytes, list[_Row]] = defaultdict(list)
    for key, values, event, created in rows:
        row = _Row(microseconds(event), UNKNOWN if created is None else microseconds(created), values)
        found[serialized(key)].append(row)
    return found


def _known(row: StoredRow | None) -> list[_Row]:
    if row is None:
        return []
    created = UNKNOWN if row.created_us is None else row.created_us
    return [_Row(row.event_us, created, dict(zip(row.names, unpacked(row.packed))))]


def _newest(versions: list[_Row]) -> _Row:
    """The newest version, and from older ones the values of the features that it does not have; of equal ones the last."""
    if len(versions) == 1:
        return versions[0]
    ordered = sorted(versions, key=lambda row: row.age)
    return ordered[-1]._replace(values={name: value for row in ordered for name, value in row.values.items()})


def _order(features: Sequence[str], values: Mapping[str, Value]) -> tuple[str, ...]:
    named = tuple(name for name in features if name in values)
    return named if len(named) == len(values) else (*named, *sorted(values.keys() - set(named)))
