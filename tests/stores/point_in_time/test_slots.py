"""The kernel of the join against a loop over all pairs; lookups against dictionaries."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watertight.core.errors import Misuse
from watertight.stores.point_in_time.keys import Keys
from watertight.stores.point_in_time.lookup import BytesLookup, ByteStrings, LongLookup
from watertight.stores.point_in_time.slots import LONG_AGO, Slots, labels_in_slots

instant = st.integers(-3, 6)
label = st.tuples(st.integers(-1, 2), instant)
row = st.tuples(st.integers(-1, 2), instant, st.one_of(st.just(LONG_AGO), instant))


def slow_winner(asked: tuple[int, int], rows: list[tuple[int, int, int]], ttl: int | None, written: bool) -> int:
    code, at = asked
    seen = [
        (event, created, number)
        for number, (key, event, created) in enumerate(rows)
        if key == code >= 0 and (max(event, created) if written else event) <= at
    ]
    if not seen:
        return -1
    event, _, number = max(seen)
    return number if ttl is None or event >= at - ttl else -1


@given(st.lists(label, max_size=12), st.lists(row, max_size=20), st.one_of(st.none(), st.integers(0, 5)), st.booleans())
@settings(max_examples=300, deadline=None)
def test_each_label_sees_what_a_loop_over_all_rows_finds(labels, rows, ttl, written) -> None:  # type: ignore[no-untyped-def]
    """Rows dropped in two halves, by two threads' slots, in any order."""
    codes = np.array([code for code, _ in labels], np.int32)
    slotted = labels_in_slots(codes, np.array([at for _, at in labels], np.int64), 3)
    halves = [Slots(slotted), Slots(slotted)]
    for half, first in ((0, len(rows) // 2), (1, 0)):
        part = rows[first:] if half == 0 else rows[: len(rows) // 2]
        keys, event, created = (np.array([values[place] for values in part], np.int64) for place in range(3))
        seen = np.maximum(event, created) if written else event
        halves[half].drop(keys.astype(np.int32), event, created, seen, first)
    halves[0].take(halves[1])
    found = np.full(len(labels), -1)
    found[slotted.order] = halves[0].winners(ttl)
    assert found.tolist() == [slow_winner(asked, rows, ttl, written) for asked in labels]


def test_an_event_of_long_ago_does_not_overflow_the_age() -> None:
    slotted = labels_in_slots(np.zeros(1, np.int32), np.array([2**62]), 1)
    slots = Slots(slotted)
    slots.drop(np.zeros(1, np.int32), np.array([-(2**62) * 2 + 5]), np.zeros(1, np.int64), np.array([-(2**62) * 2 + 5]), 0)
    assert slots.winners(10).tolist() == [-1]
    assert slots.winners(None).tolist() == [0]
    ancient = Slots(labels_in_slots(np.zeros(1, np.int32), np.array([-(2**63) + 3]), 1))
    ancient.drop(np.zeros(1, np.int32), np.array([-(2**63) + 2]), np.zeros(1, np.int64), np.array([-(2**63) + 2]), 0)
    assert ancient.winners(10).tolist() == [0]


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=40), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40)
)
@settings(max_examples=100, deadline=None)
def test_codes_of_numbers(labels: list[int], others: list[int]) -> None:
    known = np.array([place % 5 != 3 for place in range(len(labels))])
    lookup = LongLookup(np.array(labels, np.int64), known)
    codes: dict[int, int] = {}
    for key, there in zip(labels, known):
        if there:
            codes.setdefault(key, len(codes))
    asked = [*others, *labels, *labels[:3]]
    assert lookup.count == len(codes)
    assert lookup.codes.tolist() == [codes[key] if there else -1 for key, there in zip(labels, known)]
    assert lookup.of(np.array(asked, np.int64), np.ones(len(asked), bool)).tolist() == [codes.get(key, -1) for key in asked]


