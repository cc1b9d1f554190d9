"""Made tables and entity frames: the words in which cases are written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
KEY, TIME, CREATED, ROW = "driver_id", "event_timestamp", "created", "row"


def hour(number: float) -> datetime:
    """So many hours after noon, 1 March 2024, UTC."""
    return NOON + timedelta(hours=number)


def hours(*numbers: float | None) -> list[datetime | None]:
    return [None if number is None else hour(number) for number in numbers]


def array(values: Any) -> pa.Array:
    """Lists become the plainest Arrow type; instants are microseconds in UTC. An Arrow array stays as it is."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if any(isinstance(value, datetime) for value in values):
        return pa.array(values, pa.timestamp("us", "UTC"))
    return pa.array(values)


def rows(driver_id: Any = None, event_timestamp: Any = None, **columns: Any) -> pa.Table:
    """A table of a source: its key and time first, where it has them."""
    first = {KEY: driver_id, TIME: event_timestamp}
    named = {name: values for name, values in first.items() if values is not None} | columns
    return pa.table({name: array(values) for name, values in named.items()})


def frame(
    driver_id: Any = None, event_timestamp: Any = None, *, index: Sequence[Any] | None = None, **columns: Any
) -> pd.DataFrame:
    """An entity frame; its first column numbers the rows, so that an answer in another order can still be judged."""
    first = {KEY: driver_id, TIME: event_timestamp}
    named = {name: values for name, values in first.items() if values is not None} | columns
    length = len(next(iter(named.values())))
    plain = {name: list(values) if isinstance(values, range) else values for name, values in named.items()}
    made = pd.DataFrame({ROW: range(length), **plain})
    return made if index is None else made.set_axis(list(index), axis=0)


def stats(trips: Any = (10, 20, 30), at: Any = (0, 1, 2), driver_id: Any = None, **columns: Any) -> pa.Table:
    """Rows of one driver (or of those named) at the given hours."""
    keys = [1] * len(trips) if driver_id is None else driver_id
    return rows(keys, hours(*at), trips=trips if isinstance(trips, pa.Array) else list(trips), **columns)
