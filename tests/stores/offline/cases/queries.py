"""Entity frames in SQL, over the sources of the views that are asked for."""

from __future__ import annotations

import pyarrow as pa

from tests.stores.offline.calls import job
from tests.stores.offline.case import About, Answer, Case, Fails, view
from tests.stores.offline.made import hours, rows, stats
from tests.stores.offline.project import Project

VIEWS = [
    view("stats", stats([10, 20, 30], (0, 1, 0), [1, 1, 2])),
    view("orders", rows([2, 1, 1], hours(0.5, 1.5, 0.5), total=[7, 8, 9])),
]
HALVES = rows([2, 1, 1], hours(0.5, 1.5, 0.5), trips=[30, 20, 10])
KEYS_AND_TIMES = Answer(HALVES, ("driver_id", "event_timestamp"), ("driver_id", "event_timestamp"))
LOOSE = Answer(HALVES, ("driver_id", "event_timestamp"), ("driver_id", "event_timestamp"), About.ORDER)
FEATURES = ["stats:trips"]


def query(name: str, behaviour: str, sql: str, expected: Answer | Fails, about: About = About.VALUES, **rest: object) -> Case:
    """``{orders}`` in the query is the path of that view's source."""

    def call(project: Project) -> pa.Table:
        return job(project, sql.format(**project.places), [*FEATURES, "orders:total"]).to_arrow().drop("total")

    return Case(name, behaviour, VIEWS, call, expected, about, **rest)  # type: ignore[arg-type]


CASES = [
    query(
        "sql-over-a-source",
        "A query may name the source of a view that is asked for.",
        "SELECT driver_id, event_timestamp FROM orders_source",
        LOOSE,
        origin="test_universal_historical_retrieval.py::test_historical_features_with_entities_from_query",
    ),
    query("sql-over-a-view", "Or the view.", "SELECT driver_id, event_timestamp FROM orders", LOOSE),
    query(
        "sql-over-a-file",
        "Or a Parquet file by its path.",
        "SELECT driver_id, event_timestamp FROM read_parquet('{orders}')",
        LOOSE,
    ),
    query(
        "sql-keeps-its-order",
        "Rows come back in the order of the query, and its columns first.",
        "SELECT driver_id, event_timestamp FROM orders_source ORDER BY driver_id DESC, event_timestamp DESC",
        KEYS_AND_TIMES,
        About.ORDER | About.COLUMNS,
    ),
    query(
        "sql-with-duplicates",
        "Rows that a query answers twice come back twice.",
        "SELECT driver_id, event_timestamp FROM orders UNION ALL SELECT driver_id, event_timestamp FROM orders",
        Answer(pa.concat_tables([HALVES, HALVES]), LOOSE.entity, LOOSE.by, About.ORDER),
    ),
    query(
        "sql-over-an-unknown-table",
        "A table that there is not is an error which tells those that there are.",
        "SELECT driver_id, event_timestamp FROM order_source",
        Fails(("order_source", "orders_source", "stats_source")),
    ),
    query(
        "sql-without-a-time",
        "A query without a column of instants is an error which tells what is missing.",
        "SELECT driver_id FROM orders_source",
        Fails(("event_timestamp",)),
    ),
    query(
        "sql-changes-nothing",
        "What is not a query is refused.",
        "DROP VIEW orders_source",
        Fails(("SELECT",)),
    ),
]
