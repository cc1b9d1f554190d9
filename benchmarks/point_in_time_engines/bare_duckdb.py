"""DuckDB's ASOF join without a feature store: every column carried through the join, or gathered after it.

An ASOF join takes one inequality, and of rows with equal event times any. So event and created time are joined as one number,
event · 2^62 + created. Other ways to break ties (a join of rows (event, created); first leaving out all but the newest created
row of an event; looking it up after the join) were faster in some orders and sizes and slower in others. Rows that lie outside
all labels' reach are left out while reading.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .cases import CREATED, EVENT, KEY, LABEL
from .files import Files, Ints, read_labels

TURN = 2**62
EVENT_AND_CREATED = f"epoch_us({EVENT})::HUGEINT * {TURN} + epoch_us({CREATED}) AS instant"
ASKED = f"(epoch_us(labels.{EVENT}) + 1)::HUGEINT * {TURN} - 1"


def prepared_carried(files: Files, scratch: Path) -> Callable[[], pa.Table]:
    """One statement: the labels joined with all columns of each view, in the caller's order."""
    connection = _connection(scratch)
    labels = read_labels(files)
    connection.register("labels", labels)
    return lambda: connection.sql(_carried(files, _reach(files, labels))).to_arrow_table()


def prepared_gathered(files: Files, scratch: Path) -> Callable[[], pa.Table]:
    """Keys, times and row numbers are joined; then each column is read and its rows taken, a column to a thread."""
    connection = _connection(scratch)
    labels = read_labels(files)
    connection.register("labels", labels)

    def answer() -> pa.Table:
        table, reach = labels, _reach(files, labels)
        for view in files.case.views:
            rows = _rows(connection, files, view, reach)
            for column, values in zip(files.case.columns, _gathered(files, view, rows), strict=True):
                table = table.append_column(f"{view}__{column}", values)
        return table

    return answer


def _connection(scratch: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"temp_directory": str(scratch)})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _reach(files: Files, labels: pa.Table) -> str:
    """The event times that any label can see, as SQL."""
    times = labels[EVENT].cast(pa.int64()).to_numpy()
    since = f" AND {EVENT} >= make_timestamptz({times.min() - _ttl(files)})" if files.case.ttl else ""
    return f"{EVENT} <= make_timestamptz({times.max()}){since}"


def _ttl(files: Files) -> int:
    return (files.case.ttl_days or 0) * 86_400_000_000


def _fresh(files: Files, view: str) -> str:
    """Whether a row that was found is within its TTL, as SQL."""
    return f"{view}.instant // {TURN} >= epoch_us(labels.{EVENT}) - {_ttl(files)}" if files.case.ttl else "true"


def _carried(files: Files, reach: str) -> str:
    columns, joins = [], []
    for view in files.case.views:
        read = f"SELECT {KEY}, {EVENT_AND_CREATED}, {', '.join(files.case.columns)} FROM '{files.view(view)}' WHERE {reach}"
        joins.append(f"ASOF LEFT JOIN ({read}) {view} ON labels.{KEY} = {view}.{KEY} AND {ASKED} >= {view}.instant")
        for name in files.case.columns:
            value = f"CASE WHEN {_fresh(files, view)} THEN {view}.{name} END" if files.case.ttl else f"{view}.{name}"
            columns.append(f"{value} AS {view}__{name}")
    return f"SELECT labels.*, {', '.join(columns)} FROM labels {' '.join(joins)} ORDER BY {LABEL}"


def _rows(connection: duckdb.DuckDBPyConnection, files: Files, view: str, reach: str) -> Ints:
    """Per label the number of its row in the view's file, −1 for none."""
    source = f"read_parquet('{files.view(view)}', file_row_number = true)"
    read = f"SELECT {KEY}, {EVENT_AND_CREATED}, file_row_number AS place FROM {source} WHERE {reach}"
    query = f"""SELECT {LABEL}, place FROM labels ASOF JOIN ({read}) {view}
        ON labels.{KEY} = {view}.{KEY} AND {ASKED} >= {view}.instant WHERE {_fresh(files, view)}"""
    found = connection.sql(query).fetchnumpy()
    rows = np.full(files.case.labels, -1)
    rows[found[LABEL]] = found["place"]
    return rows


def _gathered(files: Files, view: str, rows: Ints) -> list[pa.Array]:
    metadata, places = pq.read_metadata(files.view(view)), pa.array(rows, mask=rows < 0)

    def taken(column: str) -> pa.Array:
        whole = pq.ParquetFile(files.view(view), metadata=metadata).read([column], use_threads=False)
        return whole.column(0).combine_chunks().take(places)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(taken, files.case.columns))
