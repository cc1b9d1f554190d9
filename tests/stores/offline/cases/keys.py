"""By what a row is joined."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from tests.stores.offline.calls import joins
from tests.stores.offline.case import Fails, view
from tests.stores.offline.made import CREATED, frame, hour, hours, rows, stats

TRIPS = ["stats:trips"]
LARGE = 2**53
TWO = stats([10, 20], (0, 0), [1, 2])
PLACES = rows(region=["1", "11", "1"], shop=["11", "1", "1"], event_timestamp=hours(0, 0, 0), trips=[10, 20, 30])
HALF_NULL = rows(region=["a", None, "a"], shop=["x", "x", None], event_timestamp=hours(0, 0, 0), trips=[10, 20, 30])
BOTH = ("region", "shop")

CASES = [
    joins(
        "string-keys",
        "Keys may be strings; the empty string is one.",
        [view("stats", stats([10, 20, 30], (0, 0, 0), ["ana", "ben", ""]))],
        frame(["ben", "", "ana"], hours(1, 1, 1)),
        TRIPS,
        {"trips": [20, 30, 10]},
    ),
    joins(
        "composite-keys",
        "All parts of a key must agree, and parts are not run together.",
        [view("stats", PLACES, keys=BOTH)],
        frame(region=["1", "11", "1"], shop=["1", "1", "11"], event_timestamp=hours(1, 1, 1)),
        TRIPS,
        {"trips": [30, 20, 10]},
    ),
    joins(
        "composite-keys-of-two-types",
        "The parts of a key may differ in type.",
        [view("stats", rows([1, 1], hours(0, 0), shop=["a", "b"], trips=[10, 20]), keys=("driver_id", "shop"))],
        frame([1, 1], hours(1, 1), shop=["b", "a"]),
        TRIPS,
        {"trips": [20, 10]},
    ),
    joins(
        "null-key-joins-nothing",
        "A row without a key has nulls, even where the source has rows without one.",
        [view("stats", stats([10, 99], (0, 0), ["ana", None]))],
        frame(["ana", None], hours(1, 1)),
        TRIPS,
        {"trips": [10, None]},
    ),
    joins(
        "null-part-joins-nothing",
        "Nor does a composite key of which one part is missing.",
        [view("stats", HALF_NULL, keys=BOTH)],
        frame(region=["a", None, "a"], shop=["x", "x", None], event_timestamp=hours(1, 1, 1)),
        TRIPS,
        {"trips": [10, None, None]},
    ),
    joins(
        "null-keys-in-the-source",
        "Rows of the source without a key disturb nothing.",
        [view("stats", stats([10, 99, 98], (0, 0, 0.5), pa.array([1, None, None])))],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [10]},
    ),
    joins(
        "key-narrower-in-the-frame",
        "An int32 key in the frame meets int64 keys.",
        [view("stats", TWO)],
        frame(np.array([2, 1], np.int32), hours(1, 1)),
        TRIPS,
        {"trips": [20, 10]},
    ),
    joins(
        "key-narrower-in-the-source",
        "An int64 key in the frame meets int16 keys.",
        [view("stats", stats([10, 20], (0, 0), pa.array([1, 2], pa.int16())))],
        frame([2, 1], hours(1, 1)),
        TRIPS,
        {"trips": [20, 10]},
    ),
    joins(
        "key-unsigned-in-the-source",
        "An int64 key in the frame meets uint32 keys.",
        [view("stats", stats([10, 20], (0, 0), pa.array([1, 2], pa.uint32())))],
        frame([2, 1], hours(1, 1)),
        TRIPS,
        {"trips": [20, 10]},
    ),
    joins(
        "key-out-of-the-narrower-range",
        "A key that the source's narrower type cannot hold is an unknown one.",
        [view("stats", stats([10, 20], (0, 0), pa.array([1, 2], pa.int16())))],
        frame([2**16 + 1, 1], hours(1, 1)),
        TRIPS,
        {"trips": [None, 10]},
    ),
    joins(
        "keys-beyond-2-to-the-53",
        "Large keys are compared exactly, a missing one among them or not.",
        [view("stats", stats([10, 20], (0, 0), [LARGE, LARGE + 1]))],
        frame(pd.array([LARGE + 1, None, LARGE], "Int64"), hours(1, 1, 1)),
        TRIPS,
        {"trips": [20, None, 10]},
    ),
    joins(
        "nullable-integer-keys",
        "A key may be pandas' nullable integer.",
        [view("stats", TWO)],
        frame(pd.array([2, 1], "Int64"), hours(1, 1)),
        TRIPS,
        {"trips": [20, 10]},
    ),
    joins(
        "whole-floats-as-keys",
        "Integers that pandas turned into floats because one is missing still find their rows.",
        [view("stats", TWO)],
        frame([2.0, None, 1.0], hours(1, 1, 1)),
        TRIPS,
        {"trips": [20, None, 10]},
    ),
    joins(
        "categorical-keys",
        "A key may be categorical.",
        [view("stats", stats([10, 20], (0, 0), ["ana", "ben"]))],
        frame(pd.Categorical(["ben", "ana", "ben"]), hours(1, 1, 2)),
        TRIPS,
        {"trips": [20, 10, 20]},
    ),
    joins(
        "dictionary-keys-in-the-source",
        "A source's keys may be dictionary-encoded.",
        [view("stats", stats([10, 20], (0, 0), pa.array(["ana", "ben"]).dictionary_encode()))],
        frame(["ben", "ana"], hours(1, 1)),
        TRIPS,
        {"trips": [20, 10]},
    ),
    joins(
        "keys-of-another-kind",
        "String keys asked of a source with integer keys would find nothing: that is an error which tells the column.",
        [view("stats", TWO)],
        frame(["1", "2"], hours(1, 1)),
        TRIPS,
        Fails(("driver_id",)),
    ),
    joins(
        "key-is-missing",
        "A frame without a join key is an error which tells it.",
        [view("stats", TWO)],
        frame(event_timestamp=hours(1, 1)),
        TRIPS,
        Fails(("driver_id",)),
    ),
    joins(
        "view-without-keys",
        "A view without entities has one history, which every row sees.",
        [view("weather", rows(event_timestamp=hours(0, 1), rain=[0.5, 1.5]), keys=())],
        frame([1, 2, 1], hours(0.5, 1, 2)),
        ["weather:rain"],
        {"rain": [0.5, 1.5, 1.5]},
    ),
    joins(
        "view-without-keys-beside-another",
        "A view without entities is joined beside one with a key.",
        [view("stats", TWO), view("weather", rows(event_timestamp=hours(0, 1), rain=[0.5, 1.5]), keys=())],
        frame([1, 2], hours(0.5, 1)),
        [*TRIPS, "weather:rain"],
        {"trips": [10, 20], "rain": [0.5, 1.5]},
    ),
    joins(
        "view-without-keys-has-no-value-yet",
        "Where it has no value yet the row stays.",
        [view("weather", rows(event_timestamp=hours(0, 1), rain=[0.5, 1.5]), keys=())],
        frame([1, 2], hours(-1, 0)),
        ["weather:rain"],
        {"rain": [None, 0.5]},
    ),
    joins(
        "view-without-keys-and-ties",
        "Its ties go to the row created last.",
        [view("weather", rows(event_timestamp=[hour(0)] * 2, rain=[1.5, 0.5], created=hours(2, 1)), keys=(), created=CREATED)],
        frame([1], hours(1)),
        ["weather:rain"],
        {"rain": [1.5]},
    ),
]
