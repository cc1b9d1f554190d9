"""Rows written to the files behind a source, and logged rows to theirs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from feast import FeatureView
from feast.infra.offline_stores.file_source import FileLoggingDestination

from watertight.core.errors import Misuse
from watertight.stores.point_in_time.destinations import Destination, batches_of, last_name
from watertight.stores.point_in_time.files import is_pattern
from watertight.stores.point_in_time.parquet_rows import ParquetRows, rows_of


def add_rows(view: FeatureView, repo_path: str | None, table: pa.Table) -> None:
    """Add rows to a view's source; raises Misuse unless their columns are those of the source, in any order.

    Into a folder goes a file of their own, the last by name, so that of rows alike in all times the one written last is joined.
    A single file is written anew beside the old one, row group by row group, and put in its place at once; on this machine
    writers take turns, elsewhere Refusal is raised where another is seen to have changed it. A pattern names no place for rows
    and raises Misuse.
    """
    source, place = rows_of(view.batch_source, repo_path, view.name), _place(view, repo_path)
    if is_pattern(place.filesystem, place.path):
        raise Misuse(f"rows for {view.name!r} cannot be written to the pattern {place.url}", expected="a file or a folder")
    if place.is_file:
        _rewrite(view, repo_path, table)
    else:
        place.add(batches_of(_like(source, table)))


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
        basename_template=f"{last_name()}-{{i}}.parquet",
        existing_data_behavior="overwrite_or_ignore",
    )


def _place(view: FeatureView, repo_path: str | None) -> Destination:
    batch: Any = view.batch_source
    return Destination.at(batch.file_options.uri, repo_path, batch.file_options.s3_endpoint_override)


def _rewrite(view: FeatureView, repo_path: str | None, table: pa.Table) -> None:
    place = _place(view, repo_path)
    with place.alone():
        found = place.found()
        source = rows_of(view.batch_source, repo_path, view.name)
        place.rewrite(chain(_old(source), batches_of(_like(source, table))), found)


def _like(source: ParquetRows, table: pa.Table) -> pa.Table:
    """The rows with the columns of the source, in its order and of its types."""
    schema = source.dataset.schema
    if set(table.column_names) != set(schema.names):
        raise Misuse(
            f"rows for {source.name!r} have the columns {', '.join(table.column_names)}", expected=f"{', '.join(schema.names)}"
        )
    return table.select(schema.names).cast(schema)


def _old(source: ParquetRows) -> Iterator[pa.RecordBatch]:
    for group in source.row_groups():
        yield from source.read(group, source.dataset.schema.names, threads=True).to_batches()
