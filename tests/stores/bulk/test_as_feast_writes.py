"""What Feast's own stores hold and serve after our engine, against Feast's own engine."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import BatchFeatureView, Entity, FeatureView, Field, FileSource, PushSource
from feast.feature_view import DUMMY_ENTITY_ID, DUMMY_ENTITY_VAL
from feast.types import Float32, Int64, String
from feast.value_type import ValueType
from places import InPostgres, InRedis
from projects import END, FEASTS, FEATURES, NOON, OURS, START, TIME, materialized, online, project, rows_of, view

ROWS = 40


def both(place: Any, folder: Path, rows: pa.Table, view_options: dict[str, Any], **store_options: Any) -> list[Any]:
    """The records after our engine and after Feast's."""
    found = []
    for engine in (OURS, FEASTS):
        place.emptied()
        store = project(folder / engine["type"], place.online_store(**store_options), engine)
        materialized(store, rows, folder, **view_options)
        found.append(place.records())
    return found


@pytest.mark.parametrize(
    ("kind", "key"),
    [(ValueType.INT64, int), (ValueType.STRING, "driver-{}".format), (ValueType.BYTES, lambda i: bytes([i, 0]))],
    ids=["int64", "string", "bytes"],
)
def test_every_record_is_byte_for_byte_feasts(place: Any, tmp_path: Path, kind: ValueType, key: Any) -> None:
    ours, feasts = both(place, tmp_path, rows_of(ROWS, key=key), {"key_type": kind})
    assert len(feasts) >= ROWS
    assert ours == feasts


def test_feast_serves_what_was_written(place: Any, tmp_path: Path) -> None:
    rows = rows_of(ROWS)
    store = materialized(project(tmp_path / "p", place.online_store()), rows, tmp_path)
    served = online(store, [*range(ROWS), 999])
    for name in FEATURES:
        expected = rows[name].to_pylist()
        if name == "at":
            expected = [value and value.replace(microsecond=0) for value in expected]
        assert served[name] == [*(pytest.approx(value) if name == "single" else value for value in expected), None]


