"""Into an online store that takes Arrow."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from watertight.stores.bulk.tally import Tally
from watertight.stores.bulk.target import Target


def write(target: Target, batches: Iterable[pa.RecordBatch], tally: Tally) -> None:
    """Each batch as it is; that the newest event wins is the store's part."""
    for batch in batches:
        told: list[int] = []
        target.store.online_write_arrow(target.config, target.view, pa.Table.from_batches([batch]), told.append)
        tally.done(sum(told))
