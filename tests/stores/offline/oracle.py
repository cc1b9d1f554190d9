"""The join in loops over rows: the slow, obvious answer to which the store's must be equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]
EVENT, CREATED = "event_timestamp", "created"


@dataclass(frozen=True)
class History:
    """The rows of a view's source as they stand in its files, and by what they are joined."""

    name: str
    keys: tuple[str, ...]
    rows: Sequence[Row]
    ttl: timedelta | None
    created: bool


def joined(asked: Sequence[Row], histories: Sequence[History], *, filtered: bool) -> list[Row]:
    """Each asked row with ``<view>__value`` of each history, as of its event timestamp."""
    return [row | {f"{one.name}__value": value_at(one, row, filtered) for one in histories} for row in asked]


def value_at(history: History, asked: Row, filtered: bool) -> Any:
    """The value of the newest visible row, unless it is older than the time to live."""
    if any(asked[key] is None for key in history.keys):
        return None
    now = asked[EVENT]
    seen = [
        place for place, row in enumerate(history.rows) if _agree(history, row, asked) and _visible(history, row, now, filtered)
    ]
    if not seen:
        return None
    newest = history.rows[max(seen, key=lambda place: _rank(history, place))]
    expired = bool(history.ttl) and newest[EVENT] < now - history.ttl
    return None if expired else newest["value"]


def _agree(history: History, row: Row, asked: Row) -> bool:
    return all(row[key] is not None and row[key] == asked[key] for key in history.keys)


def _visible(history: History, row: Row, now: datetime, filtered: bool) -> bool:
    if row[EVENT] is None or row[EVENT] > now:
        return False
    return not (filtered and history.created) or (row[CREATED] is not None and row[CREATED] <= now)


def _rank(history: History, place: int) -> tuple[Any, ...]:
    """The later event, then the later creation (none is the oldest), then the later place in the source."""
    row = history.rows[place]
    created = row[CREATED] if history.created else None
    return row[EVENT], created is not None, created or row[EVENT], place
