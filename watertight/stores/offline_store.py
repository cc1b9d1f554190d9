"""A Feast offline store over Parquet whose join never loses a row.

This module is Feast's seam, version 0.67; ``watertight.stores.point_in_time`` is the join. Feast takes the store by its class
path, ``type: watertight.stores.offline_store.WatertightOfflineStore``, and its options from the class of the same name with
``Config`` behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
from feast import FeatureView
from feast.data_source import DataSource
from feast.feature_logging import LoggingConfig, LoggingSource
from feast.feature_view import DUMMY_ENTITY_ID
from feast.infra.offline_stores.file_source import FileLoggingDestination
from feast.infra.offline_stores.offline_store import OfflineStore, RetrievalJob, RetrievalMetadata
from feast.infra.registry.base_registry import BaseRegistry
from feast.repo_config import FeastConfigBaseModel, RepoConfig
from feast.utils import compute_non_entity_date_range
from pydantic import Field

from watertight.core.errors import Misuse
from watertight.stores.point_in_time.answer import answered
from watertight.stores.point_in_time.entity_rows import from_frame, from_span, from_sql, span_of
from watertight.stores.point_in_time.parquet_rows import ParquetRows, rows_of
from watertight.stores.point_in_time.pulls import Latest, pulled_all
from watertight.stores.point_in_time.requests import Request, request_of
from watertight.stores.point_in_time.retrieval_job import WatertightRetrievalJob, of_batches, of_table
from watertight.stores.point_in_time.view_join import Asked
from watertight.stores.point_in_time.writes import add_rows, log_rows

CLASS_PATH = "watertight.stores.offline_store.WatertightOfflineStore"


class WatertightOfflineStoreConfig(FeastConfigBaseModel):
    """Options of the store in ``feature_store.yaml``.

    ``memory_limit_mb``: features beyond it lie in temporary files that are mapped into memory, in ``spill_folder`` (the
    system's own if absent). ``staging_location``: a folder or URL for ``to_remote_storage``.
    """

    type: Literal["watertight.stores.offline_store.WatertightOfflineStore"] = CLASS_PATH  # type: ignore[assignment]
    memory_limit_mb: int = Field(default=4096, ge=0)
    spill_folder: str | None = None
    staging_location: str | None = None


class WatertightOfflineStore(OfflineStore):
    """Point-in-time joins and pulls over Feast's FileSource."""

    supports_filter_by_created_timestamp = True

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: pd.DataFrame | str | None,
        registry: BaseRegistry,
        project: str,
        full_feature_names: bool = False,
        filter_by_created_timestamp: bool = False,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> RetrievalJob:
        """See Feast. An SQL query may name views and their sources; without entity rows every entity is asked at the span's end.

        The answer has the entity rows as they are, in their order, then the features in the order asked; null is a feature
        that is missing, or null in the source. Raises Misuse for a column that is not there, or bears a feature's name.
        """
        request = request_of(
            config, feature_views, feature_refs, registry, project, full_feature_names, filter_by_created_timestamp
        )
        asked = _asked(config, request, entity_df, registry, project, start_date, end_date)
        request.demand_free(asked.table.column_names)
        options, first_last = _options(config), span_of(asked)
        keys = [name for name in asked.table.column_names if name != asked.at]
        return WatertightRetrievalJob(
            of_table(lambda: answered(asked, request.opened(config), options.memory_limit_mb * 2**20, options.spill_folder)),
            _repo(config),
            RetrievalMetadata(feature_refs, keys, *first_last),
            request.on_demand,
            full_feature_names,
            options.staging_location,
        )

    @staticmethod
    def pull_latest_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None,
        start_date: datetime | None,
        end_date: datetime | None,
    ) -> RetrievalJob:
        """See Feast: the newest row of each key from ``start_date`` to ``end_date``, both included; no features: all columns."""
        source = _rows(config, data_source)
        times = [name for name in (timestamp_field, created_timestamp_column) if name]
        columns = _columns(source, join_key_columns, feature_name_columns, times)
        latest = Latest(lambda: _rows(config, data_source), columns, join_key_columns, times, (start_date, end_date))
        return _pull(config, of_batches(source.schema_of(columns), latest.batches, lambda: latest.count))

    @staticmethod
    def pull_all_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> RetrievalJob:
        """See Feast: all rows from ``start_date`` to ``end_date``, both included, as they stand in the source."""
        source = _rows(config, data_source)
        times = [name for name in (timestamp_field, created_timestamp_column) if name]
        columns = _columns(source, join_key_columns, feature_name_columns, times)
        span = (start_date, end_date)
        return _pull(
            config,
            of_batches(
                source.schema_of(columns),
                lambda rows: pulled_all(_rows(config, data_source), columns, timestamp_field, span, rows),
            ),
        )

    @staticmethod
    def offline_write_batch(
        config: RepoConfig, feature_view: FeatureView, table: pa.Table, progress: Callable[[int], Any] | None
    ) -> None:
        """See Feast: add rows to a view's source, a file of its own in a folder, behind the others in a single file."""
        add_rows(feature_view, _repo(config), table)
        if progress:
            progress(table.num_rows)

    @staticmethod
    def write_logged_features(
        config: RepoConfig, data: pa.Table | Path, source: LoggingSource, logging_config: LoggingConfig, registry: BaseRegistry
    ) -> None:
        """See Feast: put logged rows into the destination's folder, partitioned as it says."""
        destination = logging_config.destination
        if not isinstance(destination, FileLoggingDestination):
            raise Misuse(f"logs go to {type(destination).__name__}", expected="a FileLoggingDestination")
        log_rows(data if isinstance(data, pa.Table) else ds.dataset(data).to_table(), destination, _repo(config))

    def validate_data_source(self, config: RepoConfig, data_source: DataSource) -> None:
        """Raise Misuse where a source has no files, or lacks its columns of times; it names the columns that exist."""
        source = _rows(config, data_source)
        for name in (data_source.timestamp_field, data_source.created_timestamp_column):
            if name:
                source.column(name)

    def get_table_column_names_and_types_from_data_source(
        self, config: RepoConfig, data_source: DataSource
    ) -> Iterable[tuple[str, str]]:
        """The columns of a source and their Arrow types, hive partitions included."""
        schema = _rows(config, data_source).dataset.schema
        return list(zip(schema.names, map(str, schema.types)))


