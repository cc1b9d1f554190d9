"""What is there already, and what comes later, or again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast.types import Int64, String
from places import InPostgres, InRedis
from projects import NOON, START, materialized, online, project, rows_of, view

from watertight.core.errors import Misuse, Refusal
from watertight.stores.bulk.tally import Tally
from watertight.stores.bulk.target import Target
from watertight.stores.bulk.writers import writer_for

ROWS = 20
HOUR = timedelta(hours=1)
PLAIN = {"large": Int64, "text": String}


def told(table: pa.Table, column: str, values: Iterable[Any]) -> pa.Table:
    return table.set_column(table.column_names.index(column), column, pa.array(list(values), table.schema.field(column).type))


def written(place: Any, folder: Path, *versions: pa.Table, **store_options: Any) -> Any:
    """A store into which one version of the rows after the other is materialised."""
    store = project(folder / "p", place.online_store(**store_options))
    for version in versions:
        materialized(store, version, folder, features=PLAIN)
    return store


def test_an_older_event_does_not_replace_a_newer_one(place: Any, tmp_path: Path) -> None:
    newer, older = rows_of(ROWS), told(rows_of(ROWS, NOON - HOUR), "large", range(ROWS))
    written(place, tmp_path / "once", newer)
    undisturbed = place.records()
    written(place.emptied(), tmp_path / "twice", newer, older)
    assert place.records() == undisturbed


def test_a_newer_event_replaces_an_older_one_and_leaves_the_others(place: Any, tmp_path: Path) -> None:
    old = rows_of(ROWS)
    new = told(rows_of(5, NOON + HOUR), "large", range(5))
    served = online(written(place, tmp_path, old, new), list(range(ROWS)), ["large"])["large"]
    assert served == [*range(5), *old["large"].to_pylist()[5:]]


def test_a_correction_of_the_same_instant_is_taken(place: Any, tmp_path: Path) -> None:
    """Created later, with the event's own time. Feast's Redis writer would leave it out."""
    first = rows_of(ROWS)
    later = told(told(first, "large", range(ROWS)), "created", [at + HOUR for at in first["created"].to_pylist()])
    assert online(written(place, tmp_path, first, later), list(range(ROWS)), ["large"])["large"] == list(range(ROWS))


def test_a_feature_that_a_view_gained_is_filled(place: Any, tmp_path: Path) -> None:
    rows = rows_of(ROWS)
    store = materialized(project(tmp_path / "p", place.online_store()), rows, tmp_path, features={"large": Int64})
    materialized(store, rows, tmp_path, features=PLAIN)
    assert online(store, list(range(ROWS)), ["text"])["text"] == rows["text"].to_pylist()


def test_in_postgres_what_was_created_earlier_does_not_replace_what_was_created_later(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Feast's Redis layout keeps no creation time."""
    place = InPostgres(request.getfixturevalue("postgres_server")).emptied()
    late = rows_of(ROWS)
    early = told(told(late, "large", range(ROWS)), "created", [at - HOUR for at in late["created"].to_pylist()])
    store = written(place, tmp_path, late, early)
    assert online(store, list(range(ROWS)), ["large"])["large"] == late["large"].to_pylist()


def test_a_second_run_changes_nothing(place: Any, tmp_path: Path) -> None:
    written(place, tmp_path / "a", rows_of(ROWS))
    once = place.records()
    written(place, tmp_path / "b", rows_of(ROWS))
    assert place.records() == once


