"""Columns of an answer, filled with values from one piece of the source after the other, in any order."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Any, Protocol

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watertight.stores.point_in_time.instants import known_of, numbers, one_array
from watertight.stores.point_in_time.lookup import Known
from watertight.stores.point_in_time.memory import Memory
from watertight.stores.point_in_time.slots import Longs

# An Arrow list counts its numbers, and a string its bytes, in 31 bits.
MOST_IN_ONE_ARRAY = 2**31 - 1


class Ragged(Exception):
    """The lists of a column are of several lengths, or hold nulls: they are no vectors."""


class Sink(Protocol):
    """One column of the answer; what is never put is null."""

    def put(self, labels: Longs, rows: Longs, column: pa.ChunkedArray) -> None:
        """Let each of ``labels`` (k,) have the value of its row, of ``rows`` (k,), in a piece of the column."""
        ...

    def done(self) -> pa.ChunkedArray:
        """The column."""
        ...


class Nulls:
    """Which values of a column are null: those of labels without a row, and those that are null in their row.

    ``has_row`` (n,) is shared by the columns of a view, and most columns have no nulls of their own.
    """

    def __init__(self, has_row: Known) -> None:
        self.has_row = has_row
        self.valid: Known | None = None
        self.lock = threading.Lock()

    def put(self, labels: Longs, rows: Longs, column: pa.ChunkedArray) -> None:
        """Mark what is null in the ``rows`` (k,) of a row group's column, for the ``labels`` (k,) that have them."""
        if not column.null_count:
            return
        with self.lock:
            if self.valid is None:
                self.valid = self.has_row.copy()
        _put(self.valid, labels, known_of(column), rows)

    def bitmap(self, begin: int = 0, end: int | None = None) -> pa.Buffer | None:
        """Arrow's validity of the labels from ``begin`` to ``end``; None where all are valid."""
        valid = (self.has_row if self.valid is None else self.valid)[begin:end]
        return None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))


def sink_for(kind: pa.DataType, has_row: Known, memory: Memory, vectors: bool = True) -> Sink:
    """The sink for a type and the labels that have a row (n,); lists of numbers are ``vectors`` until they prove Ragged."""
    if pa.types.is_boolean(kind) or (pa.types.is_primitive(kind) and kind.bit_width % 8 == 0):
        return Numbers(kind, has_row, memory)
    if vectors and _is_list(kind) and pa.types.is_primitive(kind.value_type) and not pa.types.is_boolean(kind.value_type):
        return Vectors(kind, has_row, memory)
    return Taken(kind, len(has_row))


class Numbers:
    """Values of a fixed width, written straight to where they belong."""

    def __init__(self, kind: pa.DataType, has_row: Known, memory: Memory) -> None:
        self.kind, self.labels, self.nulls = kind, len(has_row), Nulls(has_row)
        # A boolean is a byte until the end: single bits cannot be written by two threads.
        self.values = memory.zeros((self.labels,), np.uint8 if pa.types.is_boolean(kind) else f"u{kind.bit_width // 8}")

    def put(self, labels: Longs, rows: Longs, column: pa.ChunkedArray) -> None:
        """See Sink."""
        array = one_array(column)
        _put(self.values, labels, _raw(array, self.kind, self.values.dtype), rows)
        self.nulls.put(labels, rows, column)

    def done(self) -> pa.ChunkedArray:
        """See Sink."""
        values = np.packbits(self.values, bitorder="little") if pa.types.is_boolean(self.kind) else self.values
        buffers = [self.nulls.bitmap(), pa.py_buffer(values)]
        return pa.chunked_array([pa.Array.from_buffers(self.kind, self.labels, buffers)])


