"""What a page is made of: tables, charts, and parts that hold them. Plain text throughout; the template escapes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from watertight.page.charts import Chart


@dataclass(frozen=True)
class Table:
    """``rows`` under ``head``, the first cell of each a heading; ``roles`` marks rows; folded under a ``summary``, if any."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    roles: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True)
class Hit:
    """What a query found at ``place``: its ``name``, what it is (``text``), how ``near`` it is, and whether it is the own one."""

    place: str
    name: str
    text: str
    near: str
    own: bool


@dataclass(frozen=True)
class Sheet:
    """A query, ``text`` and what is told of it, with its ``hits``, nearest first."""

    text: str
    note: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Part:
    """A titled part with sentences, charts, tables and sheets; without any of these the sentences say why."""

    title: str
    notes: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    sheets: tuple[Sheet, ...] = ()


def table(caption: str, rows: Iterable[Mapping[str, Any]], summary: str = "", roles: Sequence[str] = ()) -> Table:
    """A table of records with the same keys."""
    listed = list(rows)
    head = tuple(listed[0]) if listed else ()
    return Table(caption, head, tuple(tuple(text(row[name]) for name in head) for row in listed), tuple(roles), summary)


def text(value: Any) -> str:
    """A value for a person: floats to four decimals, null as a dash."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def interval(figure: float | None, low: float | None, high: float | None) -> str:
    """A figure with its interval in brackets, where it has one."""
    return text(figure) + (f" [{low:.4f}, {high:.4f}]" if low is not None and high is not None else "")
