"""Rows written to the files behind a source, and logged rows to theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.dataset as ds
from feast import FeatureView
from feast.infra.offline_stores.file_source import FileLoggingDestination

from watertight.core.errors import Misuse
from watertight.stores.point_in_time.destinations import Destination, batches_of
from watertight.stores.point_in_time.parquet_rows import ParquetRows, rows_of


def add_rows(view: FeatureView, repo_path: str | None, table: pa.Table) -> None:
    """Add rows to a view's source; raises Misuse unless their columns are those of the source, in any order.

    A single file is written anew beside the old one, row group by row group, and put in its place at once.
    """
    source = rows_of(view.batch_source, repo_path, view.name)
    if set(table.column_names) != set(source.dataset.schema.names):
        raise Misuse(
            f"rows for {view.name!r} have the columns {', '.join(table.column_names)}",
            expected=f"{', '.join(source.dataset.schema.names)}",
        )
    added = table.select(source.dataset.schema.names).cast(source.dataset.schema)
    batch: Any = view.batch_source
    place = Destination.at(batch.file_options.uri, repo_path, batch.file_options.s3_endpoint_override)
    if not place.is_file:
        place.add(batches_of(added))
        return
    place.write((part for rows in (_old(source), batches_of(added)) for part in rows), overwrite=True)


def log_rows(table: pa.Table, destination: FileLoggingDestination, repo_path: str | None) -> None:
    """Put rows into a folder of logs, as a file of their own or one per partition."""
    place = Destination.at(destination.path, repo_path, destination.s3_endpoint_override)
    if not destination.partition_by:
        place.add(batches_of(table))
        return
    ds.write_dataset(
        table,
        place.path,
        filesystem=place.filesystem,
        format="parquet",
        partitioning=destination.partition_by,
        partitioning_flavor="hive",
        basename_template=f"{uuid4().hex}-{{i}}.parquet",
        existing_data_behavior="overwrite_or_ignore",
    )


def _old(source: ParquetRows) -> Iterator[pa.RecordBatch]:
    for group in source.row_groups():
        yield from source.read(group, source.dataset.schema.names, threads=True).to_batches()