def _asked(
    config: RepoConfig,
    request: Request,
    entity_df: pd.DataFrame | str | None,
    registry: BaseRegistry,
    project: str,
    start: datetime | None,
    end: datetime | None,
) -> Asked:
    if isinstance(entity_df, pd.DataFrame):
        return from_frame(entity_df)
    if isinstance(entity_df, str):
        return from_sql(entity_df, lambda: _tables(config, registry, project), _options(config).memory_limit_mb * 2**20)
    if entity_df is not None:
        raise Misuse(f"the entity rows are {type(entity_df).__name__}", expected="a pandas frame, SQL, or None with dates")
    views = [query.view for query in request.queries]
    return from_span(request.queries, *compute_non_entity_date_range(views, start_date=start, end_date=end))


def _tables(config: RepoConfig, registry: BaseRegistry, project: str) -> Iterable[tuple[str, Callable[[], ParquetRows]]]:
    """What an entity query may name: each view, and its source if that has another name."""
    for view in registry.list_feature_views(project):
        batch: Any = view.batch_source
        for name in dict.fromkeys([view.name, batch.name]):
            yield name, lambda view=view: rows_of(view.batch_source, config.repo_path, view.name)  # type: ignore[misc]


def _pull(config: RepoConfig, answers: Any) -> RetrievalJob:
    return WatertightRetrievalJob(answers, _repo(config), staging=_options(config).staging_location)


def _columns(source: ParquetRows, keys: list[str], features: list[str], times: list[str]) -> list[str]:
    """The columns of a pull by name, each once; no features: all of the source. Without keys Feast's dummy is the last."""
    asked = dict.fromkeys([*keys, *(features or source.dataset.schema.names), *times])
    return [*asked, *([] if keys else [DUMMY_ENTITY_ID])]


def _rows(config: RepoConfig, data_source: DataSource) -> ParquetRows:
    return rows_of(data_source, config.repo_path, data_source.name)


def _options(config: RepoConfig) -> WatertightOfflineStoreConfig:
    options = config.offline_store
    return options if isinstance(options, WatertightOfflineStoreConfig) else WatertightOfflineStoreConfig()


def _repo(config: RepoConfig) -> str | None:
    return str(config.repo_path) if config.repo_path else None
