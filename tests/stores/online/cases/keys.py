"""Entities: keys of each type, of several columns, of none, and under another name."""

from __future__ import annotations

from typing import Any

from feast import FeatureService, ValueType
from feast.types import Float64

from tests.stores.online.case import Case, drivers, row
from tests.stores.online.steps import Apply, Ask, Read, Write
from tests.stores.online.views import View

ROUTE = View(keys={"start": ValueType.STRING, "end": ValueType.STRING})


def _keyed(kind: ValueType, *keys: Any, unknown: Any) -> tuple[Any, ...]:
    """Write a row for each key of a type, and ask for all of them and an unknown one, last first."""
    rows = [row(key, a=float(place)) for place, key in enumerate(keys)]
    asked = [unknown, *reversed(keys)]
    expected = [None, *(float(place) for place in reversed(range(len(keys))))]
    return Apply([View(keys={"driver": kind})]), Write("trips", rows), Ask(drivers(*asked), {"a": expected})


def _two_names(views: dict[str, Any]) -> list[Any]:
    start = views["trips"].with_name("at_start").with_join_key_map({"driver": "first"})
    end = views["trips"].with_name("at_end").with_join_key_map({"driver": "second"})
    return [FeatureService(name="pair", features=[start, end])]


CASES = (
    Case(
        "keys-int64",
        "Int64 keys, negative ones and the largest among them",
        *_keyed(ValueType.INT64, 0, 1, -1, 2**63 - 1, -(2**63), unknown=2),
    ),
    Case("keys-int32", "Int32 keys", *_keyed(ValueType.INT32, 0, 1, -1, 2**31 - 1, unknown=2)),
    Case(
        "keys-string",
        "String keys: case, spaces, the empty one and quotes tell them apart",
        *_keyed(ValueType.STRING, "a", "A", "a ", "", "a'b\"c", "x" * 1000, unknown="b"),
    ),
    Case(
        "keys-unicode",
        "String keys of any script; composed and decomposed letters are different keys",
        *_keyed(ValueType.STRING, "ž", "z\u030c", "日本", "👩‍👧", unknown="z"),
    ),
    Case(
        "keys-bytes",
        "Bytes keys, with a NUL and with what is no UTF-8",
        *_keyed(ValueType.BYTES, b"a", b"a\x00", b"\xff\xfe", b"\x00", unknown=b""),
    ),
    Case(
        "composite-keys",
        "Two join keys make the entity: the way back is another entity",
        Apply([ROUTE]),
        Write("trips", [row({"start": "x", "end": "y"}, a=1.0), row({"start": "y", "end": "x"}, a=2.0)]),
        Ask(
            [{"start": "y", "end": "x"}, {"start": "x", "end": "y"}, {"start": "x", "end": "x"}],
            {"a": [2.0, 1.0, None]},
        ),
    ),
    Case(
        "composite-key-order",
        "The order in which a row or a request names its join keys does not matter",
        Apply([ROUTE]),
        Write("trips", [row({"end": "y", "start": "x"}, a=1.0)]),
        Ask([{"start": "x", "end": "y"}], {"a": [1.0]}),
        Ask([{"end": "y", "start": "x"}], {"a": [1.0]}),
    ),
    Case(
        "composite-keys-do-not-run-together",
        "Keys whose parts, put end to end, are equal are different keys",
        Apply([ROUTE]),
        Write("trips", [row({"start": "ab", "end": "c"}, a=1.0), row({"start": "a", "end": "bc"}, a=2.0)]),
        Ask([{"start": "a", "end": "bc"}, {"start": "ab", "end": "c"}, {"start": "abc", "end": ""}], {"a": [2.0, 1.0, None]}),
    ),
    Case(
        "composite-keys-of-two-types",
        "An Int64 and a String make one key",
        Apply([View(keys={"driver": ValueType.INT64, "city": ValueType.STRING})]),
        Write("trips", [row({"driver": 1, "city": "a"}, a=1.0), row({"driver": 2, "city": "a"}, a=2.0)]),
        Ask([{"driver": 2, "city": "a"}, {"driver": 1, "city": "a"}, {"driver": 1, "city": "b"}], {"a": [2.0, 1.0, None]}),
    ),
    Case(
        "entity-less-view",
        "A view without entities has one row, which every request sees",
        Apply([View(keys={}), View("own", features={"b": Float64})]),
        Write("trips", [row({}, a=1.0)]),
        Write("own", [row(1, b=2.0)]),
        Ask(drivers(1, 2), {"a": [1.0, 1.0], "b": [2.0, None]}, features=["trips:a", "own:b"]),
    ),
    Case(
        "join-key-alias",
        "One view served twice, under two names and two join keys, answers each by its own key",
        Apply([View()], _two_names),
        Write("trips", [row(1, a=1.0), row(2, a=2.0)]),
        Ask(
            [{"first": 1, "second": 2}, {"first": 2, "second": 2}, {"first": 3, "second": 1}],
            {"at_start__a": [1.0, 2.0, None], "at_end__a": [2.0, 2.0, 1.0]},
            features="pair",
            full_names=True,
        ),
    ),
    Case(
        "equal-keys-of-two-entities",
        "The same number as a key of two entities is two keys",
        Apply([View(), View("cars", keys={"car": ValueType.INT64}, features={"b": Float64})]),
        Write("trips", [row(1, a=1.0)]),
        Write("cars", [row({"car": 2}, b=2.0)]),
        Ask(
            [{"driver": 1, "car": 1}, {"driver": 2, "car": 2}],
            {"a": [1.0, None], "b": [None, 2.0]},
            features=["trips:a", "cars:b"],
        ),
    ),
    Case(
        "seam-keeps-the-order-of-keys",
        "online_read answers each key in its place, a repeated one twice",
        Apply([View()]),
        Write("trips", [row(key, a=float(key)) for key in range(5)]),
        Read(drivers(4, 0, 9, 4, 2), [{"a": 4.0}, {"a": 0.0}, None, {"a": 4.0}, {"a": 2.0}]),
    ),
)
