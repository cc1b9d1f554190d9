"""Bytes of many rows at once: a row's piece of a message as an element of one Arrow array, joined without a loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Pieces: TypeAlias = pa.LargeBinaryArray
_SEVENS = np.arange(10, dtype=np.uint64) * np.uint64(7)
_STEPS = np.uint64(1) << _SEVENS[1:]


def joined(*parts: Pieces | bytes) -> Pieces:
    """Row by row one piece after the other; ``bytes`` stand in every row. At least one part is an array; none has nulls."""
    columns = [pa.scalar(part, pa.large_binary()) if isinstance(part, bytes) else part for part in parts]
    return pc.binary_join_element_wise(*columns, pa.scalar(b"", pa.large_binary()))


def of_matrix(matrix: np.ndarray) -> Pieces:
    """The rows of a uint8 matrix."""
    rows, width = matrix.shape
    return of_buffer(np.ascontiguousarray(matrix), np.arange(rows + 1, dtype=np.int64) * width)


def of_buffer(data: np.ndarray | pa.Buffer, offsets: np.ndarray) -> Pieces:
    """``data`` cut at ``offsets`` (int64, one more than there are pieces), without a copy."""
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(offsets) - 1, [None, pa.py_buffer(offsets.astype(np.int64, copy=False)), pa.py_buffer(data)]
    )


def lengths_of(pieces: Pieces) -> np.ndarray:
    """int64: the bytes of each piece."""
    return offsets_of(pieces)[1:] - offsets_of(pieces)[:-1]


def offsets_of(pieces: Pieces) -> np.ndarray:
    """int64, one more than there are pieces: where each begins in the buffer of :func:`data_of`."""
    if len(pieces) == 0:
        return np.zeros(1, dtype=np.int64)
    every = np.frombuffer(pieces.buffers()[1], dtype=np.int64)
    return every[pieces.offset : pieces.offset + len(pieces) + 1]


def data_of(pieces: Pieces) -> memoryview:
    """The bytes of all pieces, one after the other, without a copy."""
    offsets = offsets_of(pieces)
    buffer = pieces.buffers()[2]
    return memoryview(buffer)[int(offsets[0]) : int(offsets[-1])] if buffer is not None else memoryview(b"")


def by_number(numbers: np.ndarray, piece: Callable[[int], bytes]) -> Pieces:
    """``piece(number)`` for each of ``numbers`` (int64), called once for each that occurs: meant for lengths."""
    distinct, places = np.unique(numbers, return_inverse=True)
    return pa.array([piece(int(number)) for number in distinct], pa.large_binary()).take(pa.array(places))


def emptied_where(pieces: Pieces, empty: np.ndarray) -> Pieces:
    """No bytes at all in the rows where ``empty`` (bool) is true."""
    return pc.if_else(pa.array(empty), pa.scalar(b"", pa.large_binary()), pieces) if empty.any() else pieces


def varints(numbers: np.ndarray) -> Pieces:
    """int64 as protobuf's varints: 1 to 10 bytes, seven bits in each, the lowest first; negative ones take ten.

    https://protobuf.dev/programming-guides/encoding/#varints
    """
    unsigned = numbers.astype(np.int64, copy=False).view(np.uint64)
    lengths = np.searchsorted(_STEPS, unsigned, side="right") + 1
    wide = int(lengths.max(initial=1))
    bytes_of = np.empty((len(unsigned), wide), dtype=np.uint8)
    for place in range(wide):
        bytes_of[:, place] = (unsigned >> _SEVENS[place]).astype(np.uint8) & 0x7F | (lengths > place + 1).astype(np.uint8) << 7
    return of_buffer(bytes_of[np.arange(wide) < lengths[:, None]], np.concatenate([[0], np.cumsum(lengths)]))


def varint(number: int) -> bytes:
    """One number of 0 or more as a varint."""
    head = b""
    while number > 0x7F:
        head += bytes([number & 0x7F | 0x80])
        number >>= 7
    return head + bytes([number])