def test_told_not_to_look_redis_takes_whatever_comes(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    place = InRedis(request.getfixturevalue("redis_server")).emptied()
    store = written(place, tmp_path, rows_of(ROWS), told(rows_of(ROWS, NOON - HOUR), "large", range(ROWS)), skip_dedup=True)
    assert online(store, list(range(ROWS)), ["large"])["large"] == list(range(ROWS))


def test_times_before_1970_are_compared_too(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    place = InRedis(request.getfixturevalue("redis_server")).emptied()
    target, tally = _target(place, tmp_path), Tally("stats", lambda _: None)
    for micros in (-1_000_001, -5_000_000, 0, -1):
        _write(target, tally, [(1, micros, micros)])
    assert (tally.written, tally.superseded) == (2, 2)
    assert online_value(place, target) == b"\x20\x00"


def test_keys_that_repeat_within_a_batch_and_across_batches(place: Any, tmp_path: Path) -> None:
    """No offline store should answer so; the newest wins all the same."""
    target, tally = _target(place, tmp_path), Tally("stats", lambda _: None)
    _write(target, tally, [(1, 5, 50), (2, 1, 10), (1, 9, 90), (1, 7, 70)], [(2, 0, 0), (1, 8, 80), (3, 1, 1)])
    assert (tally.written, tally.superseded) == (3, 4)
    values = target.store.online_read(target.config, target.view, _keys(1, 2, 3), ["large"])
    assert [answer["large"].int64_val for _, answer in values] == [90, 10, 1]


def test_rows_without_a_key_are_refused(place: Any, tmp_path: Path) -> None:
    rows = told(rows_of(ROWS), "driver", [None, *range(1, ROWS)])
    with pytest.raises(Refusal, match="join key"):
        written(place, tmp_path, rows)
    assert place.rows() == 0


def test_a_column_that_the_source_lacks_is_named(place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = project(tmp_path / "p", place.online_store())
    job = type("Job", (), {"to_arrow": lambda _: rows_of(ROWS).drop_columns(["text"])})()
    monkeypatch.setattr(type(store._get_provider().offline_store), "pull_latest_from_table_or_query", lambda *_, **__: job)
    with pytest.raises(Misuse, match=r"'stats': the offline store answered without \['text'\]"):
        materialized(store, rows_of(ROWS), tmp_path, features=PLAIN)


def test_what_the_server_refuses_is_raised_and_the_next_run_works(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    place = InRedis(request.getfixturevalue("redis_server")).emptied()
    store, client = project(tmp_path / "p", place.online_store()), place.server.client()
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(Exception, match="maxmemory"):
            materialized(store, rows_of(ROWS), tmp_path, features=PLAIN)
    finally:
        client.config_set("maxmemory", 0)
    assert place.rows() == 0
    materialized(store, rows_of(ROWS), tmp_path, features=PLAIN)
    assert place.rows() == ROWS


@pytest.mark.parametrize("options", [{}, {"conn_type": "pool", "min_conn": 1, "max_conn": 1}], ids=["singleton", "pool"])
def test_what_postgres_refuses_is_raised_and_the_next_run_works(
    request: pytest.FixtureRequest, tmp_path: Path, options: dict[str, Any]
) -> None:
    place = InPostgres(request.getfixturevalue("postgres_server")).emptied()
    store = project(tmp_path / "p", place.online_store(**options))
    with pytest.raises(Exception, match="0x00"):
        materialized(store, told(rows_of(ROWS), "text", ["a\0b"] * ROWS), tmp_path, features=PLAIN)
    assert place.rows() == 0
    materialized(store, rows_of(ROWS), tmp_path, features=PLAIN)
    assert place.rows() == ROWS


def test_incremental_runs_take_what_came_since(place: Any, tmp_path: Path) -> None:
    store = project(tmp_path / "p", place.online_store())
    pq.write_table(rows_of(ROWS), tmp_path / "rows.parquet")
    store.apply(list(view(tmp_path / "rows.parquet", PLAIN)))
    store.materialize(START, NOON + timedelta(seconds=9.5))
    assert place.rows() == 10
    store.materialize_incremental(NOON + HOUR)
    assert place.rows() == ROWS


def _target(place: Any, folder: Path) -> Target:
    store = project(folder / "p", place.online_store())
    pq.write_table(rows_of(1), folder / "rows.parquet")
    store.apply(list(view(folder / "rows.parquet", {"large": Int64})))
    return Target(store.config, store._get_provider().online_store, store.get_feature_view("stats"))


def _write(target: Target, tally: Tally, *batches: list[tuple[int, int, int]]) -> None:
    """Batches of (driver, microseconds since 1970, value)."""
    made = []
    for rows in batches:
        drivers, micros, values = zip(*rows)
        event = pa.array(micros).cast(pa.timestamp("us", tz="UTC"))
        made.append(pa.record_batch({"driver": pa.array(drivers), "large": pa.array(values), "event_timestamp": event}))
    writer_for(target.store, target.config.online_store)(target, made, tally)


def _keys(*drivers: int) -> list[Any]:
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    return [EntityKey(join_keys=["driver"], entity_values=[Value(int64_val=driver)]) for driver in drivers]


def online_value(place: InRedis, target: Target) -> bytes:
    """The one value in the only hash."""
    ((_, fields),) = place.records().items()
    (value,) = [value for name, value in fields.items() if not name.startswith(b"_ts")]
    return bytes(value)
