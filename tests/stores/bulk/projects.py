"""A small Feast project over a Parquet file, with one engine or another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig
from feast.types import Array, Bool, Bytes, Float32, Float64, Int32, Int64, String, UnixTimestamp
from feast.value_type import ValueType

OURS = {"type": "watertight.stores.compute_engine.WatertightComputeEngine"}
FEASTS = {"type": "local"}
START, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
NOON = datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
TIME = pa.timestamp("us", tz="UTC")

FEATURES: dict[str, tuple[Any, Callable[[int], Any], pa.DataType]] = {
    "single": (Float32, lambda i: i / 7, pa.float32()),
    "double": (Float64, lambda i: -i / 3, pa.float64()),
    "small": (Int32, lambda i: i - 50, pa.int32()),
    "large": (Int64, lambda i: i * 10**12, pa.int64()),
    "yes": (Bool, lambda i: i % 2 == 0, pa.bool_()),
    "text": (String, lambda i: f"ü{i}\r\n" * (i % 30), pa.string()),
    "blob": (Bytes, lambda i: bytes([i % 256]) * (i % 5), pa.binary()),
    "at": (UnixTimestamp, lambda i: NOON + timedelta(hours=i), TIME),
    "vector": (Array(Float32), lambda i: [float(i)] * (i % 4), pa.list_(pa.float32())),
    "words": (Array(String), lambda i: [f"w{j}" for j in range(i % 3)], pa.list_(pa.string())),
}


def rows_of(count: int, at: datetime = NOON, key: Callable[[int], Any] = int) -> pa.Table:
    """Every seventh value of a feature is null; events a second apart, each row created an hour after its event."""
    columns: dict[str, Any] = {"driver": pa.array([key(i) for i in range(count)])}
    for place, (name, (_, value, arrow)) in enumerate(FEATURES.items()):
        columns[name] = pa.array([None if (i + place) % 7 == 0 else value(i) for i in range(count)], arrow)
    times = [at + timedelta(seconds=i) for i in range(count)]
    columns["event"] = pa.array(times, TIME)
    columns["created"] = pa.array([time + timedelta(hours=1) for time in times], TIME)
    return pa.table(columns)


def project(
    folder: Path,
    online_store: Mapping[str, Any],
    engine: Mapping[str, Any] = OURS,
    name: str = "p",
    offline_store: str = "duckdb",
    **config: Any,
) -> FeatureStore:
    folder.mkdir(parents=True, exist_ok=True)
    registry = {"registry_type": "sql", "path": f"sqlite:///{folder / 'registry.db'}"}
    return FeatureStore(
        config=RepoConfig(
            project=name,
            provider="local",
            registry=registry,
            online_store=dict(online_store),
            offline_store={"type": offline_store},
            batch_engine=dict(engine),
            entity_key_serialization_version=3,
            repo_path=folder,
            **config,
        )
    )


def view(path: Path, features: Mapping[str, Any] | None = None, **options: Any) -> tuple[Entity, FeatureView]:
    """``stats`` of drivers, from the Parquet file at ``path``."""
    driver = Entity(name="driver", join_keys=["driver"], value_type=options.pop("key_type", ValueType.INT64))
    mapping = options.pop("field_mapping", {})
    source = FileSource(
        name="s", path=str(path), timestamp_field="event", created_timestamp_column="created", field_mapping=mapping
    )
    types = features or {name: kind for name, (kind, _, _) in FEATURES.items()}
    schema = [Field(name=name, dtype=kind) for name, kind in types.items()]
    options = {"name": "stats", "ttl": timedelta(0), "source": source, **options}
    return driver, FeatureView(entities=[driver], schema=schema, **options)


def materialized(store: FeatureStore, rows: pa.Table, folder: Path, **options: Any) -> FeatureStore:
    """Apply the view over ``rows`` and materialise it."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, folder / "rows.parquet")
    store.apply(list(view(folder / "rows.parquet", **options)))
    store.materialize(START, END)
    return store


def online(store: FeatureStore, keys: list[Any], features: list[str] | None = None) -> dict[str, list[Any]]:
    """What Feast serves."""
    asked = [f"stats:{name}" for name in features or FEATURES]
    return store.get_online_features(asked, [{"driver": key} for key in keys]).to_dict()
