"""Any column of times as whole numbers of microseconds or nanoseconds since 1970 in UTC."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from watertight.core.errors import Misuse
from watertight.stores.point_in_time.lookup import Known
from watertight.stores.point_in_time.slots import Longs

Unit = Literal["us", "ns"]

_NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_DAY = 86_400 * _NANOSECONDS["s"]


def unit_for(asked: Longs | None, types: list[pa.DataType]) -> Unit:
    """The coarsest unit that tells instants apart: nanoseconds if a source has them or ``asked`` (ns) needs them."""
    between = asked is not None and bool((asked % 1_000).any())
    return "ns" if between or any(pa.types.is_timestamp(kind) and kind.unit == "ns" for kind in types) else "us"


def instants(column: pa.ChunkedArray, unit: Unit, name: str) -> tuple[Longs, Known]:
    """The instants (n,) of a column, and which of them are known (n,).

    Times without a zone are in UTC; dates are their first instant; texts are ISO 8601. What lies beyond the range of 64 bits
    (in nanoseconds: 1677 to 2262) becomes the first or last instant of it, which keeps the order. Raises Misuse for a column
    that is no time.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return instants(column.cast(kind.value_type), unit, name)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return instants(_parsed(column, name), unit, name)
    if pa.types.is_null(kind):
        return np.zeros(len(column), np.int64), np.zeros(len(column), np.bool_)
    nanoseconds = _nanoseconds(kind, name)
    known = known_of(column)
    whole = column.cast(pa.int32()).cast(pa.int64()) if pa.types.is_date32(kind) else column.cast(pa.int64())
    return _in_unit(numbers(whole), nanoseconds, unit), known


def numbers(column: pa.ChunkedArray) -> Longs:
    """The values of an int64 column, 0 where it is null, without a copy where it has no null."""
    array = one_array(column)
    filled = array.fill_null(0) if array.null_count else array
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.int64)


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def known_of(column: pa.ChunkedArray) -> Known:
    """Which values (n,) of a column are not null."""
    if not column.null_count:
        return np.ones(len(column), np.bool_)
    return np.asarray(one_array(column).is_valid().to_numpy(zero_copy_only=False))


def _nanoseconds(kind: pa.DataType, name: str) -> int:
    if pa.types.is_timestamp(kind):
        return _NANOSECONDS[kind.unit]
    if pa.types.is_date64(kind):
        return _NANOSECONDS["ms"]
    if pa.types.is_date32(kind):
        return _DAY
    raise Misuse(f"column {name!r} is {kind}", expected="a timestamp, a date, or ISO 8601 text")


def _in_unit(values: Longs, nanoseconds: int, unit: Unit) -> Longs:
    own = _NANOSECONDS[unit]
    if nanoseconds < own:
        return values // (own // nanoseconds)
    factor = nanoseconds // own
    limit = np.iinfo(np.int64).max // factor
    return values if factor == 1 else np.clip(values, -limit, limit) * factor


def _parsed(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    try:
        parsed = pd.to_datetime(column.to_pandas(), utc=True, format="ISO8601")
    except (ValueError, pd.errors.OutOfBoundsDatetime) as error:
        raise Misuse(f"column {name!r}: {error}", expected="ISO 8601 text") from error
    return pa.chunked_array([pa.array(parsed)])
