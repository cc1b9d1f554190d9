"""Arrow columns as packed rows: a batch at a time, without a Python object a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from feast.feature_view import FeatureView
from feast.value_type import ValueType

from watertight.core.errors import Misuse, Refusal
from watertight.stores.packed.times import UNKNOWN, microseconds_of
from watertight.stores.packed.upsert import Line
from watertight.stores.wire.entity_keys import entity_keys
from watertight.stores.wire.pieces import by_number, joined, lengths_of, varint
from watertight.stores.wire.takes_arrow import CREATED_TIMESTAMP, EVENT_TIMESTAMP
from watertight.stores.wire.value_protos import value_protos

BATCH_ROWS = 65_536
BATCH_BYTES = 32 << 20


def batches(rows: pa.Table) -> Iterator[pa.Table]:
    """``rows`` in order and in parts of so few rows and bytes that a transaction and the memory for it stay small."""
    width = max(1, rows.nbytes // max(1, rows.num_rows))
    step = int(np.clip(BATCH_BYTES // width, 1, BATCH_ROWS))
    for start in range(0, rows.num_rows, step):
        yield rows.slice(start, step)


def lines_of(rows: pa.Table, table: FeatureView, layout: int) -> Iterator[Line]:
    """The newest row of each key in ``rows``, in the order of the keys, its features packed in the view's order.

    Raises Misuse if a column is missing, Refusal if a join key or an event timestamp is null, and what Feast's
    converter raises if a column does not hold what its feature says.
    """
    demand_columns(rows, table)
    keys = entity_keys(rows, {column.name: column.dtype.to_value_type() for column in table.entity_columns})
    event, created = _events(rows), _created(rows)
    taken = _newest_in_key_order(keys, event, created)
    chosen = pa.array(taken)
    values = _packed(rows.take(chosen), {feature.name: feature.dtype.to_value_type() for feature in table.features})
    known = [None if at == UNKNOWN else at for at in created[taken].tolist()] if created.size else repeat(None)
    return zip(_bytes_of(keys.take(chosen)), event[taken].tolist(), known, repeat(layout), _bytes_of(values))


def demand_columns(rows: pa.Table, table: FeatureView) -> None:
    """Raise Misuse unless every join key, every feature and the event timestamp are columns."""
    wanted = [*(field.name for field in [*table.entity_columns, *table.features]), EVENT_TIMESTAMP]
    lacking = [name for name in wanted if name not in rows.column_names]
    if lacking:
        raise Misuse(
            f"the rows for view {table.name!r} lack {', '.join(map(repr, lacking))}",
            column=lacking[0],
            expected=", ".join(wanted),
            next_step=f"write rows with these columns; they have {', '.join(rows.column_names)}",
        )


def _events(rows: pa.Table) -> np.ndarray:
    column = rows.column(EVENT_TIMESTAMP)
    if column.null_count:
        raise Refusal(
            "rows without an event timestamp cannot be told from newer ones", column=EVENT_TIMESTAMP, count=column.null_count
        )
    return microseconds_of(column)


def _created(rows: pa.Table) -> np.ndarray:
    """Empty if the rows do not say when they were created."""
    named = CREATED_TIMESTAMP in rows.column_names
    return microseconds_of(rows.column(CREATED_TIMESTAMP)) if named else np.empty(0, dtype=np.int64)


def _newest_in_key_order(keys: pa.Array, event: np.ndarray, created: np.ndarray) -> np.ndarray:
    """Where the row of each key stands that the store would keep if all were written in order; keys ascending."""
    codes = keys.dictionary_encode()
    if len(codes.dictionary) == len(keys):
        return pc.sort_indices(keys).to_numpy()
    code = codes.indices.to_numpy()
    order = np.lexsort((created, event, code) if created.size else (event, code))
    last = np.flatnonzero(np.diff(code[order], append=-1))
    return order[last][pc.sort_indices(codes.dictionary).to_numpy()]


def _packed(rows: pa.Table, types: Mapping[str, ValueType]) -> pa.Array:
    columns = [value_protos(rows.column(name).combine_chunks(), kind) for name, kind in types.items()]
    return joined(*(piece for column in columns for piece in (_heads(column), column))) if columns else _empty(rows.num_rows)


def _heads(values: pa.Array) -> pa.Array | bytes:
    """The tag and the length that stand before each value."""
    lengths = lengths_of(values)
    distinct = np.unique(lengths)
    return _head(int(distinct[0])) if len(distinct) == 1 else by_number(lengths, _head)


def _head(length: int) -> bytes:
    return b"\n" + varint(length)


def _empty(rows: int) -> pa.Array:
    return pa.array([b""] * rows, pa.large_binary())


def _bytes_of(column: pa.Array) -> Sequence[bytes]:
    """As Python's bytes; several times faster than ``to_pylist``."""
    found: list[bytes] = column.to_numpy(zero_copy_only=False).tolist()
    return found