class Vectors:
    """Lists of numbers, all of one length, written as one block; raises Ragged where they are not."""

    def __init__(self, kind: pa.DataType, has_row: Known, memory: Memory) -> None:
        self.kind, self.labels, self.memory, self.nulls = kind, len(has_row), memory, Nulls(has_row)
        self.width = f"u{kind.value_type.bit_width // 8}"
        self.block: npt.NDArray[Any] | None = None
        self.lock = threading.Lock()

    def put(self, labels: Longs, rows: Longs, column: pa.ChunkedArray) -> None:
        """See Sink."""
        array = one_array(column)
        valid = known_of(column)
        self.nulls.put(labels, rows, column)
        if not valid.any():
            return
        begins, dimension = _lengths(array, valid)
        with self.lock:
            if self.block is None:
                self.block = self.memory.zeros((self.labels, dimension), self.width)
        if array.values.null_count or dimension != self.block.shape[1]:
            raise Ragged
        numbers = np.frombuffer(array.values.buffers()[1], self.width)[array.values.offset :]
        _put_vectors(self.block, labels, numbers, begins, valid, rows)

    def done(self) -> pa.ChunkedArray:
        """See Sink; in several pieces where one array could not hold all numbers."""
        block = self.block if self.block is not None else np.zeros((self.labels, 0), self.width)
        most = max(1, MOST_IN_ONE_ARRAY // max(1, block.shape[1]))
        pieces = [self._piece(block[at : at + most], at) for at in range(0, max(1, self.labels), most)]
        return pa.chunked_array(pieces, self.kind)

    def _piece(self, block: npt.NDArray[Any], begin: int) -> pa.Array:
        bitmap = self.nulls.bitmap(begin, begin + len(block))
        values = pa.Array.from_buffers(self.kind.value_type, block.size, [None, pa.py_buffer(block.reshape(-1))])
        if pa.types.is_fixed_size_list(self.kind):
            return pa.Array.from_buffers(self.kind, len(block), [bitmap], children=[_fitting(values, self.kind, len(block))])
        counts = np.int64 if pa.types.is_large_list(self.kind) else np.int32
        offsets = (np.arange(len(block) + 1) * block.shape[1]).astype(counts)
        return pa.Array.from_buffers(self.kind, len(block), [bitmap, pa.py_buffer(offsets)], children=[values])


class Taken:
    """Values of any other type: the distinct rows of each piece are kept, and dealt out in the end."""

    def __init__(self, kind: pa.DataType, labels: int) -> None:
        self.kind = kind
        self.pieces: list[tuple[Longs, pa.Array]] = []
        self.place = np.full(labels, -1, np.int64)

    def put(self, labels: Longs, rows: Longs, column: pa.ChunkedArray) -> None:
        """See Sink."""
        distinct, self.place[labels] = np.unique(rows, return_inverse=True)
        self.pieces.append((labels, one_array(column.cast(_large(self.kind)).take(pa.array(distinct)))))

    def done(self) -> pa.ChunkedArray:
        """See Sink; in several pieces where one array could not hold all bytes."""
        before = 0
        for labels, piece in self.pieces:
            self.place[labels] += before
            before += len(piece)
        if not self.pieces:
            return pa.chunked_array([pa.nulls(len(self.place), self.kind)])
        values = pa.concat_arrays([piece for _, piece in self.pieces])
        self.pieces.clear()
        indices = pa.array(self.place, mask=self.place < 0)
        taken = [values.take(indices[begin:end]).cast(self.kind) for begin, end in pairwise(_cuts(values, self.place))]
        return pa.chunked_array(taken, self.kind)


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _large(kind: pa.DataType) -> pa.DataType:
    """The type that counts in 64 bits, so that pieces may be put together whatever their size."""
    if pa.types.is_string(kind):
        return pa.large_string()
    if pa.types.is_binary(kind):
        return pa.large_binary()
    return pa.large_list(kind.value_field) if pa.types.is_list(kind) else kind


def _cuts(values: pa.Array, place: Longs) -> list[int]:
    """Where to cut the labels so that no piece has more than one array can count."""
    if pa.types.is_large_list(values.type):
        lengths = pc.list_value_length(values)
    elif pa.types.is_large_string(values.type) or pa.types.is_large_binary(values.type):
        lengths = pc.binary_length(values)
    else:
        return [0, len(place)]
    length = np.append(numbers(pa.chunked_array([lengths.cast(pa.int64())])), 0)
    until = np.cumsum(length[place])
    cuts = [0]
    while cuts[-1] < len(place):
        before = until[cuts[-1] - 1] if cuts[-1] else 0
        end = int(np.searchsorted(until, before + MOST_IN_ONE_ARRAY, side="right"))
        cuts.append(max(end, cuts[-1] + 1))
    return cuts


def _raw(array: pa.Array, kind: pa.DataType, width: Any) -> npt.NDArray[Any]:
    """The values as plain unsigned numbers, whatever they mean; under nulls anything."""
    if pa.types.is_boolean(kind):
        filled = array.fill_null(False) if array.null_count else array
        return np.asarray(filled.to_numpy(zero_copy_only=False)).view(np.uint8)
    return np.frombuffer(array.buffers()[1], width, len(array), array.offset * np.dtype(width).itemsize)


def _lengths(array: pa.Array, valid: Known) -> tuple[Longs, int]:
    """Where each list begins among its values, and the one length of all that are not null."""
    if pa.types.is_fixed_size_list(array.type):
        dimension = array.type.list_size
        return (np.arange(len(array), dtype=np.int64) + array.offset) * dimension, dimension
    offsets = np.asarray(array.offsets).astype(np.int64, copy=False)
    lengths = np.diff(offsets)[valid]
    if (lengths != lengths[0]).any():
        raise Ragged
    return offsets[:-1], int(lengths[0])


def _fitting(values: pa.Array, kind: pa.DataType, rows: int) -> pa.Array:
    """All values of fixed-size lists are there even where no list is."""
    return values if len(values) == rows * kind.list_size else pa.repeat(pa.scalar(0, kind.value_type), rows * kind.list_size)


@numba.njit(cache=True, nogil=True)
def _put(values: npt.NDArray[Any], labels: Longs, given: npt.NDArray[Any], rows: Longs) -> None:
    for i in range(len(labels)):
        values[labels[i]] = given[rows[i]]


@numba.njit(cache=True, nogil=True)
def _put_vectors(
    block: npt.NDArray[Any], labels: Longs, numbers: npt.NDArray[Any], begins: Longs, valid: Known, rows: Longs
) -> None:
    width = block.shape[1]
    for i in range(len(labels)):
        if valid[rows[i]]:
            begin = begins[rows[i]]
            for j in range(width):
                block[labels[i], j] = numbers[begin + j]
