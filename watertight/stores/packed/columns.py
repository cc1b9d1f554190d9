"""The features of many packed rows, a feature at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus

from watertight.stores.packed.reading import StoredRow
from watertight.stores.packed.row import NULL, NULLS, boundaries, length_bytes, pieces

FEW = 8
"""Below so many rows it is not worth while to look at them as a matrix."""
PRESENT, NULL_VALUE, NOT_FOUND = FieldStatus.PRESENT, FieldStatus.NULL_VALUE, FieldStatus.NOT_FOUND
_PRESENT, _NOT_FOUND = bytes([PRESENT]), bytes([NOT_FOUND])
_NULL_SIZES = {len(null) for null in NULLS}


class Column(NamedTuple):
    """One feature of n rows: the bytes of its values in an answer, n pieces, and Feast's status of each, n bytes."""

    values: list[bytes]
    statuses: bytes


def columns(rows: Sequence[StoredRow], features: Sequence[str]) -> list[Column]:
    """``features`` of ``rows``; a feature that a row was packed without is not found there."""
    alike = _matrix(rows, features) if len(rows) >= FEW else None
    return _row_by_row(rows, features) if alike is None else _cut(*alike, places(rows[0].names, tuple(features)))


@lru_cache(maxsize=1024)
def places(names: tuple[str, ...], features: tuple[str, ...]) -> tuple[int, ...]:
    """Where each feature stands in a layout; -1 where the layout has it not."""
    return tuple(names.index(feature) if feature in names else -1 for feature in features)


def _matrix(rows: Sequence[StoredRow], features: Sequence[str]) -> tuple[np.ndarray, list[int]] | None:
    """All rows as one uint8 matrix, and where values are cut in each of them; None if it is not the same everywhere."""
    names, first = rows[0].names, rows[0].packed
    if any(row.names != names or len(row.packed) != len(first) for row in rows):
        return None
    cuts = boundaries(first, max(places(names, tuple(features)), default=-1) + 1)
    matrix = np.frombuffer(b"".join([row.packed for row in rows]), dtype=np.uint8).reshape(len(rows), len(first))
    lengths = matrix[:, length_bytes(first, cuts)]
    return (matrix, cuts) if (lengths == lengths[0]).all() else None


def _cut(matrix: np.ndarray, cuts: list[int], found: Sequence[int]) -> list[Column]:
    return [_slice(matrix, cuts[place], cuts[place + 1]) if place >= 0 else _absent(len(matrix)) for place in found]


def _slice(matrix: np.ndarray, start: int, end: int) -> Column:
    width, whole = end - start, matrix[:, start:end].tobytes()
    values = [whole[at : at + width] for at in range(0, len(whole), width)]
    return Column(values, _statuses(values) if width in _NULL_SIZES else _PRESENT * len(values))


def _absent(rows: int) -> Column:
    return Column([NULL] * rows, _NOT_FOUND * rows)


def _row_by_row(rows: Sequence[StoredRow], features: Sequence[str]) -> list[Column]:
    wanted, answers = tuple(features), []
    for row in rows:
        found = places(row.names, wanted)
        values = [*pieces(row.packed, max(found, default=-1) + 1), None]
        answers.append([values[place] for place in found])
    turned = zip(*answers) if answers else [[] for _ in features]
    return [Column([NULL if value is None else value for value in column], _statuses(column)) for column in turned]


def _statuses(values: Sequence[bytes | None]) -> bytes:
    return bytes([NOT_FOUND if value is None else NULL_VALUE if value in NULLS else PRESENT for value in values])
