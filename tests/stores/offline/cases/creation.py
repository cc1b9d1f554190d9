"""What was written down only after the asked instant."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa

from tests.stores.offline.calls import joins
from tests.stores.offline.case import view
from tests.stores.offline.made import CREATED, MICROSECOND, frame, hour, hours, rows, stats

TRIPS = ["stats:trips"]
FILTER = {"filter_by_created_timestamp": True}
CORRECTED = stats([10, 20], (0, 0), created=hours(0, 5))


def in_milliseconds(table: pa.Table) -> pa.Table:
    """The created timestamp in milliseconds."""
    return table.drop(CREATED).append_column(CREATED, table[CREATED].cast(pa.timestamp("ms", "UTC")))


CASES = [
    joins(
        "later-correction-is-seen",
        "Without the filter a value corrected later is joined.",
        [view("stats", CORRECTED, created=CREATED)],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [20]},
        origin="test_filter_by_created_timestamp.py::test_default_serves_latest_created_value",
    ),
    joins(
        "filter-hides-what-was-written-later",
        "With the filter the value is joined that was known.",
        [view("stats", CORRECTED, created=CREATED)],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [10]},
        origin="test_universal_historical_retrieval.py::test_historical_features_filter_by_created_timestamp",
        **FILTER,
    ),
    joins(
        "filter-sees-its-own-instant",
        "What was created at the asked instant is seen.",
        [view("stats", CORRECTED, created=CREATED)],
        frame([1], hours(5)),
        TRIPS,
        {"trips": [20]},
        **FILTER,
    ),
    joins(
        "filter-one-microsecond-before-creation",
        "One microsecond before its creation a value is not seen.",
        [view("stats", CORRECTED, created=CREATED)],
        frame([1], [hour(5) - MICROSECOND]),
        TRIPS,
        {"trips": [10]},
        **FILTER,
    ),
    joins(
        "filter-hides-null-creation",
        "With the filter a row without a created timestamp is not seen.",
        [view("stats", stats([10, 20], (0, 0), created=[hour(0), None]), created=CREATED)],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [10]},
        origin="test_filter_by_created_timestamp.py::…_excludes_rows_with_null_created_timestamp",
        **FILTER,
    ),
    joins(
        "filter-without-created-column",
        "A source without a created column is not affected.",
        [view("stats", stats())],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [20]},
        origin="test_filter_by_created_timestamp.py::…_has_no_effect_without_created_timestamp_column",
        **FILTER,
    ),
    joins(
        "filter-falls-back-to-older-event",
        "Where the newest event was not yet written, an older one is joined.",
        [view("stats", stats([10, 20], (0, 1), created=hours(0, 9)), created=CREATED)],
        frame([1, 1], hours(2, 9)),
        TRIPS,
        {"trips": [10, 20]},
        **FILTER,
    ),
    joins(
        "filter-leaves-nothing",
        "Where nothing was written yet, the row stays, with nulls.",
        [view("stats", stats([10, 20], (0, 1), created=hours(48, 72)), created=CREATED)],
        frame([1], hours(12)),
        TRIPS,
        {"trips": [None]},
        origin="test_filter_by_created_timestamp.py::test_entity_row_is_kept_when_every_candidate_is_future_created",
        **FILTER,
    ),
    joins(
        "filter-does-not-borrow",
        "A row without a visible value does not take another key's.",
        [view("stats", stats([10, 20], (0, 0), [1, 2], created=hours(1, 48)), created=CREATED)],
        frame([1, 2], hours(12, 12)),
        TRIPS,
        {"trips": [10, None]},
        origin="test_filter_by_created_timestamp.py::test_entity_rows_without_a_valid_version_do_not_borrow_from_others",
        **FILTER,
    ),
    joins(
        "filter-then-ttl",
        "Of what was written the newest is taken, and it may be too old.",
        [view("stats", stats([10, 20], (0, 3), created=hours(0, 9)), created=CREATED, ttl=timedelta(hours=2))],
        frame([1, 1], hours(1, 4)),
        TRIPS,
        {"trips": [10, None]},
        **FILTER,
    ),
    joins(
        "filter-on-one-of-two-views",
        "A view with a created column is filtered, its neighbour without one is not.",
        [view("stats", CORRECTED, created=CREATED), view("ratings", rows([1], hours(0), rating=[4.5]))],
        frame([1], hours(1)),
        [*TRIPS, "ratings:rating"],
        {"trips": [10], "rating": [4.5]},
        **FILTER,
    ),
    joins(
        "filter-with-ties-of-what-is-seen",
        "Among the rows that were written, a tie goes to the newest.",
        [view("stats", stats([20, 10, 30], (0, 0, 0), created=hours(2, 1, 7)), created=CREATED)],
        frame([1, 1], hours(1.5, 3)),
        TRIPS,
        {"trips": [10, 20]},
        **FILTER,
    ),
    joins(
        "created-in-another-unit",
        "The created timestamp may be in another unit than the event's.",
        [view("stats", in_milliseconds(CORRECTED), created=CREATED)],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [10]},
        **FILTER,
    ),
    joins(
        "created-as-a-date",
        "A created date counts from its midnight.",
        [view("stats", rows([1, 1], hours(0, 0), trips=[10, 20], created=[hour(0).date(), hour(24).date()]), created=CREATED)],
        frame([1, 1], hours(11, 12)),
        TRIPS,
        {"trips": [10, 20]},
        **FILTER,
    ),
]
