"""Join-key columns as the serialised entity keys under which Feast's online stores file their rows."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from feast.protos.feast.types.Value_pb2 import ValueType as WireType
from feast.value_type import ValueType

from watertight.core.errors import Misuse, Refusal

_FIXED = {
    ValueType.INT32: (pa.int32(), "<i4", WireType.INT32),
    ValueType.INT64: (pa.int64(), "<i8", WireType.INT64),
    ValueType.UNIX_TIMESTAMP: (pa.timestamp("s", tz="UTC"), "<i8", WireType.UNIX_TIMESTAMP),
}
_TEXT = {ValueType.STRING: WireType.STRING, ValueType.BYTES: WireType.BYTES}


def entity_keys(rows: pa.Table, types: Mapping[str, ValueType]) -> pa.BinaryArray:
    """Each row's entity key, byte for byte as ``feast.infra.key_encoding_utils.serialize_entity_key``, version 3.

    ``types`` names the join keys, which are columns of ``rows``, and Feast's type of each: INT32, INT64, STRING, BYTES
    or UNIX_TIMESTAMP, the ones that Feast can serialise. A timestamp is rounded down to the second, as Feast does. The
    keys of one call are at most 2 GB. Raises Refusal if a key is null and Misuse if a column is missing or not of its type.
    """
    names = sorted(types)
    head = _key_names(names)
    if not names:
        return _repeated(head, rows.num_rows)
    parts = [_values(_column(rows, name), name, types[name]) for name in names]
    return pc.binary_join_element_wise(pa.scalar(head), *parts, pa.scalar(b""))


def _key_names(names: list[str]) -> bytes:
    encoded = [name.encode() for name in names]
    return struct.pack("<I", len(names)) + b"".join(struct.pack("<II", WireType.STRING, len(name)) + name for name in encoded)


def _column(rows: pa.Table, name: str) -> pa.Array:
    if name not in rows.column_names:
        raise Misuse("a join key is not among the rows' columns", column=name, expected=f"one of {rows.column_names}")
    column = rows.column(name).combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.null_count:
        where = np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))
        raise Refusal(
            "rows without a value of a join key cannot be filed",
            column=name,
            count=column.null_count,
            rows=[f"row {at}" for at in where[:6]],
            expected="a value in every row",
            next_step="leave the rows out, or mend the source",
        )
    return column


def _values(column: pa.Array, name: str, kind: ValueType) -> pa.Array:
    """Each value behind its type and length, 4 bytes each, little-endian."""
    if kind in _FIXED:
        return _fixed(column, name, kind)
    if kind in _TEXT:
        return _text(column, name, kind)
    raise Misuse(
        f"Feast cannot serialise a join key of type {kind.name}",
        column=name,
        expected=", ".join(known.name for known in [*_FIXED, *_TEXT]),
    )


def _fixed(column: pa.Array, name: str, kind: ValueType) -> pa.Array:
    arrow, width, wire = _FIXED[kind]
    numbers = _seconds(column) if pa.types.is_timestamp(column.type) else _cast(column, name, arrow)
    values = numbers.cast(pa.int32() if kind is ValueType.INT32 else pa.int64()).to_numpy()
    packed = np.empty(len(values), dtype=[("type", "<u4"), ("length", "<u4"), ("value", width)])
    packed["type"], packed["length"], packed["value"] = wire, np.dtype(width).itemsize, values
    return _binary(packed)


def _seconds(column: pa.Array) -> pa.Array:
    return pc.floor_temporal(column, unit="second").cast(pa.timestamp("s", tz=column.type.tz))


def _text(column: pa.Array, name: str, kind: ValueType) -> pa.Array:
    readable = column if kind is ValueType.BYTES else _cast(column, name, pa.string())
    raw = _cast(readable, name, pa.binary())
    packed = np.empty(len(raw), dtype=[("type", "<u4"), ("length", "<u4")])
    packed["type"], packed["length"] = _TEXT[kind], pc.binary_length(raw).to_numpy()
    return pc.binary_join_element_wise(_binary(packed), raw, pa.scalar(b""))


def _cast(column: pa.Array, name: str, to: pa.DataType) -> pa.Array:
    try:
        return column.cast(to)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Misuse(
            f"a join key of type {column.type} cannot be taken as {to}: {error}", column=name, expected=str(to)
        ) from error


def _binary(packed: np.ndarray[Any, Any]) -> pa.Array:
    """Rows of a packed NumPy array as bytes."""
    width = packed.dtype.itemsize
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(packed), [None, pa.py_buffer(packed)])
    return fixed.cast(pa.binary())


def _repeated(value: bytes, times: int) -> pa.BinaryArray:
    return pa.array([value] * times, pa.binary())
