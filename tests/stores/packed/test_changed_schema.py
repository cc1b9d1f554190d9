"""A view whose features change: what was packed before is read by name, and what was not is not found."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from feast.types import Array, Float32, Float64, String
from packed_store import NOON, Packed, feast_store, numbers, statuses, timestamps, view_of

OLD = {"a": Float64, "gone": String, "b": Float64}
NEW = {"new": Float64, "b": Float64, "a": Float64}


def rows(keys: list[int], **columns: list[object]) -> pa.Table:
    return pa.table({"item": keys, "event_timestamp": timestamps([NOON] * len(keys)), **columns})


def test_old_rows_and_new_rows_are_read_by_name(tmp_path: Path) -> None:
    packed = Packed(tmp_path)
    old, new = view_of(OLD), view_of(NEW)
    packed.apply(old)
    packed.write_arrow(old, rows([1, 2], a=[1.0, 2.0], gone=["x", "y"], b=[-1.0, -2.0]))
    packed.apply(new)
    packed.write_arrow(new, rows([2, 3], a=[20.0, 30.0], new=[0.2, 0.3], b=[-20.0, -30.0]))
    (_, first), (_, second), (_, third) = packed.read(new, 1, 2, 3, features=["a", "b", "new"])
    assert first == numbers(a=1, b=-1)
    assert second == numbers(a=20, b=-20, new=0.2)
    assert third == numbers(a=30, b=-30, new=0.3)


def test_feast_says_not_found_of_what_a_row_never_had(tmp_path: Path) -> None:
    store = feast_store(tmp_path, view_of(OLD))
    online = store._get_provider().online_store
    online.online_write_arrow(
        store.config, store.get_feature_view("view"), rows([1], a=[1.0], gone=["x"], b=[2.0]), lambda done: None
    )
    store.apply([view_of(NEW)])
    asked = store.get_online_features(features=["view:new", "view:a"], entity_rows=[{"item": 1}] * 9)
    assert statuses(asked)["new"] == ["NOT_FOUND"] * 9 and statuses(asked)["a"] == ["PRESENT"] * 9
    assert asked.to_dict()["a"] == [1.0] * 9


def test_a_view_of_numbers_may_be_given_an_embedding(tmp_path: Path) -> None:
    packed, old = Packed(tmp_path), view_of({"a": Float64})
    packed.apply(old)
    packed.write(old, 1, numbers(a=1))
    new = view_of({"a": Float64, "e": Array(Float32)})
    packed.apply(new)
    packed.write_arrow(new, rows([2], a=[2.0], e=[[0.5] * 2000]))
    (_, first), (_, second) = packed.read(new, 1, 2)
    assert first == numbers(a=1)
    assert list(second["e"].float_list_val.val) == [0.5] * 2000
