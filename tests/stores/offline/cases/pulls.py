"""What materialisation reads: the latest row of each key in a range, or all rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tests.stores.offline.calls import LONG_AFTER, LONG_AGO, pulled, unordered
from tests.stores.offline.case import Answer, Case, Fails, view
from tests.stores.offline.layouts import files, relative, row_groups
from tests.stores.offline.made import CREATED, MICROSECOND, hour, hours, rows, stats
from tests.stores.offline.project import Project

MANY = stats([10, 20, 30, 40], (0, 1, 0, 2), [1, 1, 2, 2])
TIED = stats([20, 10, 5], (0, 0, -1), created=hours(2, 1, 9))
EVER = (LONG_AGO, LONG_AFTER)
WEATHER = rows(event_timestamp=hours(1, 0), rain=[0.5, 1.5])


def pull(name: str, behaviour: str, table: pa.Table, call: Any, expected: Any, **source: Any) -> Case:
    answer = unordered(expected) if isinstance(expected, pa.Table) else expected
    return Case(name, behaviour, [view("stats", table, **source)], call, answer)


def _materialized(project: Project) -> pa.Table:
    """Read online what was materialised."""
    project.store.materialize(start_date=LONG_AGO, end_date=hour(1.5), feature_views=["stats"])
    keys = [{"driver_id": key} for key in (1, 2, 3)]
    found = project.store.get_online_features(["stats:trips"], keys).to_dict()
    return pa.table({name: pa.array(found[name], pa.int64()) for name in ("driver_id", "trips")})


def _materialized_weather(project: Project) -> pa.Table:
    project.store.materialize(start_date=LONG_AGO, end_date=hour(2))
    found = project.store.get_online_features(["weather:rain", "stats:trips"], [{"driver_id": 1}]).to_dict()
    return pa.table({name: found[name] for name in ("rain", "trips")})


ONLINE = Answer(pa.table({"driver_id": [1, 2, 3], "trips": pa.array([20, 30, None], pa.int64())}), by=("driver_id",))
MAPPED = rows(id=[1, 1, 2, 2], at=hours(0, 1, 0, 2), n=[10, 20, 30, 40])

CASES = [
    pull("latest-of-each-key", "The newest row of each key.", MANY, pulled("latest", *EVER), MANY.take([1, 3])),
    pull("latest-in-a-range", "Of those in the range.", MANY, pulled("latest", hour(-1), hour(1.5)), MANY.take([1, 2])),
    pull("latest-includes-both-ends", "Both ends belong to it.", MANY, pulled("latest", hour(1), hour(2)), MANY.take([1, 3])),
    pull(
        "latest-one-microsecond-outside",
        "And nothing beyond them.",
        MANY,
        pulled("latest", hour(0) + MICROSECOND, hour(2) - MICROSECOND),
        MANY.take([1]),
    ),
    pull(
        "latest-with-ties",
        "A tie goes to the row created last.",
        TIED,
        pulled("latest", *EVER, created_timestamp_column=CREATED),
        TIED.take([0]),
        created=CREATED,
    ),
    pull(
        "latest-with-null-creation",
        "A row without a created timestamp loses the tie.",
        (half_dated := stats([10, 20], (0, 0), created=[hour(-9), None])),
        pulled("latest", *EVER, created_timestamp_column=CREATED),
        half_dated.take([0]),
        created=CREATED,
    ),
    pull(
        "latest-over-files-and-row-groups",
        "Over all row groups of a file.",
        MANY,
        pulled("latest", *EVER),
        MANY.take([1, 3]),
        layout=row_groups(1),
    ),
    pull(
        "latest-of-a-folder",
        "And all files of a folder.",
        MANY,
        pulled("latest", *EVER),
        MANY.take([1, 3]),
        layout=files(1, 2, 1),
    ),
    pull(
        "latest-of-a-relative-path",
        "At a relative path.",
        MANY,
        pulled("latest", *EVER),
        MANY.take([1, 3]),
        layout=relative(files(4)),
    ),
    pull(
        "latest-of-composite-keys",
        "Of composite keys.",
        (composite := MANY.append_column("shop", pa.array(["a", "b", "a", "a"]))),
        pulled("latest", *EVER, join_key_columns=["driver_id", "shop"]),
        composite.take([0, 1, 3]),
        keys=("driver_id", "shop"),
    ),
    pull(
        "latest-without-keys",
        "Of a view without entities the one newest row, with Feast's own dummy key.",
        WEATHER,
        pulled("latest", *EVER, join_key_columns=[], feature_name_columns=["rain"]),
        WEATHER.take([0]).append_column("__dummy_id", pa.array([""])),
        keys=(),
    ),
    pull(
        "latest-null-stays",
        "A null in the newest row is the answer.",
        (ending := stats(pa.array([10, None]), (0, 1))),
        pulled("latest", *EVER),
        ending.take([1]),
    ),
    pull(
        "latest-of-naive-times",
        "Times without a zone are in UTC.",
        (naive := MANY.set_column(1, "event_timestamp", MANY["event_timestamp"].cast(pa.timestamp("us")))),
        pulled("latest", hour(-1), hour(0.5)),
        naive.take([0, 2]),
    ),
    pull(
        "latest-of-all-columns",
        "No feature names mean all columns.",
        (wide := stats([10, 20], (0, 1), rating=[4.5, 3.5])),
        pulled("latest", *EVER, feature_name_columns=[]),
        wide.take([1]),
    ),
    pull(
        "latest-of-an-unknown-column",
        "A key that the source does not have is an error which tells it and those that there are.",
        MANY,
        pulled("latest", *EVER, join_key_columns=["customer_id"]),
        Fails(("customer_id", "driver_id")),
    ),
    pull("all-in-a-range", "All rows of the range, ties and all.", MANY, pulled("all", hour(0), hour(1)), MANY.take([0, 1, 2])),
    pull("all-without-start", "From the beginning.", MANY, pulled("all", None, hour(0)), MANY.take([0, 2])),
    pull("all-without-end", "To the end.", MANY, pulled("all", hour(1), None), MANY.take([1, 3])),
    pull("all-without-range", "Or both.", MANY, pulled("all", None, None), MANY),
    pull("all-with-duplicates", "Rows that are alike all come.", (alike := MANY.take([0, 0, 1])), pulled("all", *EVER), alike),
    pull(
        "all-of-all-columns",
        "No feature names mean all columns.",
        wide,
        pulled("all", *EVER, feature_name_columns=[]),
        wide,
    ),
    pull("all-in-an-empty-range", "A range without rows has none.", MANY, pulled("all", hour(50), hour(60)), MANY.slice(0, 0)),
    Case(
        "materialize",
        "Materialised to an instant, the online store has each key's newest row until then.",
        [view("stats", MANY)],
        _materialized,
        ONLINE,
        online=True,
        origin="test_universal_materialization.py::test_universal_materialization_consistency",
    ),
    Case(
        "materialize-without-keys",
        "A view without entities is materialised, too.",
        [view("weather", WEATHER.take([1, 0]), keys=()), view("stats", MANY)],
        _materialized_weather,
        Answer(pa.table({"rain": [0.5], "trips": [20]})),
        online=True,
    ),
    Case(
        "materialize-with-field-mapping",
        "Also where the source maps its columns.",
        [view("stats", MAPPED, mapping={"id": "driver_id", "n": "trips"}, timestamp="at")],
        _materialized,
        ONLINE,
        online=True,
    ),
    Case(
        "materialize-nanoseconds",
        "Also where its times are in nanoseconds.",
        [view("stats", MANY.set_column(1, "event_timestamp", MANY["event_timestamp"].cast(pa.timestamp("ns", "UTC"))))],
        _materialized,
        ONLINE,
        online=True,
    ),
]