def strings(values: list[bytes]) -> ByteStrings:
    offsets = np.cumsum([0, *map(len, values)]).astype(np.int64)
    return ByteStrings(np.frombuffer(b"".join(values), np.uint8), offsets)


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=40), st.lists(st.binary(max_size=4), max_size=40))
@settings(max_examples=100, deadline=None)
def test_codes_of_strings(labels: list[bytes], others: list[bytes]) -> None:
    lookup = BytesLookup(strings(labels), np.ones(len(labels), bool))
    codes: dict[bytes, int] = {}
    for key in labels:
        codes.setdefault(key, len(codes))
    asked = [*others, *labels, *labels[:3]]
    assert lookup.codes.tolist() == [codes[key] for key in labels]
    assert lookup.of(strings(asked), np.ones(len(asked), bool)).tolist() == [codes.get(key, -1) for key in asked]


def chunked(values: list[object], kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, kind)])


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        (chunked([1, 2, None], pa.int64()), chunked([2, 1, None], pa.int8())),
        (chunked([1.0, 2.0, None], pa.float64()), chunked([2, 1, None], pa.int32())),
        (chunked([1, 2, None], pa.int64()), chunked([2.0, 1.0, 1.5], pa.float32())),
        (chunked(["a", "b", None], pa.string()), chunked(["b", "a", ""], pa.large_string())),
        (chunked(["a", "b", None], pa.string()), chunked(["b", "a", None], pa.string()).dictionary_encode()),
        (chunked([b"a", b"b", None], pa.binary()), chunked([b"b", b"a", None], pa.large_binary())),
        (chunked([True, False, None], pa.bool_()), chunked([False, True, None], pa.bool_())),
        (chunked([2**64 - 1, 7, None], pa.uint64()), chunked([7, 2**64 - 1, None], pa.uint64())),
        (chunked([10**6, 0, None], pa.timestamp("us")), chunked([0, 1_000, None], pa.timestamp("ms"))),
    ],
)
def test_keys_of_kindred_types_are_equal(labels: pa.ChunkedArray, rows: pa.ChunkedArray) -> None:
    keys = Keys([labels], [rows.type], ["k"], 3)
    assert keys.codes.tolist() == [0, 1, -1]
    assert keys.of([rows], 3).tolist() == [1, 0, -1]


def test_a_column_of_nulls_joins_nothing() -> None:
    keys = Keys([chunked([None, None], pa.null())], [pa.string()], ["k"], 2)
    assert keys.codes.tolist() == [-1, -1]
    assert keys.of([chunked(["a", ""], pa.string())], 2).tolist() == [-1, -1]


def test_nanoseconds_of_a_key_count() -> None:
    keys = Keys([chunked([1_000, 2_000], pa.timestamp("ns"))], [pa.timestamp("ns")], ["k"], 2)
    assert keys.of([chunked([1_001, 2_000, 1_000], pa.timestamp("ns"))], 3).tolist() == [-1, 1, 0]


def test_a_great_unsigned_key_is_no_negative_one() -> None:
    keys = Keys([chunked([-1, 7], pa.int64())], [pa.uint64()], ["k"], 2)
    assert keys.of([chunked([2**64 - 1, 7], pa.uint64())], 2).tolist() == [-1, 1]


def test_floats_that_may_be_several_whole_numbers_are_refused() -> None:
    """What pandas makes of 2^53 + 1 beside a missing value."""
    with pytest.raises(Misuse, match="1 join key\\(s\\) are floats of 2\\^53 or more, the first is 9007199254740992"):
        Keys([chunked([1.0, float(2**53 + 1), None], pa.float64())], [pa.int64()], ["k"], 3)


def test_text_and_numbers_can_never_be_equal() -> None:
    with pytest.raises(Misuse, match="join key 'driver' is int64 in the entity rows and string in the source"):
        Keys([chunked([1], pa.int64())], [pa.string()], ["driver"], 1)


def test_parts_of_a_key_are_not_run_together() -> None:
    columns = [chunked(["a", "ab", "a"], pa.string()), chunked(["bc", "c", None], pa.string())]
    keys = Keys(columns, [pa.string(), pa.string()], ["x", "y"], 3)
    assert keys.codes.tolist() == [0, 1, -1]
    assert keys.of([chunked(["ab", "a", "a"], pa.string()), chunked(["bc", "bc", "c"], pa.string())], 3).tolist() == [-1, 0, -1]
