"""Requests: several views, a part of the features, services, on-demand views, and requests of any size."""

from __future__ import annotations

from typing import Any

import pandas as pd
from feast import FeatureService, Field, RequestSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64

from tests.stores.online.case import Case, after, drivers, row
from tests.stores.online.steps import Apply, Ask, Read, Write
from tests.stores.online.views import View

ABC = View(features={"a": Float64, "b": Float64, "c": Float64})
FULL = row(1, a=1.0, b=2.0, c=3.0)
MANY, MOST = 10_000, 40_000


def _service(views: dict[str, Any]) -> list[Any]:
    return [FeatureService(name="model", features=[views["trips"][["c", "a"]], views["cars"]])]


def _doubled(views: dict[str, Any]) -> list[Any]:
    @on_demand_feature_view(sources=[views["trips"]], schema=[Field(name="twice", dtype=Float64)])
    def doubled(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"twice": frame["a"] * 2})

    return [doubled]


def _with_request(views: dict[str, Any]) -> list[Any]:
    ask = RequestSource(name="ask", schema=[Field(name="fare", dtype=Float64)])

    @on_demand_feature_view(sources=[views["trips"], ask], schema=[Field(name="share", dtype=Float64)])
    def shared(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"share": frame["fare"] / frame["a"]})

    return [shared]


CASES = (
    Case(
        "order-of-the-request",
        "The answers stand in the order of the request",
        Apply([View()]),
        Write("trips", [row(key, a=float(key)) for key in range(10)]),
        Ask(drivers(7, 0, 9, 3), {"a": [7.0, 0.0, 9.0, 3.0]}),
    ),
    Case(
        "repeated-keys",
        "A key that is asked twice is answered twice",
        Apply([View()]),
        Write("trips", [row(1, a=1.0), row(2, a=2.0)]),
        Ask(drivers(2, 1, 2, 3, 3), {"a": [2.0, 1.0, 2.0, None, None]}),
    ),
    Case(
        "no-keys",
        "A read of no keys answers no rows",
        Apply([View()]),
        Write("trips", [row(1, a=1.0)]),
        Read([], []),
    ),
    Case(
        "ten-thousand-keys",
        "10,000 keys in one request, every other one unknown",
        Apply([View()]),
        Write("trips", [row(key, a=float(key)) for key in range(0, MANY, 2)]),
        Ask(drivers(*range(MANY)), {"a": [None if key % 2 else float(key) for key in range(MANY)]}),
    ),
    Case(
        "forty-thousand-keys",
        "40,000 keys in one read, more than SQLite takes parameters in a statement",
        Apply([View()]),
        Write("trips", [row(5, a=5.0)]),
        Read(drivers(*range(MOST)), [{"a": 5.0} if key == 5 else None for key in range(MOST)]),
    ),
    Case(
        "two-views",
        "Two views in one request, each with its own rows",
        Apply([View(), View("cars", features={"b": Float64})]),
        Write("trips", [row(1, a=1.0), row(2, a=2.0)]),
        Write("cars", [row(2, b=20.0), row(3, b=30.0)]),
        Ask(drivers(1, 2, 3), {"a": [1.0, 2.0, None], "b": [None, 20.0, 30.0]}, features=["trips:a", "cars:b"]),
    ),
    Case(
        "two-views-each-its-event",
        "The events of two views in one request are each view's own",
        Apply([View(), View("cars", features={"b": Float64})]),
        Write("trips", [row(1, a=1.0, at=after(hours=1))]),
        Write("cars", [row(1, b=1.0, at=after(hours=2))]),
        Ask(
            drivers(1),
            {"a": [1.0], "b": [1.0]},
            at={"a": [after(hours=1)], "b": [after(hours=2)]},
            features=["trips:a", "cars:b"],
        ),
    ),
    Case(
        "part-of-the-features",
        "Only the features that are asked, in the order asked",
        Apply([ABC]),
        Write("trips", [FULL]),
        Ask(drivers(1), {"c": [3.0], "a": [1.0]}, features=["trips:c", "trips:a"]),
    ),
    Case(
        "seam-reads-only-what-is-asked",
        "online_read answers the features that are asked and no other",
        Apply([ABC]),
        Write("trips", [FULL]),
        Read(drivers(1), [{"b": 2.0}], features=["b"]),
    ),
    Case(
        "seam-reads-all-unless-asked",
        "online_read without named features answers all of them",
        Apply([ABC]),
        Write("trips", [FULL]),
        Read(drivers(1), [{"a": 1.0, "b": 2.0, "c": 3.0}], features=None),
    ),
    Case(
        "feature-service",
        "A feature service: a part of one view and the whole of another",
        Apply([ABC, View("cars", features={"d": Float64})], _service),
        Write("trips", [FULL]),
        Write("cars", [row(1, d=4.0)]),
        Ask(drivers(1), {"c": [3.0], "a": [1.0], "d": [4.0]}, features="model"),
    ),
    Case(
        "full-feature-names",
        "Two views with a feature of the same name, by full names",
        Apply([View(), View("cars")]),
        Write("trips", [row(1, a=1.0)]),
        Write("cars", [row(1, a=2.0)]),
        Ask(drivers(1), {"trips__a": [1.0], "cars__a": [2.0]}, features=["trips:a", "cars:a"], full_names=True),
    ),
    Case(
        "on-demand-view",
        "An on-demand view over online features",
        Apply([View()], _doubled),
        Write("trips", [row(1, a=1.5), row(2, a=4.0)]),
        Ask(drivers(2, 1), {"twice": [8.0, 3.0]}, features=["doubled:twice"]),
    ),
    Case(
        "on-demand-view-with-request-data",
        "An on-demand view over online features and what comes with the request",
        Apply([View()], _with_request),
        Write("trips", [row(1, a=2.0), row(2, a=4.0)]),
        Ask(
            [{"driver": 2, "fare": 8.0}, {"driver": 1, "fare": 3.0}],
            {"share": [2.0, 1.5], "a": [4.0, 2.0]},
            features=["shared:share", "trips:a"],
        ),
    ),
    Case(
        "async-equals-sync",
        "get_online_features_async answers the same as get_online_features",
        Apply([View(), View("cars", features={"b": Float64})]),
        Write("trips", [row(1, a=1.0), row(2, a=2.0)]),
        Write("cars", [row(2, b=20.0)]),
        Ask(drivers(2, 1, 3), {"a": [2.0, 1.0, None], "b": [20.0, None, None]}, features=["trips:a", "cars:b"]),
        Ask(
            drivers(2, 1, 3),
            {"a": [2.0, 1.0, None], "b": [20.0, None, None]},
            status={"a": ["PRESENT", "PRESENT", "NOT_FOUND"]},
            features=["trips:a", "cars:b"],
            by_async=True,
        ),
    ),
)
