"""The nearest rows of a view, in the form in which Feast takes them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import numpy as np
from feast.infra.key_encoding_utils import deserialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value

from watertight.core.errors import Refusal
from watertight.stores.packed.catalogue import StoredView
from watertight.stores.packed.reading import StoredRow, stored_rows
from watertight.stores.packed.row import unpacked
from watertight.stores.packed.search.block import Block
from watertight.stores.packed.search.distance import exact, nearest
from watertight.stores.packed.search.filters import passing
from watertight.stores.packed.search.query import Query
from watertight.stores.packed.times import instant, oldest_served

Found = tuple[datetime | None, EntityKey | None, dict[str, Value] | None]
DISTANCE = "distance"


class _Near(NamedTuple):
    distance: float
    order: tuple[object, ...]
    key: bytes
    named: EntityKey


def search(connection: sqlite3.Connection, stored: StoredView, query: Query, blocks: Iterable[Block]) -> list[Found]:
    """The ``top_k`` rows nearest to the query, nearest first, equally near ones in the order of their keys.

    Each entity key begins with the distance. Feast puts what it is given in the order of the entity keys but leaves the
    keys themselves where they were (``_retrieve_from_online_store_v2``); so that every row of its answer is one row, nearest
    first, the order of the keys has to be that of the distances.
    """
    oldest = oldest_served(query.table.ttl)
    near: list[tuple[float, bytes]] = []
    for block in blocks:
        near = _closest([*near, *_candidates(block, query, oldest)], query.top_k)
    ranked = sorted(_named(distance, key) for distance, key in near)[: query.top_k]
    rows = stored_rows(connection, stored, [row.key for row in ranked])
    return [_found(row, rows[row.key], query.features) for row in ranked]


def _candidates(block: Block, query: Query, oldest_us: int | None) -> list[tuple[float, bytes]]:
    allowed = passing(query.filters, block.columns, len(block.keys))
    if oldest_us is not None:
        allowed &= block.event_us >= oldest_us
    rows = nearest(query.metric, block.matrix, block.norms, np.flatnonzero(allowed), query.vector, query.top_k)
    distances = exact(query.metric, block.matrix, rows, query.vector)
    _demand_finite([block.keys[at] for at in rows[~np.isfinite(distances)]], query)
    return [(distance, block.keys[at]) for distance, at in zip(distances.tolist(), rows.tolist())]


def _demand_finite(beyond: list[bytes], query: Query) -> None:
    if beyond:
        raise Refusal(
            f"distances from the query to rows of view {query.table.name!r} are greater than 64 bits hold",
            column=query.field.name,
            rows=[key.hex() for key in beyond],
            expected="distances below 1.8e308",
            next_step="search by cosine, or mend the query or the rows",
        )


def _closest(near: list[tuple[float, bytes]], top_k: int) -> list[tuple[float, bytes]]:
    """The nearest ``top_k``, and all that are as near as the last of them."""
    if len(near) <= top_k:
        return near
    distances = np.array([distance for distance, _ in near])
    last = np.partition(distances, top_k - 1)[top_k - 1]
    return [near[at] for at in np.flatnonzero(distances <= last)]


def _named(distance: float, key: bytes) -> _Near:
    named = deserialize_entity_key(key, 3)
    return _Near(distance, tuple(getattr(value, value.WhichOneof("val")) for value in named.entity_values), key, named)


def _found(row: _Near, stored: StoredRow, features: list[str]) -> Found:
    values = dict(zip(stored.names, unpacked(stored.packed)))
    answer = {name: values[name] for name in features if name in values}
    key = EntityKey(
        join_keys=[DISTANCE, *row.named.join_keys], entity_values=[Value(double_val=row.distance), *row.named.entity_values]
    )
    return instant(stored.event_us), key, {**answer, DISTANCE: Value(float_val=row.distance)}
