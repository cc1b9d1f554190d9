"""Which row groups need not be read, by the statistics that Parquet keeps of them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from watertight.stores.point_in_time.instants import Unit
from watertight.stores.point_in_time.parquet_rows import ParquetRows

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def within(source: ParquetRows, name: str, first: int | None, last: int | None, unit: Unit) -> pc.Expression | None:
    """That a time is from ``first`` to ``last``, both included; None where the statistics could not say it."""
    kind = source.type(name)
    if not pa.types.is_timestamp(kind):
        return None
    field = pc.field(source.column(name))
    parts = []
    if first is not None:
        parts.append(field >= _scalar(first, unit, kind, up=False))
    if last is not None:
        parts.append(field <= _scalar(last, unit, kind, up=True))
    return parts[0] & parts[1] if len(parts) == 2 else next(iter(parts), None)


def between(source: ParquetRows, name: str, labels: pa.ChunkedArray) -> pc.Expression | None:
    """That a key is between the least and the greatest of the labels; None where the two are not of one kind."""
    kind = source.type(name)
    same = (pa.types.is_integer(kind) and pa.types.is_integer(labels.type)) or (_is_text(kind) and _is_text(labels.type))
    if not same or labels.null_count == len(labels):
        return None
    ends = pc.min_max(labels)
    try:
        least, greatest = (pa.scalar(ends[end].as_py(), kind) for end in ("min", "max"))
    except (pa.ArrowInvalid, OverflowError):
        return None
    field: Any = pc.field(source.column(name))
    return (field >= least) & (field <= greatest)


def _scalar(value: int, unit: Unit, kind: pa.DataType, up: bool) -> pa.Scalar:
    """An instant in the unit of a column, rounded outwards."""
    own, asked = _PER_SECOND[kind.unit], _PER_SECOND[unit]
    whole = -(-value * own // asked) if up else value * own // asked
    limit = 2**63 - 1
    return pa.scalar(max(-limit, min(limit, whole)), pa.int64()).cast(pa.timestamp(kind.unit, kind.tz))


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
