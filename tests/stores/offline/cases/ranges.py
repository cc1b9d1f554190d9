"""Without an entity frame: every key that was seen in a range of time, as of its end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from tests.stores.offline.calls import historical, unordered
from tests.stores.offline.case import Case, View, view
from tests.stores.offline.made import CREATED, MICROSECOND, hour, hours, rows, stats

TRIPS = ["stats:trips"]
THREE = stats([10, 20, 30, 40], (0, 1, 0, 5), [1, 1, 2, 3])


def between(
    name: str, behaviour: str, views: list[View], start: datetime | None, end: datetime, answer: pa.Table, **rest: Any
) -> Case:
    dates = {key: value for key, value in (("start_date", start), ("end_date", end)) if value is not None}
    features = rest.pop("features", TRIPS)
    options = rest.pop("options", {})
    return Case(name, behaviour, views, historical(None, features, **dates, **options), unordered(answer), **rest)


def seen(driver_id: list[int], trips: list[int | None], at: datetime) -> pa.Table:
    return rows(driver_id, [at] * len(driver_id), trips=pa.array(trips, pa.int64()))


CASES = [
    between(
        "range-answers-each-key-at-its-end",
        "Each key with an event in the range is answered once, as of the end.",
        [view("stats", THREE)],
        hour(-1),
        hour(2),
        seen([1, 2], [20, 30], hour(2)),
        origin="test_universal_historical_retrieval.py::test_historical_features_non_entity_retrieval",
    ),
    between(
        "range-includes-its-end",
        "An event at the end is in the range.",
        [view("stats", THREE)],
        hour(-1),
        hour(5),
        seen([1, 2, 3], [20, 30, 40], hour(5)),
    ),
    between(
        "range-includes-its-start",
        "An event at the start, too.",
        [view("stats", THREE)],
        hour(0),
        hour(0.5),
        seen([1, 2], [10, 30], hour(0.5)),
    ),
    between(
        "range-leaves-out-keys-seen-before",
        "A key whose last event is older than the start is not answered.",
        [view("stats", THREE)],
        hour(0) + MICROSECOND,
        hour(2),
        seen([1], [20], hour(2)),
        origin="test_dask_non_entity.py::test_non_entity_mode_with_both_dates_retrieves_data",
    ),
    between(
        "range-with-ttl",
        "A key whose value at the end is too old has a null.",
        [view("stats", THREE, ttl=timedelta(hours=1.5))],
        hour(-1),
        hour(2),
        seen([1, 2], [20, None], hour(2)),
        origin="test_dask_non_entity.py::test_ttl_filtering_excludes_old_rows",
    ),
    between(
        "range-without-start",
        "Without a start the range is as long as the longest time to live.",
        [view("stats", THREE, ttl=timedelta(hours=1.5))],
        None,
        hour(2),
        seen([1], [20], hour(2)),
        origin="test_dask_non_entity.py::test_non_entity_mode_with_end_date_only_calculates_start_from_ttl",
    ),
    between(
        "range-with-ties",
        "A tie goes to the row created last.",
        [view("stats", stats([20, 10], (0, 0), created=hours(2, 1)), created=CREATED)],
        hour(-1),
        hour(3),
        seen([1], [20], hour(3)),
        origin="test_dask_non_entity.py::test_dask_non_entity_snapshot_ttl_and_dedup",
    ),
    between(
        "range-with-the-filter",
        "With the filter what was written after the end is not seen.",
        [view("stats", stats([20, 10], (0, 0), created=hours(9, 1)), created=CREATED)],
        hour(-1),
        hour(3),
        seen([1], [10], hour(3)),
        options={"filter_by_created_timestamp": True},
    ),
    between(
        "range-over-two-views",
        "The keys of all views that are asked for are answered, each once.",
        [view("stats", THREE), view("fares", rows([2, 9], hours(1, 1), fare=[1.5, 2.5]))],
        hour(-1),
        hour(2),
        seen([1, 2, 9], [20, 30, None], hour(2)).append_column("fare", pa.array([None, 1.5, 2.5])),
        features=[*TRIPS, "fares:fare"],
    ),
    between(
        "range-without-zone",
        "A range without a zone is in UTC.",
        [view("stats", THREE)],
        hour(-1).replace(tzinfo=None),
        hour(2).replace(tzinfo=None),
        seen([1, 2], [20, 30], hour(2)),
    ),
    between(
        "range-that-is-empty",
        "A range without events is answered with no rows.",
        [view("stats", THREE)],
        hour(-9),
        hour(-8),
        seen([1], [10], hour(-8)).slice(0, 0),
    ),
]
