"""The newest row of every key from the offline store that is configured, batch by batch, as an online store wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from feast.infra.common.materialization_job import MaterializationTask
from feast.infra.compute_engines.dag.context import ColumnInfo
from feast.utils import _validate_vector_field_lengths

from watertight.stores.bulk.bounded import MAX_ROWS, bounded
from watertight.stores.bulk.target import Target
from watertight.stores.bulk.times import in_utc
from watertight.stores.wire.streams_arrow import CountsRows, StreamsArrow


@dataclass(frozen=True)
class Pulled:
    """Record batches as ``TakesArrow`` describes them, and ``total``: how many rows in all, None while that is unknown."""

    total: Callable[[], int | None]
    batches: Iterator[pa.RecordBatch]


def pull(target: Target, offline_store: Any, columns: ColumnInfo, task: MaterializationTask) -> Pulled:
    """Each key's newest row with an event timestamp from the task's start to its end, both inclusive."""
    job = offline_store.pull_latest_from_table_or_query(
        config=target.config,
        data_source=target.view.batch_source,
        join_key_columns=columns.join_keys,
        feature_name_columns=columns.feature_cols,
        timestamp_field=columns.ts_col,
        created_timestamp_column=columns.created_ts_col,
        start_date=task.start_time,
        end_date=task.end_time,
    )
    most = target.config.materialization_config.online_write_batch_size or MAX_ROWS
    if isinstance(job, StreamsArrow):
        total = job.row_count if isinstance(job, CountsRows) else lambda: None
        return Pulled(total, _shaped(target, columns, job.record_batches(most), most))
    table = job.to_arrow()
    rows = table.num_rows
    return Pulled(lambda: rows, _shaped(target, columns, iter(table.to_batches()), most))


def _shaped(target: Target, columns: ColumnInfo, batches: Iterator[pa.RecordBatch], max_rows: int) -> Iterator[pa.RecordBatch]:
    mapping = columns.field_mapping or {}
    for table in bounded(batches, max_rows):
        mapped = table.rename_columns([mapping.get(name, name) for name in table.column_names])
        rows = target.shaped(mapped, columns.timestamp_column, columns.created_timestamp_column)
        _validate_vector_field_lengths(rows, target.view)
        yield from in_utc(rows, target.view.name).combine_chunks().to_batches()
