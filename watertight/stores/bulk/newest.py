"""One row a key within a batch."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from watertight.stores.wire.pieces import Pieces
from watertight.stores.wire.takes_arrow import CREATED_TIMESTAMP, EVENT_TIMESTAMP


def newest_per_key(rows: pa.RecordBatch, keys: Pieces) -> tuple[pa.RecordBatch, Pieces]:
    """``rows`` and their ``keys``, of each key only the newest event; ties go to the newest created, then to the last.

    Offline stores answer one row a key; where one does not, an older row must not be written after a newer one.
    """
    if pc.count_distinct(keys).as_py() == len(keys):
        return rows, keys
    columns = {"key": keys, "event": rows[EVENT_TIMESTAMP], "row": pa.array(np.arange(len(keys)))}
    if CREATED_TIMESTAMP in rows.schema.names:
        columns["created"] = rows[CREATED_TIMESTAMP]
    order = [(name, "ascending") for name in ("event", "created", "row") if name in columns]
    ordered = pa.table(columns).take(pc.sort_indices(pa.table(columns), sort_keys=order, null_placement="at_start"))
    kept = ordered.group_by("key", use_threads=False).aggregate([("row", "last")])["row_last"].sort().combine_chunks()
    return rows.take(kept), keys.take(kept)
