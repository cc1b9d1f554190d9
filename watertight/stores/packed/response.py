"""Rows as Feast's answer: one vector a feature, written as the bytes that its message has, a column at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feast.protos.feast.serving.ServingService_pb2 import FieldStatus, GetOnlineFeaturesResponse
from google.protobuf.timestamp_pb2 import Timestamp

from watertight.stores.packed.columns import PRESENT, Column, columns
from watertight.stores.packed.reading import StoredRow
from watertight.stores.packed.row import NULL
from watertight.stores.wire.pieces import varint

_STATUSES, _TIMES = b"\x12", b"\x1a"
_NO_TIME = _TIMES + b"\x00"


@dataclass(frozen=True)
class Vectors:
    """What a view answers: per feature, the value and the status of each row; and the event time of each row."""

    columns: list[Column]
    times: list[bytes]

    def add_to(self, response: GetOnlineFeaturesResponse) -> None:
        """Append one vector a feature to Feast's answer."""
        times = b"".join(self.times)
        for column in self.columns:
            statuses = _STATUSES + varint(len(column.statuses)) + column.statuses
            response.results.add().MergeFromString(b"".join([*column.values, statuses, times]))

    def present(self) -> int:
        """How many values there are to serve."""
        return sum(column.statuses.count(PRESENT) for column in self.columns)


def vectors(features: Sequence[str], rows: Sequence[StoredRow | None], oldest_us: int | None) -> Vectors:
    """``features`` of ``rows`` (None is a key without a row); a row with an event before ``oldest_us`` answers no value."""
    withheld = [_withheld(row, oldest_us) for row in rows]
    served = columns([row for row, status in zip(rows, withheld) if row is not None and not status], features)
    times = [_NO_TIME if row is None else _time(row.event_us) for row in rows]
    return Vectors([_among(column, withheld) for column in served] if any(withheld) else served, times)


def _withheld(row: StoredRow | None, oldest_us: int | None) -> int:
    """Why a row has no value to serve; 0 if it has."""
    if row is None:
        return FieldStatus.NOT_FOUND
    return FieldStatus.OUTSIDE_MAX_AGE if oldest_us is not None and row.event_us < oldest_us else 0


def _among(column: Column, withheld: Sequence[int]) -> Column:
    """The column with a null where a value is withheld."""
    values, statuses = iter(column.values), iter(column.statuses)
    return Column(
        [NULL if status else next(values) for status in withheld],
        bytes([status or next(statuses) for status in withheld]),
    )


def _time(event_us: int) -> bytes:
    seconds, rest = divmod(event_us, 1_000_000)
    written = Timestamp(seconds=seconds, nanos=rest * 1000).SerializeToString()
    return _TIMES + varint(len(written)) + written
