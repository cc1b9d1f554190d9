"""Join keys of labels and feature rows, made comparable: whole numbers or strings of bytes, one lookup per key column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from watertight.core.errors import Misuse
from watertight.stores.point_in_time.instants import instants, known_of, numbers, one_array, unit_for
from watertight.stores.point_in_time.lookup import BytesLookup, ByteStrings, Known, LongLookup, Lookup
from watertight.stores.point_in_time.slots import Codes, Longs

_BYTES = ("text", "binary", "decimal")


class Keys:
    """The keys of some labels, by one or more columns; feature rows are told which of them they have.

    ``codes`` (n,) are the labels' own, -1 where a part is null: null joins nothing. ``count`` is how many keys there are.
    Without columns all labels and all rows have the one key of code 0.
    """

    def __init__(self, columns: Sequence[pa.ChunkedArray], types: Sequence[pa.DataType], names: Sequence[str], rows: int) -> None:
        """Take in the labels' columns; ``types`` are those of the feature rows' columns, ``names`` are for errors.

        Raises Misuse where a column of the labels cannot equal one of the feature rows, as text and numbers cannot.
        """
        self.kinds = [_common_kind(column.type, kind, name) for column, kind, name in zip(columns, types, names)]
        self.lookups = [_lookup(column, kind) for column, kind in zip(columns, self.kinds)]
        self.whole = _whole([lookup.codes for lookup in self.lookups], self.lookups) if len(columns) > 1 else None
        last = self.whole or (self.lookups[0] if self.lookups else None)
        self.codes: Codes = last.codes if last else np.zeros(rows, np.int32)
        self.count: int = last.count if last else 1

    def of(self, columns: Sequence[pa.ChunkedArray], rows: int) -> Codes:
        """The codes (m,) of feature rows by their columns, -1 where no label has their key."""
        if not columns:
            return np.zeros(rows, np.int32)
        parts = [lookup.of(*_comparable(column, kind)) for lookup, column, kind in zip(self.lookups, columns, self.kinds)]
        return self.whole.of(*_mixed_radix(parts, self.lookups)) if self.whole else parts[0]


def _whole(codes: list[Codes], lookups: list[Lookup]) -> LongLookup:
    """The keys of several columns from those of each."""
    return LongLookup(*_mixed_radix(codes, lookups))


def _mixed_radix(codes: list[Codes], lookups: list[Lookup]) -> tuple[Longs, Known]:
    if np.prod([float(lookup.count) for lookup in lookups]) >= 2**63:
        raise Misuse("the key columns have more combinations than 64 bits can tell apart", expected="fewer key columns")
    values = np.zeros(len(codes[0]), np.int64)
    known = np.ones(len(codes[0]), np.bool_)
    for part, lookup in zip(codes, lookups):
        values = values * lookup.count + part
        known &= part >= 0
    return values, known


def _lookup(column: pa.ChunkedArray, kind: str) -> Lookup:
    keys, known = _comparable(column, kind)
    return BytesLookup(keys, known) if isinstance(keys, ByteStrings) else LongLookup(keys, known)


def _comparable(column: pa.ChunkedArray, kind: str) -> tuple[Longs | ByteStrings, Known]:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        empty = ByteStrings(np.zeros(0, np.uint8), np.zeros(len(column) + 1, np.int64))
        return (empty if kind in _BYTES else np.zeros(len(column), np.int64)), np.zeros(len(column), np.bool_)
    if kind in _BYTES:
        return _bytes(column), known_of(column)
    if kind in ("us", "ns"):
        return instants(column, kind, "key")  # type: ignore[arg-type]
    if pa.types.is_floating(column.type):
        return _floats(column, kind)
    if column.type == pa.uint64():
        return _unsigned(column, kind)
    return numbers(column.cast(pa.int64())), known_of(column)


def _unsigned(column: pa.ChunkedArray, kind: str) -> tuple[Longs, Known]:
    """Their bits; to be compared with signed numbers, those that are not too great."""
    values, known = numbers(column.cast(pa.int64(), safe=False)), known_of(column)
    return values, known if kind == "unsigned" else known & (values >= 0)


def _floats(column: pa.ChunkedArray, kind: str) -> tuple[Longs, Known]:
    """Their bits, or, to be compared with whole numbers, the numbers where they are whole: pandas has no other nullable ones."""
    known = known_of(column)
    array = one_array(column.cast(pa.float64()))
    values = np.asarray(array.fill_null(0.0).to_numpy(zero_copy_only=False))
    if kind == "float":
        return (values + 0.0).view(np.int64), known & ~np.isnan(values)
    great = known & np.isfinite(values) & (np.abs(values) >= 2**53)
    if great.any():
        raise Misuse(
            f"{great.sum()} join key(s) are floats of 2^53 or more, the first is {values[great][0]:.0f}",
            expected="whole numbers: floats cannot tell them apart from there on",
            next_step="in pandas, Int64 holds whole numbers beside missing ones",
        )
    whole = np.isfinite(values) & (values == np.floor(values))
    return np.where(whole, values, 0).astype(np.int64), known & whole


def _bytes(column: pa.ChunkedArray) -> ByteStrings:
    kind = column.type
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)):
        column = column.cast(pa.large_string())
    array = one_array(column.cast(pa.large_binary()))
    _, offsets, data = array.buffers()
    bounds = np.frombuffer(offsets, np.int64, len(array) + 1, array.offset * 8) if len(array) else np.zeros(1, np.int64)
    return ByteStrings(np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8), bounds)


def _common_kind(label: pa.DataType, row: pa.DataType, name: str) -> str:
    kinds = {_kind(label), _kind(row)} - {"null"}
    if kinds == {"time"}:
        return unit_for(None, [label, row])
    if label == row == pa.uint64():
        return "unsigned"
    if len(kinds) == 1:
        return kinds.pop()
    if not kinds:
        return "integer"
    if kinds == {"integer", "float"}:
        return "integer"
    raise Misuse(
        f"join key {name!r} is {label} in the entity rows and {row} in the source",
        expected="values that can be equal",
        next_step="cast one of them",
    )


def _kind(given: pa.DataType) -> str:
    kind: Any = given.value_type if pa.types.is_dictionary(given) else given
    for name, tests in _KINDS.items():
        if any(test(kind) for test in tests):
            return name
    raise Misuse(f"a join key cannot be {given}", expected="whole numbers, text, bytes, booleans, times or decimals")


_KINDS = {
    "null": (pa.types.is_null,),
    "integer": (pa.types.is_integer,),
    "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    "binary": (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view),
    "boolean": (pa.types.is_boolean,),
    "float": (pa.types.is_floating,),
    "time": (pa.types.is_timestamp, pa.types.is_date),
    "decimal": (pa.types.is_decimal,),
}
