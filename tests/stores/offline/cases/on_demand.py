"""On-demand views on top of what was joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
from feast import Field, RequestSource
from feast.on_demand_feature_view import OnDemandFeatureView, on_demand_feature_view
from feast.types import Int64

from tests.stores.offline.calls import joins
from tests.stores.offline.case import About, Fails, view
from tests.stores.offline.made import frame, hours, stats

VIEWS = [view("stats", stats())]
REQUEST = RequestSource(name="request", schema=[Field(name="bonus", dtype=Int64)])


def doubled(views: Mapping[str, Any]) -> OnDemandFeatureView:
    """Two outputs of one view, in pandas."""

    @on_demand_feature_view(sources=[views["stats"]], schema=[Field(name=name, dtype=Int64) for name in ("twice", "thrice")])
    def doubled(inputs: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"twice": inputs["trips"] * 2, "thrice": inputs["trips"] * 3})

    return doubled


def with_bonus(views: Mapping[str, Any]) -> OnDemandFeatureView:
    """A view and what the request brings."""

    @on_demand_feature_view(sources=[views["stats"], REQUEST], schema=[Field(name="total", dtype=Int64)])
    def with_bonus(inputs: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"total": inputs["trips"] + inputs["bonus"]})

    return with_bonus


def in_python(views: Mapping[str, Any]) -> OnDemandFeatureView:
    """The same in Python's own lists."""

    @on_demand_feature_view(sources=[views["stats"]], schema=[Field(name="half", dtype=Int64)], mode="python")
    def in_python(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"half": [value // 2 for value in inputs["trips"]]}

    return in_python


CASES = [
    joins(
        "on-demand",
        "An on-demand view is worked out from what was joined.",
        VIEWS,
        frame([1, 1], hours(0.5, 1.5)),
        ["stats:trips", "doubled:twice"],
        {"trips": [10, 20], "twice": pa.array([20, 40])},
        on_demand=[doubled],
    ),
    joins(
        "on-demand-without-its-source",
        "Also where the features that it rests on were not asked for.",
        VIEWS,
        frame([1, 1], hours(0.5, 1.5)),
        ["doubled:twice"],
        {"twice": pa.array([20, 40])},
        on_demand=[doubled],
        free=About.COLUMNS,
    ),
    joins(
        "on-demand-only-what-was-asked",
        "Of its outputs only those that were asked for come back.",
        VIEWS,
        frame([1], hours(0.5)),
        ["stats:trips", "doubled:thrice"],
        {"trips": [10], "thrice": pa.array([30])},
        on_demand=[doubled],
        about=About.COLUMNS,
        origin="test_universal_historical_retrieval.py::test_odfv_projection",
    ),
    joins(
        "on-demand-with-request-data",
        "It may use a column of the frame.",
        VIEWS,
        frame([1, 1], hours(0.5, 1.5), bonus=[5, 6]),
        ["stats:trips", "with_bonus:total"],
        {"trips": [10, 20], "total": pa.array([15, 26])},
        on_demand=[with_bonus],
    ),
    joins(
        "on-demand-without-request-data",
        "A frame without that column is an error which tells it.",
        VIEWS,
        frame([1], hours(0.5)),
        ["stats:trips", "with_bonus:total"],
        Fails(("bonus",)),
        on_demand=[with_bonus],
        origin="test_universal_historical_retrieval.py::test_historical_features_with_missing_request_data",
    ),
    joins(
        "on-demand-in-python",
        "It may be written in Python instead of pandas.",
        VIEWS,
        frame([1, 1], hours(0.5, 1.5)),
        ["stats:trips", "in_python:half"],
        {"trips": [10, 20], "half": pa.array([5, 10])},
        on_demand=[in_python],
    ),
    joins(
        "on-demand-with-full-names",
        "Full names hold for it, too.",
        VIEWS,
        frame([1], hours(0.5)),
        ["stats:trips", "doubled:twice"],
        {"stats__trips": [10], "doubled__twice": pa.array([20])},
        on_demand=[doubled],
        about=About.COLUMNS,
        full_feature_names=True,
    ),
    joins(
        "on-demand-keeps-the-order",
        "Its values stand beside the right rows, in the caller's order.",
        VIEWS,
        frame([1, 1, 1], hours(2, 0, 1)),
        ["stats:trips", "doubled:twice"],
        {"trips": [30, 10, 20], "twice": pa.array([60, 20, 40])},
        on_demand=[doubled],
        about=About.ORDER,
    ),
]
