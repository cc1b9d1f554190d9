"""How instants may be written, on either side. Without a zone they are in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

from tests.stores.offline.calls import joins
from tests.stores.offline.case import About, Case, view
from tests.stores.offline.made import frame, hour, hours, rows, stats

TRIPS = ["stats:trips"]
BERLIN = ZoneInfo("Europe/Berlin")
HALF_PAST = [hour(0.5), hour(1.5)]
DAYS = [date(2024, 3, 1), date(2024, 3, 2)]


def asked(how: str, behaviour: str, instants: Any, **rest: Any) -> Case:
    """Two rows asked half past twelve and half past one, written in some way."""
    expected = {"trips": [10, 20]}
    return joins(f"asked-{how}", behaviour, [view("stats", stats())], frame([1, 1], instants), TRIPS, expected, **rest)


def lies(how: str, behaviour: str, instants: Any, expected: Sequence[int | None] = (10, 20), **rest: Any) -> Case:
    """A source whose times are written in some way, asked half past twelve and half past one."""
    table = rows([1] * len(instants), instants, trips=[10 * n for n in range(1, len(instants) + 1)])
    return joins(
        f"source-{how}", behaviour, [view("stats", table)], frame([1, 1], HALF_PAST), TRIPS, {"trips": list(expected)}, **rest
    )


def naive(*numbers: float) -> list[datetime]:
    return [hour(number).replace(tzinfo=None) for number in numbers]


CASES = [
    asked("naive", "Instants of the frame without a zone are in UTC.", naive(0.5, 1.5)),
    asked("in-a-zone", "They may be in a zone.", [instant.astimezone(BERLIN) for instant in HALF_PAST]),
    asked("in-seconds", "They may be in seconds.", np.array(naive(0.5, 1.5), "datetime64[s]")),
    asked("in-milliseconds", "They may be in milliseconds.", np.array(naive(0.5, 1.5), "datetime64[ms]")),
    asked("in-microseconds", "They may be in microseconds.", np.array(naive(0.5, 1.5), "datetime64[us]")),
    asked("in-strings", "They may be strings in ISO 8601.", ["2024-03-01T12:30:00Z", "2024-03-01T13:30:00Z"]),
    asked("in-strings-without-a-zone", "Strings without a zone are in UTC.", ["2024-03-01 12:30:00", "2024-03-01 13:30:00"]),
    asked(
        "in-strings-with-offsets",
        "Strings may have offsets, each its own.",
        ["2024-03-01T13:30:00+01:00", "2024-03-01T08:30:00-05:00"],
    ),
    asked(
        "in-arrow",
        "They may be in a column backed by Arrow.",
        pd.array(HALF_PAST, pd.ArrowDtype(pa.timestamp("us", "UTC"))),
    ),
    joins(
        "asked-in-dates",
        "A date asks at its midnight.",
        [view("stats", rows([1, 1], [datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 2, tzinfo=UTC)], trips=[10, 20]))],
        frame([1, 1], DAYS),
        TRIPS,
        {"trips": [10, 20]},
    ),
    joins(
        "asked-when-the-clock-goes-back",
        "The hour that a zone has twice is two hours.",
        [
            view(
                "stats",
                rows(
                    [1, 1], [datetime(2024, 10, 27, 0, 15, tzinfo=UTC), datetime(2024, 10, 27, 1, 15, tzinfo=UTC)], trips=[1, 2]
                ),
            )
        ],
        frame([1, 1], pd.to_datetime(["2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z"]).tz_convert(BERLIN)),
        TRIPS,
        {"trips": [1, 2]},
    ),
    joins(
        "asked-at-a-nanosecond",
        "Instants of the frame in nanoseconds are compared as such.",
        [view("stats", stats())],
        frame([1, 1], np.array(naive(1, 1), "datetime64[ns]") + np.array([-1, 1], "timedelta64[ns]")),
        TRIPS,
        {"trips": [10, 20]},
    ),
    lies("naive", "Event timestamps of a source without a zone are in UTC.", pa.array(naive(0, 1), pa.timestamp("us"))),
    lies("in-a-zone", "They may be in a zone.", pa.array(hours(0, 1), pa.timestamp("us", "Europe/Berlin"))),
    lies("in-milliseconds", "They may be in milliseconds.", pa.array(hours(0, 1), pa.timestamp("ms", "UTC"))),
    lies("in-nanoseconds", "They may be in nanoseconds.", pa.array(hours(0, 1), pa.timestamp("ns", "UTC"))),
    lies("in-nanoseconds-naive", "And without a zone.", pa.array(naive(0, 1), pa.timestamp("ns"))),
    lies("in-dates", "A date is its midnight.", pa.array(DAYS, pa.date32()), (10, 10)),
    lies("in-strings", "They may be strings in ISO 8601.", ["2024-03-01T12:00:00Z", "2024-03-01T13:00:00Z"]),
    lies("in-strings-without-a-zone", "Strings without a zone are in UTC.", ["2024-03-01 12:00:00", "2024-03-01 13:00:00"]),
    joins(
        "source-a-nanosecond-later",
        "A row half a microsecond after the asked instant is not seen.",
        [view("stats", rows([1, 1], pa.array([0, 500], pa.timestamp("ns", "UTC")), trips=[10, 20]))],
        frame([1], [datetime(1970, 1, 1, tzinfo=UTC)]),
        TRIPS,
        {"trips": [10]},
    ),
    joins(
        "both-naive",
        "Where neither side has a zone both are in UTC.",
        [view("stats", rows([1, 1], pa.array(naive(0, 1), pa.timestamp("us")), trips=[10, 20]))],
        frame([1, 1], naive(0.5, 1)),
        TRIPS,
        {"trips": [10, 20]},
    ),
    joins(
        "both-in-zones",
        "Where the sides have different zones, instants are compared.",
        [view("stats", rows([1, 1], pa.array(hours(0, 1), pa.timestamp("us", "Asia/Tokyo")), trips=[10, 20]))],
        frame([1, 1], [instant.astimezone(BERLIN) for instant in HALF_PAST]),
        TRIPS,
        {"trips": [10, 20]},
    ),
    joins(
        "naive-with-ttl",
        "A time to live holds with times without a zone.",
        [view("stats", rows([1, 1], pa.array(naive(0, 1), pa.timestamp("us")), trips=[10, 20]), ttl=timedelta(hours=2))],
        frame([1, 1], naive(0.5, 3)),
        TRIPS,
        {"trips": [10, 20]},
    ),
    joins(
        "two-views-in-two-units",
        "Two views may write their times in two ways.",
        [
            view("stats", rows([1, 1], pa.array(hours(0, 1), pa.timestamp("ms", "UTC")), trips=[10, 20])),
            view("ratings", rows([1, 1], pa.array(naive(0, 1), pa.timestamp("ns")), rating=[4.5, 3.5])),
        ],
        frame([1, 1], HALF_PAST),
        [*TRIPS, "ratings:rating"],
        {"trips": [10, 20], "rating": [4.5, 3.5]},
    ),
    joins(
        "strings-come-back",
        "Instants that were asked as strings come back as strings.",
        [view("stats", stats())],
        frame([1, 1], ["2024-03-01T12:30:00Z", "2024-03-01T13:30:00Z"]),
        TRIPS,
        {"trips": [10, 20]},
        about=About.ENTITY,
    ),
]
