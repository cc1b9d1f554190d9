"""The rows that are asked for: a pandas frame, the answer of an SQL query, or every entity of a span of time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df

from watertight.core.errors import Misuse
from watertight.stores.point_in_time.instants import instants
from watertight.stores.point_in_time.latest import newest_of_each_key
from watertight.stores.point_in_time.parquet_rows import ParquetRows
from watertight.stores.point_in_time.view_join import Asked, ViewQuery

EVENT = "event_timestamp"
# Without so much DuckDB does not begin.
_LEAST = 256 * 2**20


def from_frame(frame: pd.DataFrame) -> Asked:
    """The rows of a frame, in its order; its index is not part of them.

    The instants are in ``event_timestamp``, or in the only column of times. Raises Misuse for a column that Arrow cannot hold.
    """
    at = infer_event_timestamp_from_entity_df(dict(zip(frame.columns, frame.dtypes)))
    try:
        return Asked(pa.Table.from_pandas(frame, preserve_index=False), at)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise Misuse(f"the entity rows cannot be held: {error}", expected="one type in each column") from error


def from_sql(query: str, sources: Callable[[], Iterable[tuple[str, Callable[[], ParquetRows]]]], memory_limit: int) -> Asked:
    """The answer of DuckDB to a query, in its order.

    ``sources`` gives the tables that the query may name, each opened only if it does; beyond them it may read files as DuckDB
    does, ``read_parquet('…')``. Its session is in UTC, whatever the machine's zone. Raises Misuse with DuckDB's own words.
    """
    tables = dict(sources())
    with duckdb.connect(config={"memory_limit": f"{max(memory_limit, _LEAST) // 2**20}MiB"}) as connection:
        # Not by `config`, which is read before DuckDB knows of time zones.
        connection.execute("SET TimeZone = 'UTC'")
        try:
            _demand_query(connection, query)
            for name in (name for name in tables if re.search(rf"\b{re.escape(name)}\b", query)):
                connection.register(name, tables[name]().dataset)
            table: Any = connection.sql(query).to_arrow_table()
        except duckdb.Error as error:
            known = ", ".join(sorted(tables))
            raise Misuse(f"the entity rows' query fails: {error}", expected=f"SQL over files or over {known}") from error
    return Asked(table, infer_event_timestamp_from_entity_df(table.schema.empty_table().to_pandas().dtypes.to_dict()))


def _demand_query(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    kinds = [statement.type for statement in connection.extract_statements(query)]
    if kinds != [duckdb.StatementType.SELECT]:
        raise Misuse(f"the entity rows' query is {', '.join(kind.name for kind in kinds) or 'empty'}", expected="one SELECT")


def from_span(queries: Sequence[ViewQuery], start: datetime, end: datetime) -> Asked:
    """Every entity that some view knows from ``start`` to ``end``, both included, asked at ``end``.

    Raises Misuse where views have different keys: their entities are not to be paired.
    """
    named = {tuple(sorted(name for name, _ in query.keys)) for query in queries}
    if len(named) > 1:
        raise Misuse(f"the views have different keys: {sorted(named)}", expected="entity rows, or views of the same keys")
    tables = [_entities(query, start, end) for query in queries]
    known = pa.concat_tables(tables, promote_options="permissive").group_by(list(named.pop()), use_threads=False).aggregate([])
    return Asked(known.append_column(EVENT, pa.repeat(pa.scalar(end, pa.timestamp("us", "UTC")), known.num_rows)), EVENT)


def _entities(query: ViewQuery, start: datetime, end: datetime) -> pa.Table:
    newest = newest_of_each_key(query.source, [own for _, own in query.keys], query.event, query.created, start, end)
    return newest.keys.rename_columns([name for name, _ in query.keys])


def span_of(asked: Asked) -> tuple[datetime | None, datetime | None]:
    """The first and the last instant asked for, in UTC; None of no rows."""
    found, known = instants(asked.table[asked.at], "us", asked.at)
    found = found[known]
    if not len(found):
        return None, None
    first, last = (pa.scalar(int(end), pa.timestamp("us", "UTC")).as_py() for end in (found.min(), found.max()))
    return first, last
