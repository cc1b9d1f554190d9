"""Arrow columns as Feast's serialised ``Value`` messages, column-wise where Feast goes value by value.

The bytes are those of Feast's own ``python_values_to_proto_values`` (feast.type_map), with what that means:

- a null is an empty message, and so is NaN in a number that is not in a list;
- a null timestamp is Feast's null timestamp, the smallest int64; times are whole seconds, rounded down (in lists, as
  Feast does it, towards zero);
- nulls within lists become ``""``, ``b""``, ``False``, NaN or the null timestamp.

Two things Feast makes depend on a value's neighbours, and here they do not: an integer beside a null keeps every digit
(Feast makes it a float), and empty bytes stay empty bytes (Feast takes a column of nothing else for nulls).

Wherever a column's type is not plainly that of the feature, and for types that Feast alone can write (maps, JSON, sets,
UUIDs, decimals), Feast's own converter is asked, value by value, and its errors are raised.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from feast.protos.feast.types.Value_pb2 import Value
from feast.type_map import VALUE_TYPE_TO_PROTO_VALUE_MAP, python_values_to_proto_values
from feast.value_type import ValueType

from watertight.stores.wire.pieces import (
    Pieces,
    by_number,
    data_of,
    emptied_where,
    joined,
    lengths_of,
    of_buffer,
    of_matrix,
    offsets_of,
    varint,
    varints,
)

NULL_TIME = np.iinfo(np.int64).min
_BYTES_TYPES = (ValueType.BYTES, ValueType.PDF_BYTES, ValueType.IMAGE_BYTES)
_LISTS = {
    ValueType.BOOL_LIST: ValueType.BOOL,
    ValueType.INT32_LIST: ValueType.INT32,
    ValueType.INT64_LIST: ValueType.INT64,
    ValueType.FLOAT_LIST: ValueType.FLOAT,
    ValueType.DOUBLE_LIST: ValueType.DOUBLE,
    ValueType.STRING_LIST: ValueType.STRING,
    ValueType.BYTES_LIST: ValueType.BYTES,
    ValueType.UNIX_TIMESTAMP_LIST: ValueType.UNIX_TIMESTAMP,
}
_VARINT, _EIGHT, _MEASURED, _FOUR = 0, 1, 2, 5


def value_protos(column: pa.Array, value_type: ValueType) -> Pieces:
    """``column`` (any Arrow type) as serialised Feast values, one a row, never null; a null is ``b""``.

    Raises what Feast's own converter raises where the column's values do not fit ``value_type``, and
    pyarrow.ArrowInvalid for integers outside its range.
    """
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    if pa.types.is_null(plain.type) or len(plain) == 0:
        return pa.array([b""] * len(plain), pa.large_binary())
    write = _list_writer(plain.type, value_type) if value_type in _LISTS else _SCALARS.get(value_type)
    return write(plain, value_type) if write and _fits(plain.type, value_type) else _by_feast(plain, value_type)


def _by_feast(column: pa.Array, value_type: ValueType) -> Pieces:
    values = python_values_to_proto_values(column.to_numpy(zero_copy_only=False), value_type)
    return pa.array([value.SerializeToString() for value in values], pa.large_binary())


def _fits(arrow: pa.DataType, value_type: ValueType) -> bool:
    """Whether a column of this type holds just what the feature's type names."""
    if value_type in _LISTS:
        return _is_list(arrow) and _element_fits(arrow.value_type, _LISTS[value_type])
    if value_type in (ValueType.FLOAT, ValueType.DOUBLE):
        return pa.types.is_floating(arrow) or pa.types.is_integer(arrow)
    return _element_fits(arrow, value_type)


def _element_fits(arrow: pa.DataType, value_type: ValueType) -> bool:
    types = pa.types
    if value_type in (ValueType.INT32, ValueType.INT64):
        return types.is_integer(arrow)
    if value_type in (ValueType.FLOAT, ValueType.DOUBLE):
        return types.is_floating(arrow)
    if value_type is ValueType.BOOL:
        return types.is_boolean(arrow)
    if value_type is ValueType.STRING:
        return types.is_string(arrow) or types.is_large_string(arrow) or types.is_string_view(arrow)
    if value_type is ValueType.UNIX_TIMESTAMP:
        return types.is_timestamp(arrow)
    return types.is_binary(arrow) or types.is_large_binary(arrow) or types.is_binary_view(arrow)


def _is_list(arrow: pa.DataType) -> bool:
    return pa.types.is_list(arrow) or pa.types.is_large_list(arrow) or pa.types.is_fixed_size_list(arrow)


def _tag(field: str, wire_type: int) -> bytes:
    """What stands before a field's content: its number and how the content is written."""
    return varint(Value.DESCRIPTOR.fields_by_name[field].number << 3 | wire_type)


def _field(value_type: ValueType) -> str:
    return "bytes_val" if value_type in _BYTES_TYPES else VALUE_TYPE_TO_PROTO_VALUE_MAP[value_type]


def _nulls(column: pa.Array) -> np.ndarray:
    return column.is_null().to_numpy(zero_copy_only=False)


def _floats(column: pa.Array, value_type: ValueType) -> Pieces:
    """Little-endian numbers of four or eight bytes."""
    narrow = value_type is ValueType.FLOAT
    numbers = _float_numbers(column, value_type)
    tag = np.frombuffer(_tag(_field(value_type), _FOUR if narrow else _EIGHT), dtype=np.uint8)
    matrix = np.empty((len(numbers), len(tag) + numbers.itemsize), dtype=np.uint8)
    matrix[:, : len(tag)] = tag
    matrix[:, len(tag) :] = numbers.view(np.uint8).reshape(len(numbers), numbers.itemsize)
    return emptied_where(of_matrix(matrix), np.isnan(numbers))


