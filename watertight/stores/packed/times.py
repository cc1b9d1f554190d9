"""Instants as the store keeps them: whole microseconds since 1970, UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
UNKNOWN = np.iinfo(np.int64).min
"""In place of a created timestamp that is not known: older than any."""


def microseconds(at: datetime) -> int:
    """``at`` in microseconds; one without a zone is in UTC, whatever the zone of the process."""
    zoned = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return (zoned - _EPOCH) // _MICROSECOND


def instant(at_us: int) -> datetime:
    """The same, back, in UTC."""
    return _EPOCH + timedelta(microseconds=at_us)


def microseconds_of(column: pa.ChunkedArray) -> np.ndarray:
    """A timestamp column as int64; null is UNKNOWN."""
    zoned = column.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64())
    return zoned.combine_chunks().fill_null(UNKNOWN).to_numpy()


def oldest_served(ttl: timedelta | None) -> int | None:
    """The oldest event, in microseconds, that a view with this TTL answers now; None if age does not matter.

    Now is the clock of this machine when the read began. An event exactly as old as the TTL is answered, as in Feast's
    join; no TTL, or one of zero, is without end.
    """
    return time.time_ns() // 1000 - ttl // _MICROSECOND if ttl else None