def test_expiring_keys_expire_as_feasts(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    place = InRedis(request.getfixturevalue("redis_server"))
    ours, feasts = both(place, tmp_path, rows_of(ROWS), {}, key_ttl_seconds=1000)
    assert ours == feasts
    materialized(project(tmp_path / "ttl", place.emptied().online_store(key_ttl_seconds=1000)), rows_of(ROWS), tmp_path)
    client = place.server.client()
    assert {990 < client.ttl(key) <= 1000 for key in client.scan_iter()} == {True}


def test_numbers_to_filter_by_are_feasts(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    place = InPostgres(request.getfixturevalue("postgres_server"))
    ours, feasts = both(place, tmp_path, rows_of(ROWS), {}, enable_openai_compatible_store=True)
    assert {len(record) for record in feasts.values()} == {6}
    assert ours == feasts


def test_another_store_gets_feasts_own_rows(tmp_path: Path) -> None:
    """SQLite, which has no writer of ours."""
    served = []
    for engine in (OURS, FEASTS):
        store = project(tmp_path / engine["type"], {"type": "sqlite", "path": str(tmp_path / f"{engine['type']}.db")}, engine)
        materialized(store, rows_of(ROWS), tmp_path, features={"single": Float32, "text": String})
        rows = store._get_provider().online_store._get_conn(store.config).execute("SELECT * FROM p_stats ORDER BY 1, 2")
        served.append(rows.fetchall())
    assert len(served[0]) == 2 * ROWS
    assert served[0] == served[1]


def test_a_view_of_several_keys_and_one_of_none(place: Any, tmp_path: Path) -> None:
    rows = rows_of(ROWS).append_column("area", pa.array([f"a{i % 3}" for i in range(ROWS)]))
    pq.write_table(rows, tmp_path / "rows.parquet")
    source = FileSource(name="s", path=str(tmp_path / "rows.parquet"), timestamp_field="event")
    schema = [Field(name="large", dtype=Int64)]
    driver, area = Entity(name="zeta", join_keys=["driver"]), Entity(name="alpha", join_keys=["area"])
    keyed = FeatureView(name="keyed", entities=[driver, area], schema=schema, source=source)
    keyless = FeatureView(name="keyless", entities=[], schema=schema, source=source)
    found = []
    for engine in (OURS, FEASTS):
        store = project(tmp_path / engine["type"], place.emptied().online_store(), engine, offline_store="dask")
        store.apply([driver, area, keyed, keyless])
        store.materialize(START, END, ["keyed"])
        found.append(place.records())
        if engine is OURS:
            store.materialize(START, END, ["keyless"])
            answer = store.get_online_features(["keyless:large"], [{DUMMY_ENTITY_ID: DUMMY_ENTITY_VAL}]).to_dict()
            assert answer["large"] == [rows["large"][-1].as_py()]
    assert found[0] == found[1]


def test_mapped_fields_and_pushed_sources_read_the_batch_source(place: Any, tmp_path: Path) -> None:
    rows = rows_of(ROWS).rename_columns({"driver": "id", "large": "l", "event": "ts", "created": "made"})
    pq.write_table(rows, tmp_path / "rows.parquet")
    mapping = {"id": "driver", "l": "large", "ts": "event", "made": "created"}
    source = FileSource(
        name="s",
        path=str(tmp_path / "rows.parquet"),
        timestamp_field="event",
        created_timestamp_column="created",
        field_mapping=mapping,
    )
    driver = Entity(name="driver", join_keys=["driver"], value_type=ValueType.INT64)
    pushed = FeatureView(
        name="stats",
        entities=[driver],
        schema=[Field(name="large", dtype=Int64), Field(name="text", dtype=String)],
        source=PushSource(name="push", batch_source=source),
    )
    store = project(tmp_path / "p", place.online_store(), offline_store="dask")
    store.apply([driver, pushed])
    store.materialize(START, END)
    assert online(store, list(range(ROWS)), ["large", "text"])["large"] == rows["l"].to_pylist()


@pytest.mark.parametrize("options", [{"mode": "pandas", "udf": lambda frame: frame}, {"offline": True}], ids=["udf", "offline"])
def test_what_is_not_plain_is_left_to_feasts_engine(
    place: Any, tmp_path: Path, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not written column-wise, whatever comes of it."""
    called: list[str] = []
    monkeypatch.setattr("watertight.stores.compute_engine.pull", lambda *_: called.append("pull"))
    monkeypatch.setattr(
        "feast.infra.compute_engines.local.compute.LocalFeatureBuilder.build", lambda _: called.append("feast") or _Nothing()
    )
    pq.write_table(rows_of(ROWS), tmp_path / "rows.parquet")
    driver, plain = view(tmp_path / "rows.parquet", {"large": Int64})
    odd = BatchFeatureView(name="odd", entities=[driver], schema=plain.schema, source=plain.batch_source, online=True, **options)
    store = project(tmp_path / "p", place.online_store(), offline_store="dask")
    store.apply([driver, odd])
    store.materialize(START, END)
    assert called == ["feast"]


class _Nothing:
    def execute(self, context: object) -> None:
        """A plan without a step."""


def test_times_of_every_unit_and_zone_are_the_same_instant(place: Any, tmp_path: Path) -> None:
    rows = rows_of(ROWS)
    records = []
    for number, arrow in enumerate([TIME, pa.timestamp("ns", tz="Asia/Tokyo"), pa.timestamp("us"), pa.timestamp("ns")]):
        place.emptied()
        asked = rows.set_column(rows.column_names.index("event"), "event", rows["event"].cast(arrow))
        store = project(tmp_path / str(number), place.online_store(), offline_store="dask")
        materialized(store, asked, tmp_path / str(number))
        records.append(place.records())
    assert len(records[0]) >= ROWS
    assert all(found == records[0] for found in records[1:])


def test_a_table_of_many_chunks_loses_no_row(place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Feast's own conversion of a table reads the first chunk alone."""
    rows = rows_of(ROWS)
    chunks = pa.concat_tables([rows.slice(start, 3) for start in range(0, ROWS, 3)])
    assert chunks["event"].num_chunks > 10
    store = project(tmp_path / "p", place.online_store())
    job = type("Job", (), {"to_arrow": lambda _: chunks})()
    monkeypatch.setattr(type(store._get_provider().offline_store), "pull_latest_from_table_or_query", lambda *_, **__: job)
    materialized(store, rows, tmp_path)
    assert place.rows() == ROWS


def test_views_of_one_entity_keep_their_own_fields(place: Any, tmp_path: Path) -> None:
    rows = rows_of(ROWS)
    store = materialized(project(tmp_path / "p", place.online_store()), rows, tmp_path, features={"large": Int64})
    materialized(
        store, rows_of(ROWS, NOON - timedelta(days=1)), tmp_path / "b", name="others", features={"small": FEATURES["small"][0]}
    )
    answer = store.get_online_features(["stats:large", "others:small"], [{"driver": 3}]).to_dict()
    assert (answer["large"], answer["small"]) == ([rows["large"][3].as_py()], [rows["small"][3].as_py()])


def test_the_instant_does_not_depend_on_the_databases_time_zone(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Feast's own writer sends UTC without saying so, and the database takes it for its own time."""
    place = InPostgres(request.getfixturevalue("postgres_server")).emptied()
    with place.server.connection() as connection:
        connection.execute("ALTER ROLE feast SET timezone TO 'Asia/Tokyo'")
    try:
        materialized(project(tmp_path / "p", place.online_store()), rows_of(1), tmp_path, features={"large": Int64})
        ((_, _, _, event, created),) = place.records().values()
        assert (event, created) == (NOON, NOON + timedelta(hours=1))
    finally:
        with place.server.connection() as connection:
            connection.execute("ALTER ROLE feast RESET timezone")
