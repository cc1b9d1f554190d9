"""What is wrong with an answer, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from tests.stores.offline.case import EVERYTHING, About, Answer, Case

Row = dict[str, Any]


def complaints(case: Case, expected: Answer, actual: pa.Table, *, strict: bool) -> list[str]:
    """Every way in which ``actual`` is not what was expected; ``strict`` looks at all that the contract fixes."""
    looked_at = (EVERYTHING if strict else case.about | About.VALUES) & ~expected.free
    return list(_complaints(expected, actual, looked_at, strict))


def _complaints(expected: Answer, actual: pa.Table, looked_at: About, strict: bool) -> Iterator[str]:
    wanted = expected.table
    if About.COLUMNS in looked_at and actual.column_names != wanted.column_names:
        yield f"columns {actual.column_names}, not {wanted.column_names}"
    if lacking := [name for name in _judged(expected, looked_at) if actual.column_names.count(name) != 1]:
        yield f"columns {lacking} are missing or stand there twice"
        return
    if actual.num_rows != wanted.num_rows:
        yield f"{actual.num_rows} rows, not {wanted.num_rows}"
        return
    if About.TYPES in looked_at or About.ENTITY in looked_at:
        yield from _types(expected, actual, looked_at, exact=strict)
    yield from _values(expected, actual, looked_at)


def _judged(expected: Answer, looked_at: About) -> list[str]:
    """The columns whose values count: the joined ones, and the caller's own where the case is about them."""
    return [
        name
        for name in expected.table.column_names
        if About.ENTITY in looked_at or name not in expected.entity or name in expected.by
    ]


def _types(expected: Answer, actual: pa.Table, looked_at: About, exact: bool) -> Iterator[str]:
    for name in _judged(expected, looked_at):
        of_caller = name in expected.entity
        wanted, found = (_plain(table.schema.field(name).type, exact) for table in (expected.table, actual))
        if (About.ENTITY if of_caller else About.TYPES) in looked_at and wanted != found:
            yield f"{name} is {found}, not {wanted}"


def _values(expected: Answer, actual: pa.Table, looked_at: About) -> Iterator[str]:
    exact = About.TYPES in looked_at
    wanted, found = (_rows(table, _judged(expected, looked_at), exact) for table in (expected.table, actual))
    if About.ORDER not in looked_at and expected.by:
        wanted, found = (sorted(some, key=lambda row: [repr(row[name]) for name in expected.by]) for some in (wanted, found))
    unlike = [(mine, other) for mine, other in zip(wanted, found, strict=True) if mine != other]
    if unlike:
        yield f"{len(unlike)} of {len(wanted)} rows differ; first: {_differing(*unlike[0])}"


def _differing(wanted: Row, found: Row) -> str:
    names = [name for name in wanted if wanted[name] != found[name]]
    return ", ".join(f"{name} is {found[name]!r}, not {wanted[name]!r}" for name in names)


def _rows(table: pa.Table, names: list[str], exact: bool) -> list[Row]:
    return [{name: _value(value, exact) for name, value in row.items()} for row in table.select(names).to_pylist()]


def _value(value: Any, exact: bool) -> Any:
    """Comparable: NaN equals NaN, naive instants are in UTC; unless exact, NaN is a missing value as well, and 1.0 is 1."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN" if exact else None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    if isinstance(value, date) and not exact:
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, list | tuple):
        return [_value(one, exact) for one in value]
    return int(value) if isinstance(value, float | Decimal) and not exact and value == int(value) else value


def _plain(kind: pa.DataType, exact: bool) -> pa.DataType:
    """A type without what only says how it is laid out in memory; unless exact, an instant of any unit is an instant."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type, exact)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(pa.field("item", _plain(kind.value_type, exact)))
    if pa.types.is_timestamp(kind):
        return pa.timestamp(kind.unit if exact else "us", "UTC" if kind.tz in ("Etc/UTC", "+00:00") else kind.tz)
    return kind
