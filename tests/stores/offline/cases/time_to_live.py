"""How old a value may be."""

from __future__ import annotations

from datetime import timedelta

from tests.stores.offline.calls import joins
from tests.stores.offline.case import view
from tests.stores.offline.made import CREATED, MICROSECOND, frame, hour, hours, rows, stats

TRIPS = ["stats:trips"]
HOUR = timedelta(hours=1)

CASES = [
    joins(
        "ttl-exactly-reached",
        "A value exactly as old as the time to live is seen.",
        [view("stats", stats([10], (0,)), ttl=HOUR)],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [10]},
    ),
    joins(
        "ttl-one-microsecond-past",
        "A value one microsecond older is not; the row stays.",
        [view("stats", stats([10], (0,)), ttl=HOUR)],
        frame([1, 1], [hour(0.5), hour(1) + MICROSECOND]),
        TRIPS,
        {"trips": [10, None]},
    ),
    joins(
        "ttl-zero",
        "A time to live of zero is none.",
        [view("stats", stats([10], (0,)), ttl=timedelta(0))],
        frame([1], hours(90_000)),
        TRIPS,
        {"trips": [10]},
        origin="test_universal_historical_retrieval.py::test_historical_features_with_no_ttl",
    ),
    joins(
        "ttl-none",
        "Without a time to live a value of any age is seen.",
        [view("stats", stats([10], (0,)))],
        frame([1], hours(90_000)),
        TRIPS,
        {"trips": [10]},
    ),
    joins(
        "ttl-of-36-hours",
        "A time to live of a day and a half is just that.",
        [view("stats", stats([10], (0,)), ttl=36 * HOUR)],
        frame([1], hours(36)),
        TRIPS,
        {"trips": [10]},
    ),
    joins(
        "ttl-past-36-hours",
        "And not two days.",
        [view("stats", stats([10], (0,)), ttl=36 * HOUR)],
        frame([1, 1], [hour(35), hour(36) + MICROSECOND]),
        TRIPS,
        {"trips": [10, None]},
    ),
    joins(
        "ttl-of-ten-days",
        "A time to live of whole days counts days.",
        [view("stats", stats([10], (0,)), ttl=timedelta(days=10))],
        frame([1, 1], [hour(240), hour(240) + MICROSECOND]),
        TRIPS,
        {"trips": [10, None]},
    ),
    joins(
        "ttl-of-a-second-and-a-half",
        "A time to live may have a fraction of a second.",
        [view("stats", stats([10], (0,)), ttl=timedelta(seconds=1.5))],
        frame([1, 1], [hour(0) + timedelta(seconds=1.4), hour(0) + timedelta(seconds=1.6)]),
        TRIPS,
        {"trips": [10, None]},
    ),
    joins(
        "ttl-all-expired",
        "When every value is too old, all rows stay, with nulls.",
        [view("stats", stats([10, 20], (0, 0), [1, 2]), ttl=HOUR)],
        frame([1, 2], hours(5, 6)),
        TRIPS,
        {"trips": [None, None]},
    ),
    joins(
        "ttl-with-ties",
        "At the very end of a value's life a tie still goes to the one created last.",
        [view("stats", stats([20, 10], (0, 0), created=hours(2, 1)), ttl=HOUR, created=CREATED)],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [20]},
    ),
    joins(
        "ttl-of-each-view",
        "Each view has its own time to live.",
        [
            view("stats", stats([10], (0,)), ttl=HOUR),
            view("ratings", rows([1], hours(0), rating=[4.5]), ttl=3 * HOUR),
        ],
        frame([1, 1], hours(0.5, 2)),
        [*TRIPS, "ratings:rating"],
        {"trips": [10, None], "rating": [4.5, 4.5]},
        origin="test_dask_non_entity.py::test_multiple_feature_views_with_different_ttls",
    ),
    joins(
        "ttl-counts-from-the-asked-instant",
        "Each row's own instant counts, not the newest of the frame.",
        [view("stats", stats([10, 20], (0, 100)), ttl=HOUR)],
        frame([1, 1], hours(0.5, 100.5)),
        TRIPS,
        {"trips": [10, 20]},
    ),
]