def _float_numbers(column: pa.Array, value_type: ValueType) -> np.ndarray:
    """Null is NaN; what a 32-bit float cannot hold is infinite."""
    kind = "<f4" if value_type is ValueType.FLOAT else "<f8"
    with np.errstate(over="ignore"):
        if pa.types.is_integer(column.type):
            column = column.cast(pa.float64(), safe=False)
        return np.ascontiguousarray(column.to_numpy(zero_copy_only=False).astype(kind, copy=False))


def _integers(column: pa.Array, value_type: ValueType) -> Pieces:
    numbers = _whole_numbers(column, value_type)
    return emptied_where(joined(_tag(_field(value_type), _VARINT), varints(numbers)), _nulls(column))


def _whole_numbers(column: pa.Array, value_type: ValueType) -> np.ndarray:
    """int64, checked against the range of the feature's type; null is 0."""
    checked = column.cast(pa.int32() if value_type is ValueType.INT32 else pa.int64())
    return pc.fill_null(checked.cast(pa.int64()), 0).to_numpy()


def _bools(column: pa.Array, value_type: ValueType) -> Pieces:
    tag = _tag(_field(value_type), _VARINT)
    both = pa.array([tag + b"\0", tag + b"\1"], pa.large_binary())
    places = pc.fill_null(column, False).cast(pa.int8())
    return emptied_where(both.take(places), _nulls(column))


def _measured(column: pa.Array, value_type: ValueType) -> Pieces:
    """Text as UTF-8, and bytes."""
    content = _bytes_of(column)
    head = _tag(_field(value_type), _MEASURED)
    return emptied_where(joined(by_number(lengths_of(content), lambda n: head + varint(n)), content), _nulls(column))


def _bytes_of(column: pa.Array) -> Pieces:
    """Null is empty."""
    flat = pa.large_string() if pa.types.is_string_view(column.type) else pa.large_binary()
    return pc.fill_null(column.cast(flat).cast(pa.large_binary()), b"")


def _times(column: pa.Array, value_type: ValueType) -> Pieces:
    return joined(_tag(_field(value_type), _VARINT), varints(_seconds(column)))


def _seconds(column: pa.Array) -> np.ndarray:
    """Seconds since 1970, rounded down; null is the null timestamp."""
    return column.to_numpy(zero_copy_only=False).astype("datetime64[s]").astype(np.int64)


def _seconds_in_list(column: pa.Array) -> np.ndarray:
    """The same, rounded towards zero."""
    parts = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
    ticks = column.cast(pa.int64())
    seconds = pc.divide(ticks, parts)
    return pc.fill_null(seconds, NULL_TIME).to_numpy()


_SCALARS: dict[ValueType, Callable[[pa.Array, ValueType], Pieces]] = {
    ValueType.BOOL: _bools,
    ValueType.INT32: _integers,
    ValueType.INT64: _integers,
    ValueType.FLOAT: _floats,
    ValueType.DOUBLE: _floats,
    ValueType.STRING: _measured,
    ValueType.UNIX_TIMESTAMP: _times,
    **dict.fromkeys(_BYTES_TYPES, _measured),
}


def _list_writer(arrow: pa.DataType, value_type: ValueType) -> Callable[[pa.Array, ValueType], Pieces] | None:
    """Lists of numbers are one packed field; each text or blob is a field of its own. Null among integers is Feast's."""
    if not _is_list(arrow):
        return None
    if _LISTS[value_type] in (ValueType.STRING, ValueType.BYTES):
        return _list_of_measured
    if _LISTS[value_type] in (ValueType.INT32, ValueType.INT64):
        return lambda column, kind: _by_feast(column, kind) if column.flatten().null_count else _packed(column, kind)
    return _packed


def _packed(column: pa.Array, value_type: ValueType) -> Pieces:
    """``{1: packed numbers}`` within the value's field; an empty list is an empty message within it."""
    content = _packed_numbers(column.flatten(), _LISTS[value_type], _starts(column))
    inner = by_number(lengths_of(content), lambda n: b"\n" + varint(n) if n else b"")
    return _in_field(joined(inner, content), column, value_type)


def _packed_numbers(flat: pa.Array, element: ValueType, starts: np.ndarray) -> Pieces:
    if element in (ValueType.FLOAT, ValueType.DOUBLE):
        numbers = _float_numbers(flat, element)
        return of_buffer(numbers, starts * numbers.itemsize)
    if element is ValueType.BOOL:
        return of_buffer(pc.fill_null(flat, False).cast(pa.uint8()).to_numpy(), starts)
    return _cut(varints(_seconds_in_list(flat) if element is ValueType.UNIX_TIMESTAMP else _whole_numbers(flat, element)), starts)


def _list_of_measured(column: pa.Array, value_type: ValueType) -> Pieces:
    content = _bytes_of(column.flatten())
    fields = joined(by_number(lengths_of(content), lambda n: b"\n" + varint(n)), content)
    return _in_field(_cut(fields, _starts(column)), column, value_type)


def _starts(column: pa.Array) -> np.ndarray:
    """Where each list begins among the elements of all lists, and where the last one ends."""
    counts = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _cut(elements: Pieces, starts: np.ndarray) -> Pieces:
    """The bytes of each list's elements; ``elements`` are those of all lists, one after the other."""
    offsets = offsets_of(elements)
    return of_buffer(data_of(elements), (offsets - offsets[0])[starts])


def _in_field(content: Pieces, column: pa.Array, value_type: ValueType) -> Pieces:
    head = _tag(_field(value_type), _MEASURED)
    return emptied_where(joined(by_number(lengths_of(content), lambda n: head + varint(n)), content), _nulls(column))
