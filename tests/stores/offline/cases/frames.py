"""The caller's frame comes back: its rows, in their order, with their columns."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd

from tests.stores.offline.calls import joins
from tests.stores.offline.case import About, Fails, view
from tests.stores.offline.made import ROW, frame, hours, rows, stats

TRIPS = ["stats:trips"]
STATS = [view("stats", stats())]
LARGE = 2**53 + 1

CASES = [
    joins(
        "rows-in-the-callers-order",
        "Rows come back in the order in which they were asked, not in that of time.",
        STATS,
        frame([1, 1, 1, 1], hours(2, 0, 3, 1)),
        TRIPS,
        {"trips": [30, 10, 30, 20]},
        about=About.ORDER,
    ),
    joins(
        "rows-in-the-callers-order-over-views",
        "So they do after several views.",
        [
            view("stats", stats([10, 20], (0, 0), [1, 2])),
            view("shops", rows(shop=["a", "b"], event_timestamp=hours(0, 0), sales=[5, 6]), keys=("shop",)),
        ],
        frame([2, 1, 2, 1], hours(4, 3, 2, 1), shop=["a", "b", "b", "a"]),
        [*TRIPS, "shops:sales"],
        {"trips": [20, 10, 20, 10], "sales": [5, 6, 6, 5]},
        about=About.ORDER,
    ),
    joins(
        "duplicate-rows",
        "Rows that are alike in everything all come back.",
        STATS,
        frame([1, 1, 1], hours(1, 1, 1)).drop(columns=ROW),
        TRIPS,
        {"trips": [20, 20, 20]},
    ),
    joins(
        "same-key-and-time",
        "Rows of one key and instant that differ elsewhere all come back.",
        STATS,
        frame([1, 1, 1], hours(1, 1, 2), label=["a", "b", "c"]),
        TRIPS,
        {"trips": [20, 20, 30]},
    ),
    joins(
        "same-key-and-time-over-views",
        "Also where only another view tells them apart.",
        [
            view("stats", stats([10, 20], (0, 0), [1, 2])),
            view("shops", rows(shop=["a", "b"], event_timestamp=hours(0, 0), sales=[5, 6]), keys=("shop",)),
        ],
        frame([1, 1], hours(1, 1), shop=["a", "b"]),
        [*TRIPS, "shops:sales"],
        {"trips": [10, 10], "sales": [5, 6]},
    ),
    joins(
        "index-out-of-order",
        "The frame's index does not matter.",
        STATS,
        frame([1, 1, 1], hours(2, 0, 1), index=[5, 3, 9]),
        TRIPS,
        {"trips": [30, 10, 20]},
        about=About.ORDER | About.COLUMNS,
    ),
    joins(
        "index-with-duplicates",
        "Nor do labels of the index that occur twice.",
        STATS,
        frame([1, 1, 1], hours(0, 1, 2), index=["a", "a", "b"]),
        TRIPS,
        {"trips": [10, 20, 30]},
    ),
    joins(
        "columns-in-the-callers-order",
        "The caller's columns come first, in their order, and nothing besides what was asked.",
        STATS,
        frame([1], hours(1), zebra=[1], apple=[2])[["zebra", "event_timestamp", ROW, "apple", "driver_id"]],
        TRIPS,
        {"trips": [20]},
        about=About.COLUMNS,
    ),
    joins(
        "empty-frame",
        "No rows are answered with none, and with all columns.",
        STATS,
        frame([1], hours(1)).iloc[:0],
        TRIPS,
        {"trips": []},
        about=About.COLUMNS,
    ),
    joins(
        "empty-frame-has-types",
        "The columns of an empty answer have the types that a full one has.",
        [view("stats", rows([1], hours(0), trips=[10], rating=[4.5], tags=[["a"]]))],
        frame([1], hours(1)).iloc[:0],
        [*TRIPS, "stats:rating", "stats:tags"],
        {"trips": [], "rating": [], "tags": []},
        about=About.TYPES,
    ),
    joins(
        "categories-stay",
        "Categorical columns keep their values.",
        STATS,
        frame([1, 1], hours(1, 2), colour=pd.Categorical(["red", None], categories=["blue", "red"])),
        TRIPS,
        {"trips": [20, 30]},
        about=About.ENTITY,
    ),
    joins(
        "nullable-columns-stay",
        "pandas' nullable integers, booleans and strings keep type and missing values.",
        STATS,
        frame(
            [1, 1],
            hours(1, 2),
            number=pd.array([LARGE, None], "Int64"),
            flag=pd.array([True, None], "boolean"),
            word=pd.array(["x", None], "string"),
        ),
        TRIPS,
        {"trips": [20, 30]},
        about=About.ENTITY,
    ),
    joins(
        "narrow-columns-stay",
        "Narrow numbers stay narrow.",
        STATS,
        frame([1], hours(1), small=np.array([7], np.int8), half=np.array([0.5], np.float32)),
        TRIPS,
        {"trips": [20]},
        about=About.ENTITY,
    ),
    joins(
        "large-integers-stay",
        "Integers beyond 2⁵³ stay exact, also beside a row without a value.",
        STATS,
        frame([1, 7], hours(1, 1), number=[LARGE, LARGE + 2]),
        TRIPS,
        {"trips": [20, None]},
        about=About.ENTITY,
    ),
    joins(
        "lists-and-decimals-stay",
        "Columns of lists, bytes and decimals come back.",
        STATS,
        frame([1, 1], hours(1, 2), words=[["a", "b"], []], raw=[b"\x00", b""], price=[Decimal("1.10"), Decimal("2.20")]),
        TRIPS,
        {"trips": [20, 30]},
        about=About.ENTITY,
    ),
    joins(
        "another-instant-in-the-frame-stays",
        "A second column of instants beside `event_timestamp` comes back.",
        STATS,
        frame([1], hours(1), labelled_at=hours(5)),
        TRIPS,
        {"trips": [20]},
        about=About.ENTITY,
    ),
    joins(
        "time-under-another-name",
        "Without `event_timestamp` the only column of instants is the asked one.",
        STATS,
        frame([1], asked_at=hours(1)),
        TRIPS,
        {"trips": [20]},
    ),
    joins(
        "two-times-and-neither-by-name",
        "With two, it is an error which tells what is missing.",
        STATS,
        frame([1], asked_at=hours(1), labelled_at=hours(2)),
        TRIPS,
        Fails(("event_timestamp",)),
    ),
    joins(
        "no-time-at-all",
        "So it is with none.",
        STATS,
        frame([1]),
        TRIPS,
        Fails(("event_timestamp",)),
    ),
    joins(
        "row-without-a-time",
        "A row that does not say when it is asked is an error which tells the column.",
        STATS,
        frame([1, 1], pd.to_datetime([hours(1)[0], None], utc=True)),
        TRIPS,
        Fails(("event_timestamp",)),
    ),
]
