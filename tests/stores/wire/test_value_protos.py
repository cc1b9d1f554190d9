"""Columns of serialised values against Feast's own converter, which goes value by value."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from feast.protos.feast.types.Value_pb2 import Value
from feast.type_map import python_values_to_proto_values
from feast.value_type import ValueType
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watertight.stores.wire.value_protos import value_protos

TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))
INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
ELEMENTS: dict[ValueType, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    ValueType.BOOL: (pa.bool_(), st.booleans()),
    ValueType.INT32: (pa.int32(), INT32),
    ValueType.INT64: (pa.int64(), INT64),
    ValueType.FLOAT: (pa.float32(), st.floats(width=32)),
    ValueType.DOUBLE: (pa.float64(), st.floats()),
    ValueType.STRING: (pa.string(), st.text(max_size=200)),
    ValueType.BYTES: (pa.binary(), st.binary(max_size=200)),
    ValueType.UNIX_TIMESTAMP: (pa.timestamp("us", tz="UTC"), TIMES),
}
LIST_OF = {kind: ValueType[f"{kind.name}_LIST"] for kind in ELEMENTS}
NO_NULL_WITHIN = (ValueType.INT32, ValueType.INT64)


def by_feast(column: pa.Array, kind: ValueType) -> list[bytes]:
    return [value.SerializeToString() for value in python_values_to_proto_values(column.to_numpy(zero_copy_only=False), kind)]


def agreed(column: pa.Array, kind: ValueType) -> None:
    assert value_protos(column, kind).to_pylist() == by_feast(column, kind)


def exact(column: pa.Array, kind: ValueType) -> list[bytes]:
    """Feast's answer to each row alone: an integer beside a null is not first made a float.

    A row of empty bytes is asked beside another one: Feast takes a column of nothing but empty bytes for one of nulls.
    """
    asked = [pa.array([value, b"x"] if value == b"" else [value], column.type) for value in column.to_pylist()]
    return [by_feast(rows, kind)[0] if rows[0].is_valid else b"" for rows in asked]


@pytest.mark.parametrize("kind", ELEMENTS, ids=lambda kind: kind.name)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_scalars(kind: ValueType, data: st.DataObject) -> None:
    arrow, element = ELEMENTS[kind]
    column = pa.array(data.draw(st.lists(st.none() | element, max_size=12)), arrow)
    expected = by_feast(column, kind) if kind is ValueType.UNIX_TIMESTAMP else exact(column, kind)
    assert value_protos(column, kind).to_pylist() == expected
    assert value_protos(column.slice(1), kind).to_pylist() == expected[1:]


@pytest.mark.parametrize("kind", ELEMENTS, ids=lambda kind: kind.name)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_lists(kind: ValueType, data: st.DataObject) -> None:
    arrow, element = ELEMENTS[kind]
    within = element if kind in NO_NULL_WITHIN else st.none() | element
    made = st.sampled_from([pa.list_, pa.large_list]).map(lambda make: make(arrow))
    column = pa.array(data.draw(st.lists(st.none() | st.lists(within, max_size=5), max_size=8)), data.draw(made))
    agreed(column, LIST_OF[kind])
    agreed(column.slice(1), LIST_OF[kind])


@given(st.lists(INT64 | st.integers(0, 300), min_size=1))
@example([0, 127, 128, 2**14 - 1, 2**14, 2**63 - 1, -1, -(2**63)])
def test_integers_of_every_length(numbers: list[int]) -> None:
    agreed(pa.array(numbers, pa.int64()), ValueType.INT64)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([1.5, math.nan, math.inf, -0.0, None]), ValueType.DOUBLE),
        (pa.array([1e300, -1e300, 1e-50, 0.1]), ValueType.FLOAT),
        (pa.array([1, None, 3], pa.int64()), ValueType.FLOAT),
        (pa.array([0.5, 2], pa.float16()), ValueType.FLOAT),
        (pa.array([3, None, 5], pa.int8()), ValueType.INT64),
        (pa.array(["a", None, "b", "a"]).dictionary_encode(), ValueType.STRING),
        (pa.array(["a", None], pa.string_view()), ValueType.STRING),
        (pa.array([1, 2], pa.int64()), ValueType.STRING),
        (pa.array([b"\xff", None], pa.binary_view()), ValueType.IMAGE_BYTES),
        (pa.array([b"pdf"], pa.large_binary()), ValueType.PDF_BYTES),
        (pa.array([None, None]), ValueType.FLOAT_LIST),
        (pa.array([], pa.float32()), ValueType.FLOAT),
        (pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float32(), 2)), ValueType.FLOAT_LIST),
        (pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64(), 2)).slice(1), ValueType.FLOAT_LIST),
        (pa.array([[0.1], [0.2, 0.3]], pa.list_(pa.float32())), ValueType.DOUBLE_LIST),
        (pa.array([[], None, []], pa.list_(pa.string())), ValueType.STRING_LIST),
        (pa.array(['{"a": 1}', None]), ValueType.JSON),
        (pa.array(['{"a": 1}', None]), ValueType.MAP),
        (pa.array([[1, 2], None], pa.list_(pa.int64())), ValueType.INT64_SET),
        (pa.array(["12345678-1234-5678-1234-567812345678", None]), ValueType.UUID),
        (pa.array([np.datetime64("1969-12-31T23:59:59.5", "ms")]), ValueType.UNIX_TIMESTAMP),
        (pa.array([datetime(2024, 1, 1).date(), None]), ValueType.UNIX_TIMESTAMP),
        (pa.array([5, None], pa.int64()), ValueType.UNIX_TIMESTAMP),
    ],
    ids=str,
)
def test_the_odd_ones(column: pa.Array, kind: ValueType) -> None:
    agreed(column, kind)


def test_an_integer_beside_a_null_keeps_every_digit() -> None:
    assert Value.FromString(value_protos(pa.array([2**62 + 1, None]), ValueType.INT64)[0].as_py()).int64_val == 2**62 + 1


def test_nanoseconds_are_whole_seconds_in_lists_too() -> None:
    """Feast's converter reads a list of nanoseconds as seconds."""
    column = pa.array([[datetime(2024, 1, 1, tzinfo=UTC)]], pa.list_(pa.timestamp("ns", tz="UTC")))
    value = Value.FromString(value_protos(column, ValueType.UNIX_TIMESTAMP_LIST)[0].as_py())
    assert list(value.unix_timestamp_list_val.val) == [int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())]


def test_what_does_not_fit_is_refused_as_by_feast() -> None:
    with pytest.raises(pa.ArrowInvalid):
        value_protos(pa.array([2**40]), ValueType.INT32)
    with pytest.raises((TypeError, ValueError)):
        value_protos(pa.array(["not a number"]), ValueType.INT64)
    with pytest.raises(TypeError):
        value_protos(pa.array([[1, None]], pa.list_(pa.int64())), ValueType.INT64_LIST)
