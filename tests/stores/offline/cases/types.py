"""Values come back as they lie in the file."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from tests.stores.offline.calls import joins
from tests.stores.offline.case import About, Case, view
from tests.stores.offline.made import frame, hours, rows

NAN = float("nan")
LARGE = 2**53 + 1


def comes_back(what: str, behaviour: str, values: pa.Array, about: About = About.TYPES) -> Case:
    """A feature of some type: its first two values are asked, and that of a key which has none."""
    table = rows(list(range(len(values))), hours(*[0] * len(values)), value=values)
    expected = pa.concat_arrays([values.slice(0, 2), pa.nulls(1, values.type)]) if not _encoded(values) else _decoded(values)
    asked = frame([0, 1, 9], hours(1, 1, 1))
    return joins(what, behaviour, [view("stats", table)], asked, ["stats:value"], {"value": expected}, about=about)


def _encoded(values: Any) -> bool:
    return isinstance(values, pa.DictionaryArray)


def _decoded(values: pa.DictionaryArray) -> pa.Array:
    plain = values.dictionary_decode()
    return pa.concat_arrays([plain.slice(0, 2), pa.nulls(1, plain.type)])


CASES = [
    comes_back(
        "embeddings",
        "An embedding is a list of float32, also beside a row without one.",
        pa.array([[0.5, 1.5, -2.0], [0.25, 0.0, 1.0]], pa.list_(pa.float32())),
    ),
    comes_back(
        "embeddings-of-fixed-size",
        "A list of fixed size stays one.",
        pa.array([[0.5, 1.5], [0.25, 0.0]], pa.list_(pa.float32(), 2)),
    ),
    comes_back(
        "lists-with-gaps",
        "Lists may be empty, missing, or hold missing values.",
        pa.array([[1, None, 3], []], pa.list_(pa.int64())),
    ),
    comes_back("lists-of-strings", "Lists may hold strings.", pa.array([["a", ""], ["ß"]])),
    comes_back(
        "integers-beyond-2-to-the-53",
        "Large integers are exact beside a row without a value.",
        pa.array([LARGE, -LARGE]),
        About.VALUES,
    ),
    comes_back("integers-stay-integers", "An integer column with a missing value stays one.", pa.array([1, 2])),
    comes_back("narrow-integers", "int8 stays int8.", pa.array([1, -2], pa.int8())),
    comes_back("unsigned-integers", "uint64 stays uint64.", pa.array([2**63, 1], pa.uint64())),
    comes_back("float32", "float32 stays float32.", pa.array([0.1, 2.5], pa.float32())),
    comes_back("nan-is-not-null", "NaN stays NaN, and null stays null.", pa.array([NAN, None], pa.float64())),
    comes_back("booleans", "A boolean column with a missing value stays one.", pa.array([True, False])),
    comes_back("strings", "The empty string is not null.", pa.array(["", None], pa.string()), About.TYPES),
    comes_back("dictionary-strings", "Dictionary-encoded strings come back.", pa.array(["x", "y"]).dictionary_encode()),
    comes_back("binary", "Bytes come back, zeros included.", pa.array([b"\x00\xff\x00", b""])),
    comes_back(
        "decimals", "Decimals are exact.", pa.array([Decimal("1.10"), Decimal("-12345678901234567.89")], pa.decimal128(19, 2))
    ),
    comes_back("dates", "A date stays a date.", pa.array([date(2024, 3, 1), date(1815, 6, 18)])),
    comes_back(
        "instants-with-a-zone",
        "An instant as a feature keeps unit and zone.",
        pa.array([datetime(2024, 3, 1, 1, 2, 3, 4, UTC), datetime(1900, 1, 1, tzinfo=UTC)], pa.timestamp("us", "UTC")),
    ),
    comes_back(
        "instants-without-a-zone",
        "An instant without a zone gets none.",
        pa.array([datetime(2024, 3, 1, 1, 2, 3, 4), datetime(1900, 1, 1)], pa.timestamp("us")),
    ),
    comes_back(
        "structs",
        "A struct comes back with its fields.",
        pa.array([{"a": 1, "b": "x"}, {"a": None, "b": "y"}], pa.struct([("a", pa.int64()), ("b", pa.string())])),
    ),
    comes_back("nothing-but-nulls", "A column without any value keeps its type.", pa.array([None, None], pa.int64())),
]
