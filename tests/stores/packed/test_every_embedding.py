"""Every embedding of a view at once, against what was written; what a search leaves out is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from feast import FeatureStore, FeatureView, Field, RepoConfig
from feast.types import Array, Float32, String
from packed_store import NOON, feast_store, timestamps, view_of

from watertight.core.errors import Misuse
from watertight.stores.online import embeddings
from watertight.stores.packed.search import block

WIDE = 8


def view(ttl: timedelta | None = None) -> FeatureView:
    return view_of({"text": String}, ttl=ttl, fields=[Field(name="e", dtype=Array(Float32), vector_index=True)])


def write(store: FeatureStore, keys: list[int], vectors: np.ndarray | None, event: datetime = NOON) -> None:
    given = [None] * len(keys) if vectors is None else list(vectors)
    columns = {"item": keys, "e": pa.array(given, pa.list_(pa.float32())), "text": [f"word{key}" for key in keys]}
    table = pa.table({**columns, "event_timestamp": timestamps([event] * len(keys))})
    store.provider.online_store.online_write_arrow(store.config, store.get_feature_view("view"), table, lambda done: None)


def drawn(size: int) -> np.ndarray:
    return np.random.default_rng(size).normal(size=(size, WIDE)).astype(np.float32)


@pytest.mark.parametrize("bytes_of_a_block", [1_000, 32 << 20], ids=["many blocks", "one"])
def test_they_come_in_the_order_of_their_keys_whatever_that_of_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bytes_of_a_block: int
) -> None:
    monkeypatch.setattr(block, "BLOCK_BYTES", bytes_of_a_block)
    store, vectors = feast_store(tmp_path, view()), drawn(300)
    shuffled = np.random.default_rng(0).permutation(300)
    write(store, shuffled.tolist(), vectors[shuffled])
    write(store, [7], vectors[8:9], NOON + timedelta(hours=1))
    told = embeddings(store, "view", WIDE)
    assert told.keys == [{"item": key} for key in range(300)]
    assert told.vectors.dtype == np.float32
    assert np.array_equal(told.vectors, vectors[[*range(7), 8, *range(8, 300)]]), "the newest of each"


def test_rows_outside_the_ttl_and_rows_without_an_embedding_are_left_out(tmp_path: Path) -> None:
    now, store, vectors = datetime.now(UTC), feast_store(tmp_path, view(timedelta(hours=1))), drawn(4)
    write(store, [0, 1], vectors[:2], now - timedelta(hours=2))
    write(store, [2, 3], vectors[2:], now)
    write(store, [9], None, now)
    told = embeddings(store, "view", WIDE)
    assert told.keys == [{"item": 2}, {"item": 3}]
    assert np.array_equal(told.vectors, vectors[2:])


def test_nothing_written_is_nothing(tmp_path: Path) -> None:
    told = embeddings(feast_store(tmp_path, view()), "view", WIDE)
    assert (told.keys, told.vectors.shape) == ([], (0, WIDE))


def test_a_store_that_does_not_give_them_out_is_misuse(tmp_path: Path) -> None:
    other = {"type": "sqlite", "path": str(tmp_path / "other.db")}
    registry = {"registry_type": "sql", "path": f"sqlite:///{tmp_path / 'registry.db'}"}
    config = RepoConfig(
        project="tests", provider="local", registry=registry, online_store=other, entity_key_serialization_version=3
    )
    with pytest.raises(Misuse, match="SqliteOnlineStore does not give out every vector"):
        embeddings(FeatureStore(config=config), "view", WIDE)
