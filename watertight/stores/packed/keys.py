"""Entity keys of single rows, as Feast serialises them (version 3) and several times faster."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value, ValueType

from watertight.core.errors import Misuse

_INT64 = struct.Struct("<IIq")
_LENGTHS = struct.Struct("<II")


def serialized(key: EntityKey) -> bytes:
    """One key; raises Misuse if it has no value, and Feast's ValueError if it is of a type that Feast cannot serialise."""
    if len(key.join_keys) != 1:
        return serialize_entity_key(key, 3)
    return _head(key.join_keys[0]) + _value(key.entity_values[0], key.join_keys[0])


def serialized_rows(columns: Mapping[str, Sequence[Value]]) -> Iterator[bytes]:
    """The key of each row of ``columns``, join key to values."""
    if len(columns) == 1:
        ((name, values),) = columns.items()
        head = _head(name)
        return (head + _value(value, name) for value in values)
    names = list(columns)
    return (serialize_entity_key(EntityKey(join_keys=names, entity_values=row), 3) for row in zip(*columns.values()))


@lru_cache(maxsize=1024)
def _head(name: str) -> bytes:
    encoded = name.encode()
    return struct.pack("<III", 1, ValueType.STRING, len(encoded)) + encoded


def _value(value: Value, name: str) -> bytes:
    kind = value.WhichOneof("val")
    if kind == "int64_val":
        return _INT64.pack(ValueType.INT64, 8, value.int64_val)
    if kind == "string_val":
        text = value.string_val.encode()
        return _LENGTHS.pack(ValueType.STRING, len(text)) + text
    if kind is None:
        raise Misuse("a row was asked or written without its key", column=name, expected="a value of every join key in every row")
    whole = serialize_entity_key(EntityKey(join_keys=[""], entity_values=[value]), 3)
    return whole[len(_head("")) :]
