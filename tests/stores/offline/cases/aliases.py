"""One view under several names, joined on other columns."""

from __future__ import annotations

from datetime import timedelta

from tests.stores.offline.calls import joins
from tests.stores.offline.case import About, Use, view
from tests.stores.offline.made import frame, hours, rows

WEATHER = view("weather", rows(place=["a", "b", "a"], event_timestamp=hours(0, 0, 1), rain=[1, 2, 3]), keys=("place",))
ORIGIN = Use("weather", ("rain",), "origin", {"place": "origin_place"})
TARGET = Use("weather", ("rain",), "target", {"place": "target_place"})
PAIRS = view("pairs", rows(place=["a", "a"], day=["mon", "tue"], event_timestamp=hours(0, 0), rain=[1, 2]), keys=("place", "day"))
FULL = {"full_feature_names": True}

CASES = [
    joins(
        "join-key-map",
        "A view is joined on the column that a join-key map names.",
        [WEATHER],
        frame(origin_place=["b", "a"], event_timestamp=hours(0.5, 1)),
        None,
        {"origin__rain": [2, 3]},
        service=[ORIGIN],
        **FULL,
    ),
    joins(
        "two-aliases-at-once",
        "A view is joined twice, under two aliases and on two columns.",
        [WEATHER],
        frame(origin_place=["a", "b"], target_place=["b", "a"], event_timestamp=hours(0.5, 1)),
        None,
        {"origin__rain": [1, 2], "target__rain": [2, 3]},
        service=[ORIGIN, TARGET],
        origin="test_universal_historical_retrieval.py::test_historical_features_main",
        **FULL,
    ),
    joins(
        "alias-beside-the-view-itself",
        "And a third time under its own name and key.",
        [WEATHER],
        frame(place=["a", "b"], origin_place=["b", "a"], event_timestamp=hours(0.5, 1)),
        None,
        {"weather__rain": [1, 2], "origin__rain": [2, 3]},
        service=[Use("weather", ("rain",), "weather"), ORIGIN],
        **FULL,
    ),
    joins(
        "aliases-with-null-keys",
        "A key that is missing under one alias does not hurt the other.",
        [WEATHER],
        frame(origin_place=["a", None], target_place=[None, "b"], event_timestamp=hours(0.5, 0.5)),
        None,
        {"origin__rain": [1, None], "target__rain": [None, 2]},
        service=[ORIGIN, TARGET],
        **FULL,
    ),
    joins(
        "key-map-of-one-part",
        "Of a composite key, one part may be mapped and the other keep its name.",
        [PAIRS],
        frame(origin_place=["a", "a"], day=["tue", "mon"], event_timestamp=hours(1, 1)),
        None,
        {"origin__rain": [2, 1]},
        service=[Use("pairs", ("rain",), "origin", {"place": "origin_place"})],
        **FULL,
    ),
    joins(
        "key-map-that-swaps",
        "A map may swap two columns of the frame.",
        [view("ways", rows(a=["x", "y"], b=["y", "x"], event_timestamp=hours(0, 0), km=[1, 2]), keys=("a", "b"))],
        frame(a=["x", "y"], b=["y", "x"], event_timestamp=hours(1, 1)),
        None,
        {"back__km": [2, 1]},
        service=[Use("ways", ("km",), "back", {"a": "b", "b": "a"})],
        **FULL,
    ),
    joins(
        "alias-without-key-map",
        "A view under an alias and its own key bears the alias in full names.",
        [WEATHER],
        frame(place=["a"], event_timestamp=hours(0.5)),
        None,
        {"here__rain": [1]},
        service=[Use("weather", ("rain",), "here")],
        **FULL,
    ),
    joins(
        "join-key-map-with-short-names",
        "One alias needs no full names.",
        [WEATHER],
        frame(origin_place=["b"], event_timestamp=hours(0.5)),
        None,
        {"rain": [2]},
        service=[ORIGIN],
    ),
    joins(
        "aliases-and-ttl",
        "Each alias has the time to live of its view.",
        [view("weather", WEATHER.source.rows, keys=("place",), ttl=timedelta(hours=2))],
        frame(origin_place=["a", "a"], target_place=["b", "b"], event_timestamp=hours(2, 3)),
        None,
        {"origin__rain": [3, 3], "target__rain": [2, None]},
        service=[ORIGIN, TARGET],
        **FULL,
    ),
    joins(
        "aliases-in-the-order-of-the-service",
        "Features stand in the order of the service.",
        [WEATHER],
        frame(origin_place=["a"], target_place=["b"], event_timestamp=hours(0.5)),
        None,
        {"target__rain": [2], "origin__rain": [1]},
        service=[TARGET, ORIGIN],
        about=About.COLUMNS,
        **FULL,
    ),
]
