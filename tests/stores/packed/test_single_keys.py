"""Keys of single rows: the bytes of Feast's own function, and those of whole columns."""

from __future__ import annotations

import pytest
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from hypothesis import given
from hypothesis import strategies as st

from watertight.core.errors import Misuse
from watertight.stores.packed.keys import serialized, serialized_rows

VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(lambda number: Value(int64_val=number)),
    st.integers(-(2**31), 2**31 - 1).map(lambda number: Value(int32_val=number)),
    st.integers(0, 2**40).map(lambda number: Value(unix_timestamp_val=number)),
    st.text(st.characters(codec="utf-8")).map(lambda text: Value(string_val=text)),
    st.binary().map(lambda raw: Value(bytes_val=raw)),
)


@given(st.dictionaries(st.text("abzé", min_size=1), VALUES, max_size=3))
def test_a_key_is_feasts_key(row: dict[str, Value]) -> None:
    key = EntityKey(join_keys=list(row), entity_values=list(row.values()))
    assert serialized(key) == serialize_entity_key(key, 3)
    assert serialized_rows({name: [value, value] for name, value in row.items()}) == [serialized(key)] * 2 * bool(row)


def test_a_key_without_a_value_is_misuse_and_named() -> None:
    with pytest.raises(Misuse) as told:
        serialized(EntityKey(join_keys=["a", "item"], entity_values=[Value(int64_val=1), Value()]))
    assert told.value.column == "item"
