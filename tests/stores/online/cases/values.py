"""Values: each of Feast's types comes back as it was written, and a null is told from an unknown key."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal as Number
from typing import Any
from uuid import UUID

from feast.types import (
    Array,
    Bool,
    Bytes,
    Decimal,
    Float32,
    Float64,
    Int32,
    Int64,
    Json,
    Map,
    Set,
    String,
    Struct,
    TimeUuid,
    UnixTimestamp,
    Uuid,
)

from tests.stores.online.case import MONDAY, Case, drivers, row
from tests.stores.online.steps import Apply, Ask, File, Materialize, Read, Write
from tests.stores.online.views import View

ONE, OTHER = UUID("6f1c6b3e-8a53-4f0a-9d3b-7f2f3f1f0c11"), UUID("e5a0cf7a-0000-11ee-8c99-0242ac120002")


def _written(kinds: dict[str, Any], values: dict[str, Any], answer: dict[str, Any] | None = None) -> tuple[Any, ...]:
    """Declare a view of these types, write the values, and expect them, or what Feast makes of them, back."""
    expected = {name: [value] for name, value in {**values, **(answer or {})}.items()}
    asked = Ask(drivers(1), expected, features=[f"trips:{name}" for name in kinds])
    return Apply([View(features=kinds)]), Write("trips", [row(1, **values)]), asked


TEXT = "žluťoučký kůň — 日本語 — 👩\u200d👩\u200d👧 — \u202e"
EVERY_KIND: dict[str, Any] = {
    "i32": Int32,
    "i64": Int64,
    "f32": Float32,
    "f64": Float64,
    "flag": Bool,
    "text": String,
    "raw": Bytes,
    "many_f32": Array(Float32),
    "many_i64": Array(Int64),
    "many_text": Array(String),
}
EVERY_VALUE: dict[str, Any] = {
    "i32": -7,
    "i64": 2**53 + 1,
    "f32": 0.5,
    "f64": 0.1,
    "flag": False,
    "text": TEXT,
    "raw": b"\x00\xff",
    "many_f32": [0.5, -1.25],
    "many_i64": [2**53 + 1, 0],
    "many_text": ["", "b"],
}

NULLS = (
    Case(
        "unknown-key",
        "A key that was never written is null and NOT_FOUND",
        Apply([View()]),
        Write("trips", [row(1, a=1.0)]),
        Ask(drivers(1, 2), {"a": [1.0, None]}, status={"a": ["PRESENT", "NOT_FOUND"]}, at={"a": [MONDAY, None]}),
    ),
    Case(
        "never-written-view",
        "A view into which nothing was written is NOT_FOUND for every key",
        Apply([View()]),
        Ask(drivers(1, 2), {"a": [None, None]}, status={"a": ["NOT_FOUND", "NOT_FOUND"]}),
    ),
    Case(
        "null-value",
        "A null that was written is null and NULL_VALUE, the other features of the row PRESENT",
        Apply([View(features={"a": Float64, "b": Float64})]),
        Write("trips", [row(1, a=None, b=1.0)]),
        Ask(
            drivers(1),
            {"a": [None], "b": [1.0]},
            status={"a": ["NULL_VALUE"], "b": ["PRESENT"]},
            features=["trips:a", "trips:b"],
        ),
    ),
    Case(
        "row-of-nulls",
        "A row whose values are all null is known: NULL_VALUE, with its event, not NOT_FOUND",
        Apply([View()]),
        Write("trips", [row(1, a=None)]),
        Ask(drivers(1), {"a": [None]}, status={"a": ["NULL_VALUE"]}, at={"a": [MONDAY]}),
    ),
    Case(
        "null-list",
        "A null list is null and NULL_VALUE",
        Apply([View(features={"a": Array(Float32), "b": Float64})]),
        Write("trips", [row(1, a=None, b=1.0)]),
        Ask(drivers(1), {"a": [None]}, status={"a": ["NULL_VALUE"]}),
    ),
    Case(
        "empty-list",
        "An empty list is an empty list and PRESENT",
        Apply([View(features={"a": Array(Float32), "b": Float64})]),
        Write("trips", [row(1, a=[], b=1.0)]),
        Ask(drivers(1), {"a": [[]]}, status={"a": ["PRESENT"]}),
    ),
    Case(
        "empty-text-is-no-null",
        "An empty string is PRESENT",
        Apply([View(features={"a": String})]),
        Write("trips", [row(1, a="")]),
        Ask(drivers(1), {"a": [""]}, status={"a": ["PRESENT"]}),
    ),
    Case(
        "zero-is-no-null",
        "Zero and False are PRESENT",
        Apply([View(features={"a": Int64, "b": Bool, "c": Float32})]),
        Write("trips", [row(1, a=0, b=False, c=0.0)]),
        Ask(
            drivers(1),
            {"a": [0], "b": [False], "c": [0.0]},
            status={"a": ["PRESENT"], "b": ["PRESENT"], "c": ["PRESENT"]},
            features=["trips:a", "trips:b", "trips:c"],
        ),
    ),
)

TYPES = (
    Case(
        "types-integers",
        "Int32 and Int64 to their ends",
        *_written(
            {"small": Int32, "least": Int32, "large": Int64, "lowest": Int64},
            {"small": 2**31 - 1, "least": -(2**31), "large": 2**63 - 1, "lowest": -(2**63)},
        ),
    ),
    Case(
        "types-floats",
        "Float32 and Float64 with the infinities, the negative zero and the smallest number",
        *_written(
            {"single": Float32, "up": Float64, "down": Float32, "zero": Float64, "tiny": Float64},
            {"single": 0.5, "up": math.inf, "down": -math.inf, "zero": -0.0, "tiny": 5e-324},
        ),
    ),
    Case("types-bool", "Bool", *_written({"yes": Bool, "no": Bool}, {"yes": True, "no": False})),
    Case(
        "types-text",
        "String of any script, with a NUL and a line's end, and a long one",
        *_written({"text": String, "odd": String, "long": String}, {"text": TEXT, "odd": "a\x00b\r\n'\"", "long": "x" * 100_000}),
    ),
    Case("types-bytes", "Bytes, all of them", *_written({"raw": Bytes}, {"raw": bytes(range(256))})),
    Case(
        "types-timestamp",
        "UnixTimestamp, which Feast keeps to the second",
        *_written(
            {"when": UnixTimestamp, "early": UnixTimestamp},
            {"when": MONDAY, "early": datetime(1965, 5, 1, tzinfo=MONDAY.tzinfo)},
        ),
    ),
    Case(
        "types-uuid-decimal",
        "Uuid, TimeUuid and Decimal",
        *_written(
            {"one": Uuid, "other": TimeUuid, "price": Decimal},
            {"one": ONE, "other": OTHER, "price": Number("12345678901234567890.12")},
        ),
    ),
    Case(
        "types-lists-of-numbers",
        "Lists of Int32, Int64, Float32, Float64 and Bool",
        *_written(
            {"i": Array(Int32), "l": Array(Int64), "f": Array(Float32), "d": Array(Float64), "b": Array(Bool)},
            {"i": [1, -2], "l": [2**62], "f": [0.5, math.nan], "d": [0.1, math.inf], "b": [True, False]},
        ),
    ),
    Case(
        "types-lists-of-texts",
        "Lists of String, Bytes and UnixTimestamp",
        *_written(
            {"s": Array(String), "b": Array(Bytes), "t": Array(UnixTimestamp)},
            {"s": ["", "ž"], "b": [b"", b"\x00"], "t": [MONDAY, MONDAY]},
        ),
    ),
    Case(
        "types-lists-of-lists",
        "Lists of lists",
        *_written({"n": Array(Array(Int64))}, {"n": [[1, 2], [3]]}),
    ),
    Case(
        "types-sets",
        "Sets of Int64 and String",
        *_written({"n": Set(Int64), "s": Set(String)}, {"n": {3, 1}, "s": {"a", "b"}}),
    ),
    Case(
        "types-maps",
        "Map, Json, which Feast answers parsed, and Struct",
        *_written(
            {"m": Map, "j": Json, "s": Struct({"x": Int64, "y": String})},
            {"m": {"a": "1", "b": "2"}, "j": '{"a": [1, null]}', "s": {"x": 1, "y": "z"}},
            {"j": {"a": [1, None]}},
        ),
    ),
    Case(
        "types-materialized",
        "What a Parquet file holds is answered unchanged after materialisation",
        Apply([View(features=EVERY_KIND)]),
        File("trips", [row(1, **EVERY_VALUE)]),
        Materialize(["trips"]),
        Ask(
            drivers(1), {name: [value] for name, value in EVERY_VALUE.items()}, features=[f"trips:{name}" for name in EVERY_KIND]
        ),
    ),
    Case(
        "nulls-materialized",
        "Nulls in a Parquet file's columns are nulls after materialisation, and do not round the integers beside them",
        Apply([View(features=EVERY_KIND)]),
        File("trips", [row(1, **EVERY_VALUE), row(2, **dict.fromkeys(EVERY_KIND))]),
        Materialize(["trips"]),
        Ask(
            drivers(1, 2),
            {name: [value, None] for name, value in EVERY_VALUE.items()},
            features=[f"trips:{name}" for name in EVERY_KIND],
        ),
    ),
    Case(
        "float32-is-not-widened",
        "A Float32 comes back in Feast's 32-bit field, as the seam answers it",
        Apply([View(features={"a": Float32, "b": Int32})]),
        Write("trips", [row(1, a=0.25, b=3)]),
        Read(drivers(1), [{"a": 0.25, "b": 3}], features=["a", "b"]),
    ),
)

CASES = (*NULLS, *TYPES)
