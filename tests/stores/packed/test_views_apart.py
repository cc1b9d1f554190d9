"""Whose rows are whose: projects, views, versions, files; and what goes when a view goes."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64, Int64, String
from packed_store import ITEM, NOON, TYPE, A, Packed, configured, feast_store, item, numbers, view_of

from watertight.core.errors import Misuse

MINE, YOURS = numbers(a=1), numbers(a=2)


def test_projects_and_views_do_not_mix_even_where_their_names_run_together(tmp_path: Path) -> None:
    one, other = Packed(tmp_path, "a_b"), Packed(tmp_path, "a")
    first, second = view_of({"a": Float64}, name="c"), view_of({"a": Float64}, name="b_c")
    one.apply(first)
    other.apply(second)
    one.write(first, 1, MINE)
    other.write(second, 1, YOURS)
    assert one.read(first, 1) == [(NOON, MINE)] and other.read(second, 1) == [(NOON, YOURS)]


def test_a_view_that_is_removed_takes_its_rows_and_no_others(tmp_path: Path) -> None:
    packed, b = Packed(tmp_path), view_of({"a": Float64}, name="b")
    packed.apply(A, b)
    packed.write(A, 1, MINE)
    packed.write(b, 1, YOURS)
    packed.apply(b, without=[A])
    assert packed.read(b, 1) == [(NOON, YOURS)]
    with pytest.raises(Misuse, match="'view' of project 'tests' is not in the online store") as told:
        packed.read(A, 1)
    assert told.value.expected == "b"
    packed.apply(A)
    assert packed.read(A, 1) == [(None, None)]


def test_applying_again_keeps_the_rows(tmp_path: Path) -> None:
    packed = Packed(tmp_path)
    packed.apply(A)
    packed.write(A, 1, MINE)
    packed.apply(A)
    assert Packed(tmp_path).read(A, 1) == [(NOON, MINE)]


def test_teardown_removes_the_views_of_one_project(tmp_path: Path) -> None:
    one, other = Packed(tmp_path, "one"), Packed(tmp_path, "other")
    for packed in (one, other):
        packed.apply(A)
        packed.write(A, 1, MINE)
    one.store.teardown(one.config, [A], [])
    assert other.read(A, 1) == [(NOON, MINE)]
    with pytest.raises(Misuse, match="not in the online store"):
        one.read(A, 1)


def test_a_store_that_is_put_in_the_place_of_another_is_seen(tmp_path: Path) -> None:
    """As a rebuild does it: written beside, let go of, moved."""
    served, built = Packed(tmp_path / "served"), Packed(tmp_path / "built")
    served.write(A, 1, MINE)
    assert served.read(A, 1) == [(NOON, MINE)]
    built.write(A, 1, YOURS)
    asyncio.run(built.store.close())
    assert [file.name for file in built.folder.iterdir()] == ["online_store.db"]
    (built.folder / "online_store.db").replace(served.folder / "online_store.db")
    for rest in ("online_store.db-wal", "online_store.db-shm"):
        (served.folder / rest).unlink()
    assert served.read(A, 1) == [(NOON, YOURS)]
    assert served.read(A, 2) == [(None, None)]


def test_reading_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="there is no online store at"):
        Packed(tmp_path).read(A, 1)
    assert not (tmp_path / "online_store.db").exists()


@pytest.mark.parametrize("content", [b"not a database" * 100, None])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "online_store.db"
    if content is None:
        with sqlite3.connect(file) as other:
            other.execute("CREATE TABLE tests_view (entity_key BLOB)")
        other.close()
        content = file.read_bytes()
    else:
        file.write_bytes(content)
    with pytest.raises(Misuse, match="was not written by this online store"):
        Packed(tmp_path).apply(A)
    assert file.read_bytes() == content


def test_a_relative_path_lies_beside_the_declarations(tmp_path: Path) -> None:
    config = RepoConfig(
        project="tests",
        provider="local",
        registry={"registry_type": "sql", "path": f"sqlite:///{tmp_path / 'registry.db'}"},
        online_store={"type": TYPE, "path": "data/here.db"},
        entity_key_serialization_version=3,
        repo_path=tmp_path,
    )
    FeatureStore(config=config).apply([ITEM, A])
    assert (tmp_path / "data" / "here.db").is_file()


def test_versions_of_a_view_are_kept_apart_where_the_registry_does(tmp_path: Path) -> None:
    config = configured(tmp_path)
    config.registry.enable_online_feature_view_versioning = True
    store = FeatureStore(config=config)
    frame = pd.DataFrame({"item": [1], "a": [1.0], "event_timestamp": [NOON], "created_timestamp": [NOON]})
    store.apply([ITEM, view_of({"a": Float64})])
    store.write_to_online_store("view", frame)
    store.apply([view_of({"a": Float64, "b": Float64})])
    store.write_to_online_store("view", frame.assign(a=2.0, b=3.0), allow_registry_cache=False)
    store.refresh_registry()
    asked = {
        name: store.get_online_features([f"{name}:a"], [{"item": 1}]).to_dict()["a"] for name in ("view@v0", "view@v1", "view")
    }
    assert asked == {"view@v0": [1.0], "view@v1": [2.0], "view": [2.0]}


def test_rows_go_through_feast_and_come_back(tmp_path: Path) -> None:
    store = feast_store(tmp_path, view_of({"a": Float64}))
    frame = pd.DataFrame({"item": [1, 2], "a": [1.0, None], "event_timestamp": [NOON] * 2, "created_timestamp": [NOON] * 2})
    store.write_to_online_store("view", frame)
    answer = store.get_online_features(["view:a"], {"item": [2, 1]}, full_feature_names=True).to_dict(
        include_event_timestamps=True
    )
    assert answer["view__a"] == [None, 1.0]
    assert answer["view__a__ts"] == [int(NOON.timestamp())] * 2


BUYER = Entity(name="buyer", join_keys=["buyer_id"], value_type=ValueType.STRING)
ORDER = FeatureView(
    name="orders",
    entities=[ITEM, BUYER],
    schema=[Field(name="item", dtype=Int64), Field(name="buyer_id", dtype=String), Field(name="a", dtype=Float64)],
    source=FileSource(name="orders_file", path="nowhere.parquet", timestamp_field="event_timestamp"),
)


def test_two_aliases_of_a_view_with_two_keys_are_read_in_one_request(tmp_path: Path) -> None:
    sold = ORDER.with_name("sold").with_join_key_map({"buyer_id": "seller_id"})
    bought = ORDER.with_name("bought")
    store = feast_store(tmp_path, BUYER, ORDER, FeatureService(name="both", features=[sold, bought]))
    rows = {"item": [1, 1], "buyer_id": ["x", "y"], "a": [1.0, 2.0], "event_timestamp": [NOON] * 2}
    online = store._get_provider().online_store
    online.online_write_arrow(
        store.config, store.get_feature_view("orders"), pa.Table.from_pandas(pd.DataFrame(rows)), lambda done: None
    )
    asked = [{"item": 1, "buyer_id": "x", "seller_id": "y"}, {"item": 1, "buyer_id": "z", "seller_id": "x"}]
    told = store.get_online_features(store.get_feature_service("both"), asked, full_feature_names=True).to_dict()
    assert (told["bought__a"], told["sold__a"]) == ([1.0, None], [2.0, 1.0])


def test_vectors_that_feast_works_out_ahead_are_kept(tmp_path: Path) -> None:
    packed = Packed(tmp_path)
    packed.apply(A)
    assert packed.store.read_precomputed_vectors(packed.config, "service", "tests", [item(1)]) == [None]
    packed.store.write_precomputed_vector(packed.config, "service", "tests", item(1), b"whole")
    assert packed.store.read_precomputed_vectors(packed.config, "service", "tests", [item(1), item(2)]) == [b"whole", None]
