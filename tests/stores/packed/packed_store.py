"""An embedded online store of a test's own, written and read through Feast's seams, and rows for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.types import Float64, Int64

from watertight.stores.online_store import WatertightOnlineStore

TYPE = "watertight.stores.online_store.WatertightOnlineStore"
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
ITEM = Entity(name="item", join_keys=["item"], value_type=ValueType.INT64)


def configured(folder: Path, project: str = "tests", **online: Any) -> RepoConfig:
    return RepoConfig(
        project=project,
        provider="local",
        registry={"registry_type": "sql", "path": f"sqlite:///{folder / 'registry.db'}"},
        online_store={"type": TYPE, "path": str(folder / "online_store.db"), **online},
        entity_key_serialization_version=3,
    )


def view_of(
    features: Mapping[str, Any], name: str = "view", ttl: timedelta | None = None, fields: Sequence[Field] = ()
) -> FeatureView:
    """A view keyed by ``item``, over a file that nobody reads."""
    schema = [Field(name="item", dtype=Int64), *(Field(name=feature, dtype=kind) for feature, kind in features.items()), *fields]
    source = FileSource(
        name=f"{name}_file",
        path="nowhere.parquet",
        timestamp_field="event_timestamp",
        created_timestamp_column="created_timestamp",
    )
    return FeatureView(name=name, entities=[ITEM], schema=schema, ttl=ttl or timedelta(0), source=source)


def item(number: int) -> EntityKey:
    return EntityKey(join_keys=["item"], entity_values=[Value(int64_val=number)])


@dataclass
class Packed:
    """A store over ``folder``; what is written and read goes through the methods that Feast calls."""

    folder: Path
    project: str = "tests"
    online: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.config = configured(self.folder, self.project, **self.online)
        self.store = WatertightOnlineStore()

    def apply(self, *views: FeatureView, without: Sequence[FeatureView] = ()) -> None:
        self.store.update(self.config, list(without), list(views), [], [], partial=False)

    def write(
        self, view: FeatureView, number: int, values: Mapping[str, Value], event: datetime = NOON, created: datetime | None = None
    ) -> None:
        self.store.online_write_batch(self.config, view, [(item(number), dict(values), event, created)], None)

    def write_arrow(self, view: FeatureView, rows: pa.Table) -> list[int]:
        told: list[int] = []
        self.store.online_write_arrow(self.config, view, rows, told.append)
        return told

    def read(self, view: FeatureView, *numbers: int, features: list[str] | None = None) -> list[Any]:
        return self.store.online_read(self.config, view, [item(number) for number in numbers], features)


def feast_store(folder: Path, *views: Any, project: str = "tests", **online: Any) -> FeatureStore:
    """A whole Feast store with these views applied."""
    store = FeatureStore(config=configured(folder, project, **online))
    store.apply([ITEM, *views])
    return store


def statuses(response: Any) -> dict[str, list[str]]:
    """By feature, the status of each row of one of Feast's answers."""
    proto = response.proto
    return {
        name: [FieldStatus.Name(status) for status in vector.statuses]
        for name, vector in zip(proto.metadata.feature_names.val, proto.results)
    }


def numbers(**values: float) -> dict[str, Value]:
    return {name: Value(double_val=value) for name, value in values.items()}


def timestamps(times: Sequence[datetime | None]) -> pa.Array:
    return pa.array(times, pa.timestamp("us", tz="UTC"))


A = view_of({"a": Float64})
