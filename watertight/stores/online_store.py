"""Feast's seam to the embedded online store: ``online_store: {type: watertight.stores.online_store.WatertightOnlineStore}``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import pyarrow as pa
from feast import Entity, FeatureView, RepoConfig
from feast.filter_models import ComparisonFilter, CompoundFilter
from feast.infra.online_stores.online_store import OnlineStore
from feast.infra.supported_async_methods import SupportedAsyncMethods
from feast.metrics import track_feature_statuses
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import FeastConfigBaseModel

from watertight.core.errors import Misuse
from watertight.stores.packed import catalogue
from watertight.stores.packed.catalogue import key_of
from watertight.stores.packed.database import Database
from watertight.stores.packed.from_arrow import batches, demand_columns, lines_of
from watertight.stores.packed.from_protos import write
from watertight.stores.packed.keys import serialized
from watertight.stores.packed.reading import StoredRow, stored_rows
from watertight.stores.packed.request import requested_keys
from watertight.stores.packed.response import vectors
from watertight.stores.packed.row import unpacked
from watertight.stores.packed.search.answer import Found, search
from watertight.stores.packed.search.embeddings import Embeddings, embeddings
from watertight.stores.packed.search.kept import Kept
from watertight.stores.packed.search.query import Query
from watertight.stores.packed.times import instant, oldest_served
from watertight.stores.packed.upsert import upsert

CLASS_PATH = "watertight.stores.online_store.WatertightOnlineStore"

FeastRow = tuple[EntityKey, dict[str, Value], datetime, datetime | None]
ReadRow = tuple[datetime | None, dict[str, Value] | None]


class WatertightOnlineStoreConfig(FeastConfigBaseModel):
    """The ``online_store`` section of ``feature_store.yaml``."""

    type: Literal["watertight.stores.online_store.WatertightOnlineStore"] = CLASS_PATH  # type: ignore[assignment]

    path: str = "data/online_store.db"
    """The SQLite file; a relative one is taken from the folder of ``feature_store.yaml``."""

    busy_seconds: float = 60.0
    """How long a writer waits for another one. Readers never wait."""

    search_bytes: int = 1 << 30
    """How much memory embeddings may take between searches, in each process; a view that needs more is read at each search."""


class WatertightOnlineStore(OnlineStore):
    """One packed row per entity and view in SQLite: newest event first, TTL honoured on read, exact similarity search."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._databases: dict[tuple[Path, str], Database] = {}
        self._kept = Kept()

    @property
    def async_supported(self) -> SupportedAsyncMethods:
        """Reads and writes, in threads beside the event loop."""
        return SupportedAsyncMethods(read=True, write=True)

    def online_write_batch(
        self, config: RepoConfig, table: FeatureView, data: Sequence[FeastRow], progress: Callable[[int], Any] | None
    ) -> None:
        """Write rows of Feast's in one transaction; newest event wins, ties go to the newest created, then the last."""
        with self._database(config).writing() as connection:
            stored = catalogue.ensure(connection, key_of(config, table), catalogue.is_wide(table))
            write(connection, stored, [feature.name for feature in table.features], data)
            catalogue.touch(connection, stored)
        if progress:
            progress(len(data))

    def online_write_arrow(self, config: RepoConfig, table: FeatureView, rows: pa.Table, progress: Callable[[int], Any]) -> None:
        """Write a view's rows from Arrow (see ``watertight.stores.wire.takes_arrow``), a transaction per batch, in order.

        A batch is at most 65,536 rows and about 32 MB. If the process dies, whole batches are there; to write all of them
        again gives what one uninterrupted run gives.
        """
        demand_columns(rows, table)
        names = tuple(feature.name for feature in table.features)
        for batch in batches(rows):
            with self._database(config).writing() as connection:
                stored = catalogue.ensure(connection, key_of(config, table), catalogue.is_wide(table))
                upsert(connection, stored, lines_of(batch, table, catalogue.layout_id(connection, names)))
                catalogue.touch(connection, stored)
            progress(batch.num_rows)

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: Sequence[EntityKey],
        requested_features: list[str] | None = None,
    ) -> list[ReadRow]:
        """Each key's event time and values; ``(None, None)`` of an unknown key, ``(event, None)`` of one outside the TTL."""
        keys = [serialized(key) for key in entity_keys]
        with self._database(config).reading() as connection:
            rows = stored_rows(connection, catalogue.found(connection, key_of(config, table)), keys)
        oldest = oldest_served(getattr(table, "ttl", None))
        return [_read(rows.get(key), requested_features, oldest) for key in keys]

    def _read_features_per_fv(
        self,
        config: RepoConfig,
        grouped_refs: Sequence[tuple[FeatureView, list[str]]],
        join_key_values: dict[str, list[Value]],
        entity_name_to_join_key_map: dict[str, str],
        online_features_response: Any,
        full_feature_names: bool,
        include_feature_view_version_metadata: bool,
    ) -> None:
        """Feast's answer, of one snapshot of all views, with the status of each value."""
        with self._database(config).reading() as connection:
            for table, features in grouped_refs:
                keys = requested_keys(table, join_key_values, entity_name_to_join_key_map)
                rows = stored_rows(connection, catalogue.found(connection, key_of(config, table)), list(dict.fromkeys(keys)))
                answer = vectors(features, [rows.get(key) for key in keys], oldest_served(getattr(table, "ttl", None)))
                name = table.projection.name_to_use()
                named = [f"{name}__{feature}" if full_feature_names else feature for feature in features]
                online_features_response.metadata.feature_names.val.extend(named)
                if include_feature_view_version_metadata:
                    _tell_version(online_features_response.metadata.feature_view_metadata, table)
                answer.add_to(online_features_response)
                track_feature_statuses(table.name, answer.present(), len(keys) * len(features) - answer.present())

    async def _read_features_per_fv_async(self, *asked: Any) -> None:
        await asyncio.to_thread(self._read_features_per_fv, *asked)

    async def online_read_async(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: Sequence[EntityKey],
        requested_features: list[str] | None = None,
    ) -> list[ReadRow]:
        """As :meth:`online_read`, in a thread: the event loop does not wait for the disk."""
        return await asyncio.to_thread(self.online_read, config, table, entity_keys, requested_features)

    async def online_write_batch_async(
        self, config: RepoConfig, table: FeatureView, data: Sequence[FeastRow], progress: Callable[[int], Any] | None
    ) -> None:
        """As :meth:`online_write_batch`, in a thread."""
        await asyncio.to_thread(self.online_write_batch, config, table, data, progress)

    def retrieve_online_documents_v2(
        self,
        config: RepoConfig,
        table: FeatureView,
        requested_features: list[str] | None,
        embedding: list[float] | None,
        top_k: int,
        distance_metric: str | None = None,
        query_string: str | None = None,
        filters: ComparisonFilter | CompoundFilter | None = None,
        include_feature_view_version_metadata: bool = False,
    ) -> list[Found]:
        """The ``top_k`` nearest rows within the TTL that pass ``filters``, nearest first: exact, ties by key.

        Cosine distance is 1 - cosine (of a vector of zeros, 1), L2 the Euclidean one (the default), inner product the
        negative product. Raises Misuse for a keyword search, which this store does not do.
        """
        if query_string is not None or embedding is None:
            raise Misuse(
                "this online store searches embeddings, not words",
                expected="query=<embedding>, and no query_string",
                next_step="embed the text, with the model that embedded the view",
            )
        query = Query(table, requested_features or [], embedding, top_k, distance_metric, filters)
        query.demand_sense()
        database = self._database(config)
        with database.reading() as connection:
            stored = catalogue.found(connection, key_of(config, table))
            blocks = self._kept.blocks(database.path, connection, stored, query, config.online_store.search_bytes)
            return search(connection, stored, query, blocks)

    def embeddings(self, config: RepoConfig, table: FeatureView, wide: int) -> Embeddings:
        """Every embedding of the view, of ``wide`` numbers, whose row is within the TTL; no feature beside it.

        Raises Misuse where the view does not say which embedding is searched, or has it of another length.
        """
        query = Query(table, [], [1.0] * wide, 1, None, None)
        query.demand_sense()
        database = self._database(config)
        with database.reading() as connection:
            stored = catalogue.found(connection, key_of(config, table))
            blocks = self._kept.blocks(database.path, connection, stored, query, config.online_store.search_bytes)
            return embeddings(query, blocks)

    def update(
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],
        entities_to_delete: Sequence[Entity],
        entities_to_keep: Sequence[Entity],
        partial: bool,
    ) -> None:
        """Make room for the views that stay, and remove those that go. What is there of a view whose features change, stays."""
        with self._database(config).writing() as connection:
            for table in tables_to_keep:
                catalogue.ensure(connection, key_of(config, table), catalogue.is_wide(table))
            for table in tables_to_delete:
                catalogue.drop(connection, config.project, table.name)

    def teardown(self, config: RepoConfig, tables: Sequence[FeatureView], entities: Sequence[Entity]) -> None:
        """Remove these views of this project; the file stays, for there may be others in it, and readers of it."""
        with self._database(config).writing() as connection:
            for table in tables:
                catalogue.drop(connection, config.project, table.name)

    async def close(self) -> None:
        """Let go of the files, in this thread; what is asked afterwards opens them again."""
        with self._lock:
            for database in self._databases.values():
                database.close()

    def _is_versioned_read_supported(self) -> bool:
        return True

    def _database(self, config: RepoConfig) -> Database:
        place = (config.repo_path or Path(), config.online_store.path)
        with self._lock:
            if place not in self._databases:
                self._databases[place] = Database(place[0].absolute() / place[1], config.online_store.busy_seconds)
            return self._databases[place]


def _read(row: StoredRow | None, features: list[str] | None, oldest_us: int | None) -> ReadRow:
    if row is None:
        return None, None
    if oldest_us is not None and row.event_us < oldest_us:
        return instant(row.event_us), None
    values = zip(row.names, unpacked(row.packed))
    return instant(row.event_us), {name: value for name, value in values if features is None or name in features}


def _tell_version(told: Any, table: FeatureView) -> None:
    name = table.projection.name_alias or table.projection.name
    if name not in [view.name for view in told]:
        told.add(name=name, version=getattr(table, "current_version_number", 0) or 0)
