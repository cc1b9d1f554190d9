"""Into any online store of Feast's, by the seam that each of them has: protobuf messages, row by row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pyarrow as pa
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.value_type import ValueType

from watertight.stores.bulk.tally import Tally
from watertight.stores.bulk.target import Target
from watertight.stores.wire.takes_arrow import CREATED_TIMESTAMP, EVENT_TIMESTAMP
from watertight.stores.wire.value_protos import value_protos

Row = tuple[EntityKey, dict[str, Value], datetime, datetime | None]


def write(target: Target, batches: Iterable[pa.RecordBatch], tally: Tally) -> None:
    """``online_write_batch`` of each batch; what becomes of a row that is not the newest is the store's own rule."""
    for batch in batches:
        target.store.online_write_batch(target.config, target.view, feast_rows(target, batch), lambda _: None)
        tally.done(batch.num_rows)


def feast_rows(target: Target, rows: pa.RecordBatch) -> list[Row]:
    """What Feast's own engine would hand over: entity key, values, event and creation time (naive, UTC)."""
    keys = [_messages(rows.column(name), kind) for name, kind in target.keys.items()]
    names = list(target.keys)
    values = [_messages(rows.column(name), kind) for name, kind in target.features.items()]
    created = _naive(rows.column(CREATED_TIMESTAMP)) if CREATED_TIMESTAMP in rows.schema.names else [None] * rows.num_rows
    return list(
        zip(
            [EntityKey(join_keys=names, entity_values=key) for key in zip(*keys)],
            [dict(zip(target.features, row)) for row in zip(*values)],
            _naive(rows.column(EVENT_TIMESTAMP)),
            created,
            strict=True,
        )
    )


def _messages(column: pa.Array, kind: ValueType) -> list[Any]:
    return [Value.FromString(message) for message in value_protos(column, kind).to_pylist()]


def _naive(column: pa.Array) -> list[Any]:
    return column.cast(pa.timestamp("us")).to_pylist()
