"""Feast's own call on a store of ours or of Feast's: labels as a pandas frame, views as Parquet files, the answer as Arrow."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Array, Float32, Float64

from .cases import CREATED, EVENT, KEY, Case
from .files import Files, read_labels


def prepared(files: Files, scratch: Path, offline_store: str) -> Callable[[], pa.Table]:
    """The call to be timed. ``offline_store`` is a ``type`` of feature_store.yaml: a name of Feast's or a class path."""
    warnings.simplefilter("ignore")
    store = _store(files, scratch, offline_store)
    frame = read_labels(files).to_pandas()
    features = [f"{view}:{column}" for view in files.case.views for column in files.case.columns]
    return lambda: store.get_historical_features(frame, features, full_feature_names=True).to_arrow()


def _store(files: Files, scratch: Path, offline_store: str) -> FeatureStore:
    scratch.mkdir(parents=True)
    config = RepoConfig(
        project="benchmark",
        provider="local",
        registry={"registry_type": "sql", "path": f"sqlite:///{scratch / 'registry.db'}"},
        offline_store={"type": offline_store},
        online_store={"type": "sqlite", "path": str(scratch / "online.db")},
        entity_key_serialization_version=3,
        repo_path=scratch,
    )
    store = FeatureStore(config=config)
    key = Entity(name=KEY, join_keys=[KEY], value_type=ValueType.STRING if files.case.string_keys else ValueType.INT64)
    store.apply([key, *(_view(files, name, key) for name in files.case.views)])
    return store


def _view(files: Files, name: str, key: Entity) -> FeatureView:
    path = str(files.view(name).resolve())
    source = FileSource(name=f"{name}_rows", path=path, timestamp_field=EVENT, created_timestamp_column=CREATED)
    return FeatureView(name=name, entities=[key], ttl=files.case.ttl, schema=_fields(files.case), source=source)


def _fields(case: Case) -> list[Field]:
    kind = Array(Float32) if case.embedding else Float64
    return [Field(name=column, dtype=kind) for column in case.columns]
