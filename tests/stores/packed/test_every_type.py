"""Whatever Feast can keep comes back as it was: every type, in both ways of writing, read row by row and as columns."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from feast import types
from feast.infra.online_stores.online_store import OnlineStore
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus, GetOnlineFeaturesResponse
from feast.protos.feast.types.Value_pb2 import Value
from feast.type_map import feast_value_type_to_python_type, python_values_to_proto_values
from feast.types import Array, Set, Struct
from feast.utils import _convert_arrow_to_proto
from feast.value_type import ValueType
from hypothesis import given, settings
from hypothesis import strategies as st
from packed_store import NOON, Packed, timestamps, view_of

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID, OTHER = uuid.UUID(int=7), uuid.UUID(int=2**100)
VALUES: dict[str, tuple[Any, Any]] = {
    "bytes": (types.Bytes, b"\0\xff"),
    "pdf": (types.PdfBytes, b"%PDF"),
    "image": (types.ImageBytes, b"\x89PNG"),
    "string": (types.String, "नमस्ते " * 40),
    "int32": (types.Int32, -(2**31)),
    "int64": (types.Int64, 2**63 - 1),
    "float64": (types.Float64, 0.1),
    "float32": (types.Float32, 0.5),
    "bool": (types.Bool, True),
    "timestamp": (types.UnixTimestamp, AT),
    "zoned": (types.ZonedTimestamp, AT.astimezone(timezone(timedelta(hours=5, minutes=30)))),
    "uuid": (types.Uuid, ID),
    "time_uuid": (types.TimeUuid, uuid.UUID("a3bb189e-8bf9-11ee-b9d1-0242ac120002")),
    "decimal": (types.Decimal, Decimal("3.1415926535897932384626433832795")),
    "map": (types.Map, {"a": "x", "b": "y"}),
    "scalar_map": (types.ScalarMap, {1: "x", 2: 3.5}),
    "json": (types.Json, {"deep": [1, {"er": None}]}),
    "struct": (Struct({"x": types.Int64, "y": types.String}), {"x": 1, "y": "z"}),
    "list_of_list": (Array(Array(types.Int64)), [[1, 2], [3]]),
    "list_of_struct": (Array(Struct({"x": types.Int64})), [{"x": 1}, {"x": 2}]),
    "list_of_map": (Array(types.Map), [{"a": "x"}]),
    "list_of_bytes": (Array(types.Bytes), [b"", b"\0"]),
    "list_of_string": (Array(types.String), ["", "ä"]),
    "list_of_int32": (Array(types.Int32), [1, -1]),
    "list_of_int64": (Array(types.Int64), list(range(100))),
    "list_of_float64": (Array(types.Float64), [0.1, -0.0]),
    "list_of_float32": (Array(types.Float32), [0.5] * 384),
    "list_of_bool": (Array(types.Bool), [True, False]),
    "list_of_timestamp": (Array(types.UnixTimestamp), [AT, AT]),
    "list_of_uuid": (Array(types.Uuid), [ID, OTHER]),
    "list_of_decimal": (Array(types.Decimal), [Decimal("1.10"), Decimal("-2")]),
    "set_of_int64": (Set(types.Int64), {1, 2}),
    "set_of_string": (Set(types.String), {"a", "b"}),
    "set_of_uuid": (Set(types.Uuid), {ID, OTHER}),
    "set_of_list": (Set(Array(types.Int64)), [[1], [2, 3]]),
}
VIEW = view_of({name: kind for name, (kind, _) in VALUES.items()})


def proto(name: str) -> Value:
    kind, value = VALUES[name]
    return python_values_to_proto_values([value], kind.to_value_type())[0]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """Item 1 has every value, item 2 is all null."""
    packed = Packed(tmp_path_factory.mktemp("types"))
    packed.apply(VIEW)
    packed.write(VIEW, 1, {name: proto(name) for name in VALUES})
    packed.write(VIEW, 2, {name: Value() for name in VALUES})
    return packed


def test_every_type_that_feast_declares_is_in_the_table() -> None:
    kinds = {kind.to_value_type() for kind, _ in VALUES.values()}
    sets = {kind for kind in ValueType if kind.name.endswith("_SET")}
    lists = {ValueType.TIME_UUID_LIST, ValueType.JSON_LIST}
    assert set(ValueType) - kinds <= {ValueType.UNKNOWN, ValueType.NULL, *sets, *lists}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_of_every_type_comes_back(packed: Packed, name: str) -> None:
    ((event, values), (_, nulls)) = packed.read(VIEW, 1, 2, features=[name])
    assert (event, values) == (NOON, {name: proto(name)})
    assert nulls == {name: Value()}
    kind, value = VALUES[name]
    assert feast_value_type_to_python_type(values[name], kind.to_value_type()) == value


def test_all_of_them_are_read_at_once_and_in_the_asked_order(packed: Packed) -> None:
    names = list(VALUES)[::-1]
    assert list(packed.read(VIEW, 1)[0][1]) == list(VALUES)
    assert answer(packed, names, [1]) == by_feast(packed, names, [1])


# Feast's own way from rows to an answer is the oracle of the fast one.


def answer(packed: Packed, features: list[str], keys: list[int], oracle: bool = False, view: Any = VIEW) -> Any:
    response = GetOnlineFeaturesResponse()
    read = OnlineStore._read_features_per_fv if oracle else type(packed.store)._read_features_per_fv
    asked = {"item": [Value(int64_val=key) for key in keys]}
    read(packed.store, packed.config, [(view, features)], asked, {"item": "item"}, response, True, True)
    return response


def by_feast(packed: Packed, features: list[str], keys: list[int], view: Any = VIEW) -> Any:
    """With the one difference that Feast calls a null present."""
    response = answer(packed, features, keys, oracle=True, view=view)
    for vector in response.results:
        for at, value in enumerate(vector.values):
            if vector.statuses[at] == FieldStatus.PRESENT and feast_value_type_to_python_type(value) is None:
                vector.statuses[at] = FieldStatus.NULL_VALUE
    return response


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(list(VALUES)), unique=True, max_size=6), st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_an_answer_is_feasts_answer(packed: Packed, features: list[str], keys: list[int]) -> None:
    """Known and unknown keys, asked any number of times, nulls, all types."""
    assert answer(packed, features, keys) == by_feast(packed, features, keys)


SCALARS = {"x": types.Float64, "n": types.Int64, "t": types.String, "at": types.UnixTimestamp, "e": Array(types.Float32)}
# No larger integers: beside a null, Feast's own conversion rounds them to floats.
ROW = st.tuples(
    st.one_of(st.none(), st.floats(allow_nan=False)),
    st.one_of(st.none(), st.integers(-(2**53), 2**53)),
    st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=200)),
    st.one_of(st.none(), st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))),
    st.lists(st.floats(width=32, allow_nan=False), min_size=3, max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=25), st.booleans(), st.integers(0, 25))
def test_arrow_and_messages_write_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]], alike: bool, cut: int
) -> None:
    """``alike`` makes rows of one size, which are read as a matrix; ``cut`` makes two chunks."""
    rows = [rows[0]] * 12 if alike else rows
    columns = dict(zip(SCALARS, zip(*rows)))
    arrow = {
        "x": pa.float64(),
        "n": pa.int64(),
        "t": pa.string(),
        "at": pa.timestamp("us", tz="UTC"),
        "e": pa.list_(pa.float32()),
    }
    table = pa.table(
        {
            "item": range(len(rows)),
            **{name: pa.array(values, arrow[name]) for name, values in columns.items()},
            "event_timestamp": timestamps([NOON + timedelta(microseconds=at) for at in range(len(rows))]),
            "created_timestamp": timestamps([None] * len(rows)),
        }
    )
    view, packed = view_of(SCALARS), Packed(tmp_path_factory.mktemp("both"))
    other = view_of(SCALARS, name="other")
    packed.apply(view, other)
    packed.write_arrow(view, pa.concat_tables([table.slice(0, cut), table.slice(cut)]))
    packed.store.online_write_batch(packed.config, other, _convert_arrow_to_proto(table, other, {"item": ValueType.INT64}), None)
    keys = list(range(len(rows)))
    assert [event for event, _ in packed.read(view, *keys)] == table["event_timestamp"].to_pylist()
    assert packed.read(view, *keys) == packed.read(other, *keys)
    assert answer(packed, list(SCALARS), keys, view=view).results == by_feast(packed, list(SCALARS), keys, view=other).results


def test_large_integers_beside_a_null_are_not_rounded(tmp_path: Path) -> None:
    view, packed = view_of({"n": types.Int64}), Packed(tmp_path)
    column = pa.array([2**53 + 1, None, -(2**63)], pa.int64())
    packed.write_arrow(view, pa.table({"item": [0, 1, 2], "n": column, "event_timestamp": timestamps([NOON] * 3)}))
    read = [values["n"] for _, values in packed.read(view, 0, 1, 2)]
    assert read == [Value(int64_val=2**53 + 1), Value(), Value(int64_val=-(2**63))]


def test_numbers_of_half_a_million_values_are_read_as_they_were(tmp_path: Path) -> None:
    """A value whose length takes three bytes, before one that is asked."""
    view = view_of({"long": Array(types.Float32), "after": types.Float64})
    packed = Packed(tmp_path)
    packed.apply(view)
    long = np.arange(500_000, dtype=np.float32).tolist()
    values = python_values_to_proto_values([long], ValueType.FLOAT_LIST)[0]
    packed.write(view, 1, {"long": values, "after": Value(double_val=2.5)})
    assert answer(packed, ["after"], [1]).results[0].values[0].double_val == 2.5
    assert packed.read(view, 1)[0][1]["long"] == values
