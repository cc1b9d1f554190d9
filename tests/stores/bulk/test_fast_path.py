"""Which views go column-wise, and which are left to Feast's own engine, each for a reason."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from feast import BatchFeatureView, FeatureView, Field
from feast.aggregation import Aggregation
from feast.importer import import_class
from feast.infra.common.materialization_job import MaterializationTask
from feast.types import Int64
from projects import END, START, view

from watertight.stores.bulk.fast_path import obstacle
from watertight.stores.bulk.writers import POSTGRES, writer_for

DRIVER, PLAIN = view(Path("rows.parquet"), {"large": Int64})


def task(made: Any, **options: Any) -> MaterializationTask:
    return MaterializationTask("p", made, START, END, **options)


def made(kind: Any = FeatureView, **options: Any) -> Any:
    plain = {
        "name": "v",
        "entities": [DRIVER],
        "schema": [Field(name="large", dtype=Int64)],
        "source": PLAIN.batch_source,
        "online": True,
    }
    return kind(**{**plain, **options})


@pytest.mark.parametrize("kind", [FeatureView, BatchFeatureView])
def test_a_plain_view_has_no_obstacle(kind: Any) -> None:
    assert obstacle(task(made(kind))) is None


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (made(BatchFeatureView, mode="pandas", udf=lambda frame: frame), "transformation"),
        (made(BatchFeatureView, aggregations=[Aggregation(column="large", function="sum")]), "aggregations"),
        (made(source=[PLAIN], sink_source=PLAIN.batch_source), "other views"),
        (made(enable_validation=True), "validated"),
        (made(offline=True), "online store alone"),
        (made(online=False), "online store alone"),
        (made(schema=[Field(name="event_timestamp", dtype=Int64)]), "event_timestamp"),
        (made(schema=[]), "no features"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_is_not_plain_is_named(odd: Any, reason: str) -> None:
    assert reason in str(obstacle(task(odd)))


def test_all_rows_rather_than_the_newest_are_left_to_feast() -> None:
    assert "newest" in str(obstacle(task(PLAIN, only_latest=False)))


@pytest.mark.parametrize(
    ("store", "options", "writer"),
    [
        ("feast.infra.online_stores.redis.RedisOnlineStore", {"redis_type": "redis"}, "into_redis"),
        ("feast.infra.online_stores.redis.RedisOnlineStore", {"redis_type": "redis_sentinel"}, "into_redis"),
        ("feast.infra.online_stores.redis.RedisOnlineStore", {"redis_type": "redis_cluster"}, "into_feast_store"),
        (POSTGRES, {"vector_enabled": False}, "into_postgres"),
        (POSTGRES, {"vector_enabled": True}, "into_feast_store"),
        ("feast.infra.online_stores.sqlite.SqliteOnlineStore", {}, "into_feast_store"),
        ("watertight.stores.online_store.WatertightOnlineStore", {}, "into_arrow_store"),
    ],
)
def test_each_store_has_its_writer(store: str, options: dict[str, Any], writer: str) -> None:
    instance = import_class(*store.rsplit(".", 1))()
    assert writer_for(instance, SimpleNamespace(**options)).__module__ == f"watertight.stores.bulk.{writer}"


def test_a_store_that_inherits_from_feasts_is_not_taken_for_it() -> None:
    heir = type("MyOnlineStore", (import_class(*POSTGRES.rsplit(".", 1)),), {})()
    assert writer_for(heir, SimpleNamespace(vector_enabled=False)).__module__.endswith("into_feast_store")
