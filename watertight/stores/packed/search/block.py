"""A part of a view in memory: its embeddings as one matrix, and what filters and the TTL look at beside them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from feast.protos.feast.types.Value_pb2 import DoubleList, FloatList, Value
from feast.types import from_feast_to_pyarrow_type
from feast.value_type import ValueType

from watertight.core.errors import Refusal
from watertight.stores.packed.catalogue import StoredView, layout
from watertight.stores.packed.row import NULL, packed, pieces, unpacked
from watertight.stores.packed.search.distance import lengths
from watertight.stores.packed.search.query import VECTORS, Query

BLOCK_BYTES = 32 << 20


@dataclass(frozen=True)
class Block:
    """n rows that have an embedding: their keys, event times, (n, d) embeddings with their lengths, and filter columns."""

    keys: list[bytes]
    event_us: np.ndarray
    matrix: np.ndarray
    norms: np.ndarray
    columns: dict[str, pa.Array]

    @property
    def nbytes(self) -> int:
        """About what it takes in memory."""
        keys = sum(map(len, self.keys)) + 64 * len(self.keys)
        return int(self.matrix.nbytes + 2 * self.norms.nbytes + keys + sum(column.nbytes for column in self.columns.values()))


def blocks(connection: sqlite3.Connection, stored: StoredView, query: Query) -> Iterator[Block]:
    """Every row of the view that has an embedding, in blocks of about 32 MB.

    Raises Refusal if an embedding has not as many numbers as the query, or numbers that are not finite.
    """
    wide = query.vector.size * VECTORS[query.field.dtype.to_value_type()].itemsize
    cursor = connection.execute(f"SELECT entity_key, event_us, layout, packed FROM {stored.rows}")
    layouts: dict[int, tuple[str, ...]] = {}
    while rows := cursor.fetchmany(max(1, BLOCK_BYTES // (wide + 256))):
        for number in {row[2] for row in rows} - layouts.keys():
            layouts[number] = layout(connection, number)
        yield _block([(key, event, layouts[number], row) for key, event, number, row in rows], query)


_Row = tuple[bytes, int, tuple[str, ...], bytes]


def _block(rows: Sequence[_Row], query: Query) -> Block:
    name = query.field.name
    found = [(row, piece) for row in rows if (piece := _piece(row, name)) != NULL]
    matrix = _matrix([piece for _, piece in found], [row[0] for row, _ in found], query)
    kept = [row for row, _ in found]
    types = {
        field.name: from_feast_to_pyarrow_type(field.dtype) for field in query.table.features if field.name in query.filtered
    }
    columns = {name: pa.array([_scalar(_piece(row, name)) for row in kept], kind) for name, kind in types.items()}
    return Block([row[0] for row in kept], np.array([row[1] for row in kept], dtype=np.int64), matrix, lengths(matrix), columns)


def _piece(row: _Row, name: str) -> bytes:
    """A feature's bytes in a row; null where the row was packed before there was one."""
    if name not in row[2]:
        return NULL
    place = row[2].index(name)
    return pieces(row[3], place + 1)[place]


def _scalar(piece: bytes) -> object:
    value: Value = unpacked(piece)[0]
    kind = value.WhichOneof("val")
    return None if kind is None else getattr(value, kind)


def _matrix(found: list[bytes], keys: list[bytes], query: Query) -> np.ndarray:
    """The numbers at the end of each piece, behind the tags and lengths that pieces of one length have in common."""
    kind, wide = VECTORS[query.field.dtype.to_value_type()], query.vector.size
    example = _like(query, wide)
    head = example[: len(example) - wide * kind.itemsize]
    strange = [key for key, piece in zip(keys, found) if len(piece) != len(example) or not piece.startswith(head)]
    matrix = np.empty((0, wide), dtype=kind)
    if not strange and found:
        matrix = np.frombuffer(b"".join(piece[len(head) :] for piece in found), dtype=kind).reshape(len(found), wide)
        strange = [keys[at] for at in np.flatnonzero(~np.isfinite(matrix).all(axis=1))]
    if strange:
        raise Refusal(
            f"embeddings of view {query.table.name!r} cannot be compared",
            column=query.field.name,
            rows=[key.hex() for key in strange],
            expected=f"{wide} finite numbers in every row, as in the query and in the field's vector_length",
            next_step="mend the rows and write them again",
        )
    return matrix


def _like(query: Query, wide: int) -> bytes:
    """An embedding as it is packed, for the bytes that stand before the numbers."""
    ones = [1.0] * wide
    narrow = query.field.dtype.to_value_type() is ValueType.FLOAT_LIST
    return packed([Value(float_list_val=FloatList(val=ones)) if narrow else Value(double_list_val=DoubleList(val=ones))])
