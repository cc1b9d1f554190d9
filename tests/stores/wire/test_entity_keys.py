"""Serialised entity keys: byte for byte what Feast's own function makes of each row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from feast.infra.key_encoding_utils import deserialize_entity_key, serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.value_type import ValueType
from hypothesis import given, settings
from hypothesis import strategies as st

from watertight.core.errors import Misuse, Refusal
from watertight.stores.wire.entity_keys import entity_keys

KINDS = {
    ValueType.INT32: (st.integers(-(2**31), 2**31 - 1), pa.int32()),
    ValueType.INT64: (st.integers(-(2**63), 2**63 - 1), pa.int64()),
    ValueType.STRING: (st.text(st.characters(codec="utf-8"), max_size=12), pa.string()),
    ValueType.BYTES: (st.binary(max_size=12), pa.binary()),
    ValueType.UNIX_TIMESTAMP: (
        st.integers(-(10**9), 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
        pa.timestamp("us", tz="UTC"),
    ),
}
NAMES = st.text("abzAZ_é", min_size=1, max_size=6)


def one_by_one(columns: dict[str, list[Any]], types: dict[str, ValueType]) -> list[bytes]:
    protos = {name: [_proto(value, types[name]) for value in values] for name, values in columns.items()}
    rows = zip(*protos.values())
    return [serialize_entity_key(EntityKey(join_keys=list(protos), entity_values=list(row)), 3) for row in rows]


def _proto(value: Any, kind: ValueType) -> Value:
    """Not by Feast's own conversion, which takes a column of empty bytes for one of nulls."""
    return Value(**{f"{kind.name.lower()}_val": int(value.timestamp()) if isinstance(value, datetime) else value})


@st.composite
def keyed_rows(draw: st.DrawFn) -> tuple[dict[str, list[Any]], dict[str, ValueType], int]:
    types = draw(st.dictionaries(NAMES, st.sampled_from(list(KINDS)), min_size=1, max_size=3))
    size = draw(st.integers(1, 5))
    columns = {name: draw(st.lists(KINDS[kind][0], min_size=size, max_size=size)) for name, kind in types.items()}
    return columns, types, draw(st.integers(0, size))


@settings(max_examples=150, deadline=None)
@given(keyed_rows())
def test_every_key_is_feasts_key(made: tuple[dict[str, list[Any]], dict[str, ValueType], int]) -> None:
    columns, types, cut = made
    arrays = {
        name: pa.chunked_array([pa.array(values[:cut], KINDS[types[name]][1]), pa.array(values[cut:], KINDS[types[name]][1])])
        for name, values in columns.items()
    }
    assert entity_keys(pa.table(arrays), types).to_pylist() == one_by_one(columns, types)


@pytest.mark.parametrize(
    ("column", "kind", "same_as"),
    [
        (pa.array([3, 4], pa.int8()), ValueType.INT64, [3, 4]),
        (pa.array([3.0, 4.0]), ValueType.INT64, [3, 4]),
        (pa.array([3, 4]), ValueType.STRING, ["3", "4"]),
        (pa.array(["a", "b"], pa.large_string()), ValueType.STRING, ["a", "b"]),
        (pa.array(["a", "b"]).dictionary_encode(), ValueType.STRING, ["a", "b"]),
        (pa.array([-1, 1], pa.timestamp("ms")), ValueType.UNIX_TIMESTAMP, [-1, 0]),
        (pa.array([5, 6]), ValueType.UNIX_TIMESTAMP, [5, 6]),
    ],
)
def test_columns_of_a_near_type_are_taken(column: pa.Array, kind: ValueType, same_as: list[Any]) -> None:
    assert entity_keys(pa.table({"key": column}), {"key": kind}).to_pylist() == one_by_one({"key": same_as}, {"key": kind})


def test_columns_that_are_no_key_are_not_looked_at_and_no_row_is_no_key() -> None:
    rows = pa.table({"key": pa.array([], pa.int64()), "value": pa.array([], pa.float64())})
    assert len(entity_keys(rows, {"key": ValueType.INT64})) == 0


def test_rows_of_a_view_without_join_keys_have_the_empty_key() -> None:
    keys = entity_keys(pa.table({"value": [1.0, 2.0]}), {})
    assert keys.to_pylist() == [serialize_entity_key(EntityKey(), 3)] * 2
    assert deserialize_entity_key(keys[0].as_py(), 3) == EntityKey()


def test_a_null_key_is_refused_with_its_rows() -> None:
    rows = pa.table({"key": [1, None, 3, None]})
    with pytest.raises(Refusal, match="join key") as told:
        entity_keys(rows, {"key": ValueType.INT64})
    assert (told.value.column, told.value.count, told.value.rows) == ("key", 2, ("row 1", "row 3"))


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([1.5]), ValueType.INT64),
        (pa.array(["a"]), ValueType.INT64),
        (pa.array([2**40]), ValueType.INT32),
        (pa.array([1.5]), ValueType.DOUBLE),
        (pa.array([["a"]]), ValueType.STRING),
    ],
)
def test_a_column_that_is_not_of_its_type_is_misuse(column: pa.Array, kind: ValueType) -> None:
    with pytest.raises(Misuse) as told:
        entity_keys(pa.table({"key": column}), {"key": kind})
    assert told.value.column == "key"


def test_a_missing_column_is_misuse_and_named() -> None:
    with pytest.raises(Misuse, match="join key") as told:
        entity_keys(pa.table({"other": [1]}), {"key": ValueType.INT64})
    assert told.value.column == "key" and "other" in str(told.value)
