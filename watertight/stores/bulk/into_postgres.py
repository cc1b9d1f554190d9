"""Into Feast's own PostgreSQL store, in its layout: a table per view, a row per entity and feature.

The layout is that of ``feast.infra.online_stores.postgres_online_store``. A batch is copied into a temporary table and
merged from there in one transaction. A stored row gives way to a newer event, or to one of the same instant that was not
created earlier; a row that is there already is left alone. Feast's own writer replaces whatever is stored.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from feast.infra.online_stores.helpers import compute_table_id, extract_text_and_num
from feast.protos.feast.types.Value_pb2 import Value
from psycopg import sql

from watertight.core.errors import Refusal
from watertight.stores.bulk.newest import newest_per_key
from watertight.stores.bulk.tally import Tally
from watertight.stores.bulk.target import Target
from watertight.stores.wire.pieces import Pieces, by_number, data_of, joined, lengths_of, of_matrix
from watertight.stores.wire.takes_arrow import CREATED_TIMESTAMP, EVENT_TIMESTAMP

COLUMNS = ("entity_key", "feature_name", "value", "value_text", "value_num", "event_ts", "created_ts")
# https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-BINARY-FORMAT
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_TRAILER = struct.pack("!h", -1)
_NULL = struct.pack("!i", -1)
_YEAR_2000 = 946_684_800_000_000

_STAGE = "CREATE TEMPORARY TABLE watertight_batch (LIKE {table}) ON COMMIT DROP"
_COPY = "COPY watertight_batch ({columns}) FROM STDIN (FORMAT BINARY)"
_MERGE = """
WITH merged AS (
  INSERT INTO {table} AS stored ({columns}) SELECT {columns} FROM watertight_batch
  ON CONFLICT (entity_key, feature_name) DO UPDATE SET {updates}
  WHERE (EXCLUDED.event_ts, coalesce(EXCLUDED.created_ts, '-infinity'))
     >= (stored.event_ts, coalesce(stored.created_ts, '-infinity'))
    AND (EXCLUDED.event_ts, EXCLUDED.created_ts, EXCLUDED.value)
     IS DISTINCT FROM (stored.event_ts, stored.created_ts, stored.value)
  RETURNING stored.entity_key
) SELECT count(DISTINCT entity_key) FROM merged
"""


@dataclass(frozen=True)
class _Statements:
    stage: sql.Composed
    copy: sql.Composed
    merge: sql.Composed


def write(target: Target, batches: Iterable[pa.RecordBatch], tally: Tally) -> None:
    """Merge each batch in a transaction of its own; raises psycopg.Error as psycopg does, and Refusal if a copy is not whole."""
    with _connection(target) as connection:
        columns = _columns(target, connection)
        statements = _statements(target, columns)
        for batch in batches:
            rows, keys = _in_order_of_index(*newest_per_key(batch, target.entity_keys(batch)))
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute(statements.stage)
                _copy(cursor, statements, _tuples(target, rows, keys, "value_num" in columns))
                _demand_copied(cursor.rowcount, rows.num_rows * len(target.features), target)
                changed = cursor.execute(statements.merge).fetchone()[0]
            tally.done(changed, batch.num_rows - changed)


@contextmanager
def _connection(target: Target) -> Iterator[Any]:
    """A connection of Feast's; its own context forgets to take one back into the pool after an error."""
    failure = None
    with target.store._get_conn(target.config) as connection:
        try:
            yield connection
        except Exception as error:  # Raised again as soon as the connection is back.
            failure = error
    if failure is not None:
        raise failure


def _in_order_of_index(rows: pa.RecordBatch, keys: Pieces) -> tuple[pa.RecordBatch, Pieces]:
    """Half of the work is in the indexes, and a third of that is saved; nor do two writers wait for each other in a ring."""
    order = pc.sort_indices(keys)
    return rows.take(order), keys.take(order)


def _columns(target: Target, connection: Any) -> list[str]:
    """What is written; ``value_num`` stands only in tables that were made with ``enable_openai_compatible_store``."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(_table(target)))
        there = {column.name for column in cursor.description}
    return [column for column in COLUMNS if column != "value_num" or column in there]


def _statements(target: Target, columns: list[str]) -> _Statements:
    named = sql.SQL(", ").join(map(sql.Identifier, columns))
    changing = [sql.Identifier(column) for column in columns if column not in ("entity_key", "feature_name")]
    updates = sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(column) for column in changing)
    return _Statements(
        sql.SQL(_STAGE).format(table=_table(target)),
        sql.SQL(_COPY).format(columns=named),
        sql.SQL(_MERGE).format(table=_table(target), columns=named, updates=updates),
    )


def _table(target: Target) -> sql.Identifier:
    versioned = target.config.registry.enable_online_feature_view_versioning
    return sql.Identifier(compute_table_id(target.config.project, target.view, versioned))


def _copy(cursor: Any, statements: _Statements, tuples: Pieces) -> None:
    with cursor.copy(statements.copy) as copy:
        copy.write(_HEADER)
        copy.write(data_of(tuples))
        copy.write(_TRAILER)


def _demand_copied(copied: int, expected: int, target: Target) -> None:
    if copied != expected:
        raise Refusal(f"view {target.view.name!r}: PostgreSQL took {copied} value(s)", expected=f"{expected}")


def _tuples(target: Target, rows: pa.RecordBatch, keys: Pieces, with_numbers: bool) -> Pieces:
    """Of each row the binary tuples of all its features."""
    fields = struct.pack("!h", len(COLUMNS) if with_numbers else len(COLUMNS) - 1)
    entity, event, created = _field(keys), _instants(rows, EVENT_TIMESTAMP), _instants(rows, CREATED_TIMESTAMP)
    parts: list[Pieces | bytes] = []
    for feature, values in sorted(target.values(rows).items()):
        text, number = _readable(values, with_numbers)
        parts += [fields, entity, _constant(feature.encode()), _field(values), text, number, event, created]
    return joined(*parts)


def _field(pieces: Pieces) -> Pieces:
    """Each piece behind its length."""
    return joined(by_number(lengths_of(pieces), lambda length: struct.pack("!i", length)), pieces)


def _constant(content: bytes) -> bytes:
    return struct.pack("!i", len(content)) + content


def _readable(values: Pieces, with_numbers: bool) -> tuple[Pieces, Pieces | bytes]:
    """``value_text`` and ``value_num``, by which Feast filters: its own reading of each value."""
    read = [extract_text_and_num(Value.FromString(value), with_numbers) for value in values.to_pylist()]
    texts = pa.array([_NULL if text is None else _constant(text.encode()) for text, _ in read], pa.large_binary())
    if not with_numbers:
        return texts, b""
    numbers = [_NULL if number is None else _constant(struct.pack("!d", number)) for _, number in read]
    return texts, pa.array(numbers, pa.large_binary())


def _instants(rows: pa.RecordBatch, column: str) -> Pieces | bytes:
    """Microseconds since the year 2000, UTC; null where there is none."""
    if column not in rows.schema.names:
        return _NULL
    micros = pc.fill_null(rows[column].cast(pa.int64()), _YEAR_2000).to_numpy() - _YEAR_2000
    instants = of_matrix(micros.astype(">i8").view(np.uint8).reshape(-1, 8))
    nulls = rows[column].is_null()
    return pc.if_else(nulls, pa.scalar(_NULL, pa.large_binary()), joined(struct.pack("!i", 8), instants))
