"""A real Feast store with exactly what a case declares: the SQL registry on SQLite in memory, files in a folder of its own."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, RepoConfig
from feast.data_format import ParquetFormat
from feast.infra.offline_stores.offline_store import OfflineStore
from feast.type_map import pa_to_feast_value_type
from feast.types import FeastType, String, from_value_type

from tests.stores.offline.case import Case, Source, Use, View
from tests.stores.offline.layouts import endpoint_of

SERVICE = "asked"


@dataclass(frozen=True)
class Project:
    """What a call may use: the store, its folder, the views and the service that were applied, and where each source lies."""

    store: FeatureStore
    folder: Path
    views: Mapping[str, FeatureView]
    service: FeatureService | None
    places: Mapping[str, str]

    @property
    def offline(self) -> OfflineStore:
        return self.store._get_provider().offline_store

    @property
    def config(self) -> RepoConfig:
        return self.store.config


@contextmanager
def project(case: Case, offline: Mapping[str, Any], folder: Path) -> Iterator[Project]:
    """The case's project with the offline store of this declaration (``offline_store:`` in feature_store.yaml).

    ``{folder}`` in the declaration stands for the case's own folder.
    """
    logging.getLogger("feast").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        store = FeatureStore(config=_config(offline, folder, online=case.online))
        views, places = _views(case, folder)
        demanded = [make(views) for make in case.on_demand]
        service = _service(case.service, views) if case.service else None
        entities = {entity.name: entity for entity in _entities(case)}
        store.apply([*entities.values(), *views.values(), *demanded, *([service] if service else [])])
        yield Project(store, folder, views, service, places)


def _config(offline: Mapping[str, Any], folder: Path, *, online: bool) -> RepoConfig:
    folder.mkdir(parents=True, exist_ok=True)
    return RepoConfig(
        project="conformance",
        provider="local",
        registry={"registry_type": "sql", "path": "sqlite://"},
        online_store={"type": "sqlite", "path": str(folder / "online.db")} if online else None,
        offline_store={key: str(value).format(folder=folder) for key, value in offline.items()},
        entity_key_serialization_version=3,
        repo_path=folder,
    )


def _views(case: Case, folder: Path) -> tuple[dict[str, FeatureView], dict[str, str]]:
    """Views that share a source share a FileSource, too."""
    sources: dict[int, FileSource] = {}
    for declared in case.views:
        if id(declared.source) not in sources:
            sources[id(declared.source)] = _file_source(
                declared.source, folder / "data" / declared.name, f"{declared.name}_source"
            )
    views = {one.name: _view(one, sources[id(one.source)]) for one in case.views}
    return views, {one.name: sources[id(one.source)].path for one in case.views}


def _file_source(declared: Source, folder: Path, name: str) -> FileSource:
    uri = declared.layout(declared.rows, folder)
    return FileSource(
        name=name,
        path=uri,
        file_format=ParquetFormat() if declared.format_declared else None,
        timestamp_field=declared.timestamp,
        created_timestamp_column=declared.created or "",
        field_mapping=dict(declared.mapping),
        s3_endpoint_override=endpoint_of(uri),
    )


def _view(declared: View, source: FileSource) -> FeatureView:
    types = declared.source.columns()
    return FeatureView(
        name=declared.name,
        entities=[_entity(key, types[key]) for key in declared.keys],
        schema=[Field(name=name, dtype=feast_type(types[name])) for name in [*declared.keys, *declared.served()]],
        source=source,
        ttl=declared.ttl,
    )


def _entities(case: Case) -> list[Entity]:
    return [_entity(key, one.source.columns()[key]) for one in case.views for key in one.keys]


def _entity(key: str, kind: pa.DataType) -> Entity:
    return Entity(name=key, join_keys=[key], value_type=feast_type(kind).to_value_type())


def feast_type(kind: pa.DataType) -> FeastType:
    """What a column is declared as; what Feast has no word for is declared a string, which concerns no offline store."""
    try:
        return from_value_type(pa_to_feast_value_type(str(kind)))
    except (KeyError, ValueError, TypeError):
        return String


def _service(uses: tuple[Use, ...], views: Mapping[str, FeatureView]) -> FeatureService:
    return FeatureService(name=SERVICE, features=[_used(use, views[use.view]) for use in uses])


def _used(use: Use, of: FeatureView) -> FeatureView:
    chosen = of[list(use.features)]
    if use.alias:
        chosen = chosen.with_name(use.alias)
    return chosen.with_join_key_map(dict(use.keys)) if use.keys else chosen
