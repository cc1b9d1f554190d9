"""Every embedding of a view at once, for what no search by one distance answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from feast.infra.key_encoding_utils import deserialize_entity_key

from watertight.stores.packed.search.block import Block
from watertight.stores.packed.search.query import VECTORS, Query
from watertight.stores.packed.times import oldest_served


class Embeddings(NamedTuple):
    """Rows in the order of their keys: ``keys``, each its values by join key, and ``vectors``, (n, d), of the view's own type."""

    keys: list[dict[str, str | int]]
    vectors: npt.NDArray[np.floating]


def embeddings(query: Query, blocks: Iterable[Block]) -> Embeddings:
    """Those of ``blocks`` that are within the TTL of the view of ``query``."""
    oldest = oldest_served(query.table.ttl)
    kind = VECTORS[query.field.dtype.to_value_type()]
    packed: list[bytes] = []
    parts = [np.empty((0, query.vector.size), dtype=kind)]
    for block in blocks:
        served = np.arange(len(block.keys)) if oldest is None else np.flatnonzero(block.event_us >= oldest)
        packed += [block.keys[at] for at in served]
        parts.append(block.matrix[served])
    keys = [_named(key) for key in packed]
    order = sorted(range(len(keys)), key=lambda at: tuple(keys[at].values()))
    return Embeddings([keys[at] for at in order], np.concatenate(parts)[order])


def _named(key: bytes) -> dict[str, str | int]:
    named = deserialize_entity_key(key, 3)
    values = (getattr(value, value.WhichOneof("val")) for value in named.entity_values)
    return dict(zip(named.join_keys, values, strict=True))
