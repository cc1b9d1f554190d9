"""Entity keys of single rows, as Feast serialises them (version 3) and several times faster."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache

from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value, ValueType

from watertight.core.errors import Misuse

_INT64 = struct.Struct("<IIq")
_LENGTHS = struct.Struct("<II")


def serialized(key: EntityKey) -> bytes:
    """One key; raises Misuse if a value is missing, and Feast's ValueError if one is of a type that Feast cannot serialise."""
    names = tuple(key.join_keys)
    head, order = _head(names)
    return b"".join([head, *(_value(key.entity_values[at], names[at]) for at in order)])


def serialized_rows(columns: Mapping[str, Sequence[Value]]) -> list[bytes]:
    """The key of each row of ``columns``, join key to values."""
    names = tuple(columns)
    head, order = _head(names)
    parts = [[_value(value, names[at]) for value in columns[names[at]]] for at in order]
    return [b"".join((head, *row)) for row in zip(*parts)]


@lru_cache(maxsize=1024)
def _head(names: tuple[str, ...]) -> tuple[bytes, list[int]]:
    """What stands before the values, and where each value stands among ``names``: keys go by name."""
    order = sorted(range(len(names)), key=names.__getitem__)
    encoded = [names[at].encode() for at in order]
    written = b"".join(_LENGTHS.pack(ValueType.STRING, len(name)) + name for name in encoded)
    return struct.pack("<I", len(names)) + written, order


def _value(value: Value, name: str) -> bytes:
    kind = value.WhichOneof("val")
    if kind == "int64_val":
        return _INT64.pack(ValueType.INT64, 8, value.int64_val)
    if kind == "string_val":
        text = value.string_val.encode()
        return _LENGTHS.pack(ValueType.STRING, len(text)) + text
    if kind is None:
        raise Misuse("a row was asked or written without its key", column=name, expected="a value of every join key in every row")
    return serialize_entity_key(EntityKey(join_keys=[""], entity_values=[value]), 3)[len(_head(("",))[0]) :]
