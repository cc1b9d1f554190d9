"""A packed row: the values of a view's features, one after the other, as a serialised ``feast.types.RepeatedValue``.

So every type that Feast has can be kept, a null is an empty value, and the bytes of one value in a row are the bytes that
an answer of Feast's has for it. https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from feast.protos.feast.types.Value_pb2 import RepeatedValue, Value
from feast.type_map import NULL_TIMESTAMP_INT_VALUE

NULL = b"\n\x00"
"""The piece of a row that is a null."""


def packed(values: Iterable[Value]) -> bytes:
    """Values in their layout's order as one row."""
    return RepeatedValue(val=values).SerializeToString()


def unpacked(row: bytes) -> Sequence[Value]:
    """The values of one row in its layout's order."""
    return RepeatedValue.FromString(row).val


NULLS = frozenset({NULL, packed([Value(unix_timestamp_val=NULL_TIMESTAMP_INT_VALUE)])})
"""The pieces that Feast reads as null; of a time there is a null of its own."""


def pieces(row: bytes, count: int) -> list[bytes]:
    """The first ``count`` values of a row, each with the tag and length that stand before it."""
    cuts = boundaries(row, count)
    return [row[start:end] for start, end in pairwise(cuts)]


def boundaries(row: bytes, count: int) -> list[int]:
    """Where the first ``count`` values begin, and where the last of them ends."""
    cuts, at = [0], 0
    for _ in range(count):
        length = row[at + 1]
        at = at + 2 + length if length < 0x80 else _long_end(row, at)
        cuts.append(at)
    return cuts


def _long_end(row: bytes, start: int) -> int:
    """Where a value of 128 bytes or more ends: behind its tag, its length (a varint) and so many bytes."""
    at, shift, length = start + 2, 7, row[start + 1] & 0x7F
    while row[at] >= 0x80:
        length |= (row[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return at + 1 + (length | row[at] << shift)


def length_bytes(row: bytes, cuts: Sequence[int]) -> list[int]:
    """Where the lengths stand that say where a row's values are cut."""
    found = []
    for start in cuts[:-1]:
        at = start + 1
        while row[at] >= 0x80:
            found.append(at)
            at += 1
        found.append(at)
    return found
