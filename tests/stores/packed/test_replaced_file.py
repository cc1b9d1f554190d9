"""A file that is replaced while it is open: what is asked afterwards is answered from the one in place."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pyarrow as pa
from feast import Field
from feast.types import Array, Float32
from packed_store import NOON, Packed, timestamps, view_of

EMBEDDED = view_of({}, fields=[Field(name="e", dtype=Array(Float32), vector_index=True, vector_length=2)])


def embed(packed: Packed, *vectors: list[float]) -> None:
    keys = list(range(len(vectors)))
    embeddings = pa.array(vectors, pa.list_(pa.float32()))
    packed.write_arrow(EMBEDDED, pa.table({"item": keys, "e": embeddings, "event_timestamp": timestamps([NOON] * len(keys))}))
    asyncio.run(packed.store.close())


def nearest(packed: Packed) -> list[int]:
    answer = packed.store.retrieve_online_documents_v2(packed.config, EMBEDDED, [], [1.0, 0.0], 2, "L2")
    return [key.entity_values[1].int64_val for _, key, _ in answer]


def put_in_place(new: Packed, live: Packed) -> None:
    os.replace(new.folder / "online_store.db", live.folder / "online_store.db")


def test_a_search_looks_at_the_store_that_is_in_place(tmp_path: Path) -> None:
    """The rebuilt one has the same view, written equally often."""
    live, rebuilt = Packed(tmp_path / "live"), Packed(tmp_path / "rebuilt")
    embed(live, [1, 0], [0, 1])
    assert nearest(live) == [0, 1]
    asyncio.run(live.store.close())
    embed(rebuilt, [0, 1], [1, 0])
    put_in_place(rebuilt, live)
    assert nearest(live) == [1, 0]


def test_a_search_tells_a_store_from_its_copy_that_was_written_further(tmp_path: Path) -> None:
    live, copied = Packed(tmp_path / "live"), Packed(tmp_path / "copied")
    embed(live, [1, 0], [0, 1])
    shutil.copy(live.folder / "online_store.db", copied.folder / "online_store.db")
    embed(copied, [0, 1], [1, 0])
    embed(live, [1, 0], [0, 1])
    assert nearest(live) == [0, 1]
    asyncio.run(live.store.close())
    put_in_place(copied, live)
    assert nearest(live) == [1, 0]
