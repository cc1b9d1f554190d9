"""A file that is replaced while it is open: what is asked afterwards is answered from the one in place."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from feast import Field
from feast.types import Array, Float32
from packed_store import NOON, A, Packed, numbers, timestamps, view_of

from watertight.core.errors import Misuse
from watertight.stores.packed import database

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


def closed_store(folder: Path, value: float) -> Packed:
    packed = Packed(folder)
    packed.write(A, 1, numbers(a=value))
    asyncio.run(packed.store.close())
    return packed


@pytest.mark.parametrize("before", [True, False])
def test_a_file_that_is_replaced_while_it_is_opened_is_not_read_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    live, rebuilt = closed_store(tmp_path / "live", 1), closed_store(tmp_path / "rebuilt", 2)
    connect = sqlite3.connect

    def connected(*given: Any, **named: Any) -> sqlite3.Connection:
        monkeypatch.setattr(database.sqlite3, "connect", connect)
        if before:
            put_in_place(rebuilt, live)
        connection = connect(*given, **named)
        if not before:
            put_in_place(rebuilt, live)
        return connection

    monkeypatch.setattr(database.sqlite3, "connect", connected)
    assert [live.read(A, 1)[0][1] for _ in range(2)] == [numbers(a=2)] * 2


@pytest.mark.parametrize("opened", [True, False])
def test_a_reader_gets_over_the_moment_in_which_the_folder_is_away(tmp_path: Path, opened: bool) -> None:
    """``watertight.core.tables.replacing`` moves the old folder away, then the new one to its place."""
    live = closed_store(tmp_path / "live", 1)
    closed_store(tmp_path / "rebuilt", 2)
    if opened:
        assert live.read(A, 1)[0][1] == numbers(a=1)
    (tmp_path / "live").rename(tmp_path / "retired")
    soon = threading.Timer(0.02, (tmp_path / "rebuilt").rename, [tmp_path / "live"])
    soon.start()
    assert live.read(A, 1)[0][1] == numbers(a=2)
    soon.join()


def test_a_reader_puts_nothing_where_a_folder_is_about_to_be_put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder goes away between the look at it and the opening, and is not put back."""
    live, connect = closed_store(tmp_path / "live", 1), sqlite3.connect

    def connected(*given: Any, **named: Any) -> sqlite3.Connection:
        (tmp_path / "live").rename(tmp_path / "retired")
        return connect(*given, **named)

    monkeypatch.setattr(database.sqlite3, "connect", connected)
    started = time.monotonic()
    with pytest.raises(Misuse, match="there is no online store"):
        live.read(A, 1)
    assert not (tmp_path / "live").exists() and time.monotonic() - started < 5


def test_a_name_with_signs_that_addresses_give_a_meaning_is_a_name(tmp_path: Path) -> None:
    assert closed_store(tmp_path / "50% a?mode=memory#1", 1).read(A, 1)[0][1] == numbers(a=1)
    assert (tmp_path / "50% a?mode=memory#1" / "online_store.db").exists()
