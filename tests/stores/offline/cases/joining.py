"""Which row of the source is joined."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from tests.stores.offline.calls import joins
from tests.stores.offline.case import Source, Use, View, view
from tests.stores.offline.layouts import row_groups
from tests.stores.offline.made import MICROSECOND, frame, hour, hours, rows, stats

TRIPS = ["stats:trips"]

CASES = [
    joins(
        "newest-at-or-before",
        "The newest row that is not later than the asked instant is joined.",
        [view("stats", stats())],
        frame([1, 1], hours(0.5, 1.5)),
        TRIPS,
        {"trips": [10, 20]},
        origin="test_ibis.py::test_point_in_time_join",
    ),
    joins(
        "own-instant-is-seen",
        "A row of the asked instant itself is joined.",
        [view("stats", stats())],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [20]},
    ),
    joins(
        "microsecond-later-is-not-seen",
        "A row one microsecond after the asked instant is not joined.",
        [view("stats", stats())],
        frame([1], [hour(1) - MICROSECOND]),
        TRIPS,
        {"trips": [10]},
    ),
    joins(
        "no-value-yet",
        "A row that is asked before the key's first value stays, with nulls.",
        [view("stats", stats())],
        frame([1, 1], hours(-1, 1)),
        TRIPS,
        {"trips": [None, 20]},
    ),
    joins(
        "no-value-yet-at-all",
        "When no row has a value yet, all stay, with nulls.",
        [view("stats", stats())],
        frame([1, 1], hours(-1, -2)),
        TRIPS,
        {"trips": [None, None]},
    ),
    joins(
        "unknown-key",
        "A key that the source does not know has nulls.",
        [view("stats", stats())],
        frame([7, 1], hours(1, 1)),
        TRIPS,
        {"trips": [None, 20]},
    ),
    joins(
        "latest-null-stays-null",
        "A null in the newest row is the answer; an older value is not.",
        [view("stats", stats([10, None, 30]))],
        frame([1], hours(1.5)),
        TRIPS,
        {"trips": [None]},
    ),
    joins(
        "features-come-from-one-row",
        "All features of a view come from the same row, nulls included.",
        [view("stats", stats([10, None], (0, 1), rating=[None, 2.5]))],
        frame([1, 1], hours(0.5, 1.5)),
        [*TRIPS, "stats:rating"],
        {"trips": [10, None], "rating": [None, 2.5]},
    ),
    joins(
        "rows-of-a-source-in-any-order",
        "The order of rows in a source does not matter.",
        [view("stats", stats([30, 10, 20], (2, 0, 1)))],
        frame([1, 1, 1], hours(2.5, 0.5, 1.5)),
        TRIPS,
        {"trips": [30, 10, 20]},
    ),
    joins(
        "several-views",
        "Views with one key are joined side by side, each as of the asked instant.",
        [view("stats", stats()), view("ratings", rows([1, 1], hours(0, 1.75), rating=[4.5, 3.5]))],
        frame([1, 1], hours(1.5, 2)),
        [*TRIPS, "ratings:rating"],
        {"trips": [20, 30], "rating": [4.5, 3.5]},
    ),
    joins(
        "views-with-other-keys",
        "Views with different keys are joined to the same rows.",
        [
            view("stats", stats([10, 20], (0, 0), [1, 2])),
            view("shops", rows(shop=["a", "b"], event_timestamp=hours(0, 0), sales=[5, 6]), keys=("shop",)),
        ],
        frame([1, 2, 1], hours(1, 1, 1), shop=["b", "b", "a"]),
        [*TRIPS, "shops:sales"],
        {"trips": [10, 20, 10], "sales": [6, 6, 5]},
    ),
    joins(
        "three-views-and-one-is-empty-handed",
        "A view without a value for a row leaves what the others have.",
        [
            view("stats", stats([10, 20], (0, 0), [1, 2])),
            view("ratings", rows([1], hours(0), rating=[4.5])),
            view("fares", rows([1, 2], hours(0, 0), fare=[1.5, 2.5])),
        ],
        frame([1, 2], hours(1, 1)),
        [*TRIPS, "ratings:rating", "fares:fare"],
        {"trips": [10, 20], "rating": [4.5, None], "fare": [1.5, 2.5]},
    ),
    joins(
        "two-views-of-one-source",
        "Two views over the same source are joined from it both.",
        [
            View("stats", shared := Source(stats([10, 20], (0, 1), rating=[4.5, 3.5])), features=("trips",)),
            View("ratings", shared, features=("rating",)),
        ],
        frame([1], hours(1.5)),
        [*TRIPS, "ratings:rating"],
        {"trips": [20], "rating": [3.5]},
        origin="test_universal_historical_retrieval.py::test_historical_features_with_shared_batch_source",
    ),
    joins(
        "feature-service",
        "A feature service answers the features that it lists, and no others.",
        [view("stats", stats(rating=[4.5, 3.5, 2.5]))],
        frame([1], hours(1)),
        None,
        {"rating": [3.5]},
        service=[Use("stats", ("rating",))],
    ),
    joins(
        "source-is-empty",
        "A source without rows answers nulls.",
        [view("stats", stats().slice(0, 0))],
        frame([1, 2], hours(1, 1)),
        TRIPS,
        {"trips": [None, None]},
    ),
    joins(
        "event-without-time",
        "A row of the source without an event timestamp is never joined.",
        [view("stats", stats([10, 99], (0, None)))],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [10]},
    ),
    joins(
        "future-rows-in-a-source",
        "Rows dated a century ahead disturb nothing.",
        [view("stats", rows([1, 1], [hour(0), datetime(2124, 1, 1, tzinfo=UTC)], trips=[10, 99]))],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [10]},
    ),
    joins(
        "before-1970",
        "Instants before 1970 are joined like any other.",
        [view("stats", rows([1, 1], [datetime(1950, 5, 1, tzinfo=UTC), datetime(1960, 5, 1, tzinfo=UTC)], trips=[50, 60]))],
        frame([1, 1], [datetime(1955, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]),
        TRIPS,
        {"trips": [50, 60]},
    ),
    joins(
        "centuries-apart",
        "A value from the year 1200, which no count of nanoseconds reaches, is seen in 2024.",
        [view("stats", rows([1], [datetime(1200, 1, 1, tzinfo=UTC)], trips=[12]))],
        frame([1], hours(0)),
        TRIPS,
        {"trips": [12]},
    ),
    joins(
        "centuries-apart-within-a-time-to-live",
        "A time to live of 100,000 days, beyond the first instant that nanoseconds can count, limits nothing that it should not.",
        [view("stats", stats(), ttl=timedelta(days=100_000))],
        frame([1], hours(1.5)),
        TRIPS,
        {"trips": [20]},
    ),
    joins(
        "many-rows-a-key",
        "Of a thousand rows of each of ten keys, in random order and many row groups, the right one is joined.",
        [
            view(
                "stats",
                rows(
                    [(7919 * i) % 10_000 % 10 for i in range(10_000)],
                    [hour((7919 * i) % 10_000 // 10) for i in range(10_000)],
                    trips=[(7919 * i) % 10_000 // 10 for i in range(10_000)],
                ),
                layout=row_groups(137),
            )
        ],
        frame(list(range(10)) * 3, hours(*[0] * 10, *[500.5] * 10, *[5000] * 10)),
        TRIPS,
        {"trips": pa.array([0] * 10 + [500] * 10 + [999] * 10)},
    ),
]
