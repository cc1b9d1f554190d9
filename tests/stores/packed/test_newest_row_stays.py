"""Of each key the newest event stays, of equal events the newest created, of equal both the last written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pytest
from feast.protos.feast.types.Value_pb2 import Value
from feast.types import Float64
from hypothesis import given, settings
from hypothesis import strategies as st
from packed_store import NOON, A, Packed, item, numbers, timestamps, view_of

from watertight.core.errors import Misuse, Refusal
from watertight.stores.packed import from_arrow


class Written(NamedTuple):
    key: int
    event: datetime
    created: datetime | None
    value: float


def moment(number: int) -> datetime:
    return NOON + timedelta(microseconds=number)


ROWS = st.lists(
    st.builds(
        Written,
        st.integers(0, 3),
        st.integers(0, 3).map(moment),
        st.one_of(st.none(), st.integers(0, 2).map(moment)),
        st.floats(allow_nan=False),
    ),
    max_size=20,
)


def one_after_the_other(rows: Sequence[Written]) -> dict[int, tuple[datetime, float]]:
    """The rule, written out."""
    kept: dict[int, Written] = {}
    for row in rows:
        before = kept.get(row.key)
        oldest = datetime.min.replace(tzinfo=UTC)
        if before is None or (row.event, row.created or oldest) >= (before.event, before.created or oldest):
            kept[row.key] = row
    return {key: (row.event, row.value) for key, row in kept.items()}


def kept_in(packed: Packed) -> dict[int, tuple[datetime, float]]:
    read = packed.read(A, 0, 1, 2, 3)
    return {key: (event, values["a"].double_val) for key, (event, values) in enumerate(read) if values is not None}


def table(rows: Sequence[Written]) -> pa.Table:
    keys, events, created, values = zip(*rows) if rows else ((), (), (), ())
    return pa.table(
        {
            "item": pa.array(keys, pa.int64()),
            "a": pa.array(values, pa.float64()),
            "event_timestamp": timestamps(events),
            "created_timestamp": timestamps(created),
        }
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(ROWS, st.booleans()), max_size=4), st.integers(1, 7))
def test_in_whatever_parts_and_ways_rows_are_written(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[list[Written], bool]], step: int
) -> None:
    packed = Packed(tmp_path_factory.mktemp("newest"))
    packed.apply(A)
    for rows, by_arrow in parts:
        if by_arrow:
            for start in range(0, len(rows), step):
                packed.write_arrow(A, table(rows[start : start + step]))
        else:
            data = [(item(row.key), numbers(a=row.value), row.event, row.created) for row in rows]
            packed.store.online_write_batch(packed.config, A, data, None)
    assert kept_in(packed) == one_after_the_other([row for rows, _ in parts for row in rows])


def test_progress_is_told_of_every_row_once_batch_by_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_arrow, "BATCH_ROWS", 4)
    packed = Packed(tmp_path)
    packed.apply(A)
    rows = [Written(key % 3, moment(key), None, float(key)) for key in range(10)]
    assert packed.write_arrow(A, table(rows)) == [4, 4, 2]
    assert kept_in(packed) == one_after_the_other(rows)


def test_a_source_without_created_timestamps_is_written(tmp_path: Path) -> None:
    packed = Packed(tmp_path)
    packed.apply(A)
    rows = [Written(1, moment(1), None, 1.0), Written(1, moment(1), None, 2.0)]
    packed.write_arrow(A, table(rows).drop_columns("created_timestamp"))
    assert kept_in(packed) == {1: (moment(1), 2.0)}


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    packed = Packed(tmp_path)
    packed.apply(A)
    rows = [Written(key % 2, moment(key), moment(9 - key), float(key)) for key in range(8)]
    packed.write_arrow(A, table(rows))
    first = kept_in(packed)
    packed.write_arrow(A, table(rows[:3]))
    packed.write_arrow(A, table(rows))
    assert kept_in(packed) == first


def test_some_features_of_a_row_leave_the_others_as_they_are(tmp_path: Path) -> None:
    view, packed = view_of({"a": Float64, "b": Float64}), Packed(tmp_path)
    packed.apply(view)
    packed.write(view, 1, numbers(a=1, b=1), moment(1))
    packed.write(view, 1, numbers(a=2), moment(2))
    packed.write(view, 1, numbers(b=0), moment(0))
    packed.write(view, 2, numbers(b=5), moment(0))
    assert packed.read(view, 1, 2) == [(moment(2), numbers(a=2, b=1)), (moment(0), numbers(b=5))]


def test_a_row_has_one_event_also_where_it_was_written_in_parts(tmp_path: Path) -> None:
    """The limit that docs/online.md tells: a whole row between two parts is passed over, unless it is in their batch."""
    view = view_of({"a": Float64, "b": Float64})
    writes = [(numbers(a=1, b=1), moment(10)), (numbers(a=2), moment(20)), (numbers(a=3, b=3), moment(15))]
    apart, at_once = Packed(tmp_path / "apart"), Packed(tmp_path / "at_once")
    for values, event in writes:
        apart.write(view, 1, values, event)
    at_once.store.online_write_batch(at_once.config, view, [(item(1), values, event, None) for values, event in writes], None)
    assert apart.read(view, 1) == [(moment(20), numbers(a=2, b=1))]
    assert at_once.read(view, 1) == [(moment(20), numbers(a=2, b=3))]


def test_one_batch_may_hold_parts_of_one_row(tmp_path: Path) -> None:
    view, packed = view_of({"a": Float64, "b": Float64}), Packed(tmp_path)
    data = [(item(1), numbers(b=2), moment(2), None), (item(1), numbers(a=1, b=1), moment(1), None)]
    packed.store.online_write_batch(packed.config, view, data, None)
    assert packed.read(view, 1) == [(moment(2), numbers(a=1, b=2))]


@pytest.mark.parametrize(
    "event", [datetime(2026, 1, 2, 12, 0, 0, 1), datetime(2026, 1, 2, 17, 30, 0, 1, timezone(timedelta(hours=5.5)))]
)
def test_an_event_without_a_zone_is_utc_and_any_other_is_the_same_instant(tmp_path: Path, event: datetime) -> None:
    packed = Packed(tmp_path)
    packed.write(A, 1, numbers(a=1), event)
    assert packed.read(A, 1) == [(moment(1), numbers(a=1))]


@pytest.mark.parametrize("event", [datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), datetime(9999, 1, 1, tzinfo=UTC)])
def test_events_far_from_now_are_kept(tmp_path: Path, event: datetime) -> None:
    packed = Packed(tmp_path)
    packed.write(A, 1, numbers(a=1), event)
    assert packed.read(A, 1)[0][0] == event


def test_rows_without_an_event_or_a_key_are_refused_and_nothing_of_their_batch_is_written(tmp_path: Path) -> None:
    packed = Packed(tmp_path)
    packed.apply(A)
    rows = table([Written(1, moment(1), None, 1.0), Written(2, moment(1), None, 2.0)])
    for column, empty in (("event_timestamp", timestamps([moment(1), None])), ("item", pa.array([1, None], pa.int64()))):
        with pytest.raises(Refusal) as told:
            packed.write_arrow(A, rows.set_column(rows.column_names.index(column), column, empty))
        assert (told.value.column, told.value.count) == (column, 1)
    assert kept_in(packed) == {}
    with pytest.raises(Misuse, match="without its key"):
        packed.store.online_write_batch(
            packed.config, A, [(type(item(1))(join_keys=["item"], entity_values=[Value()]), {}, NOON, None)], None
        )


def test_a_missing_column_is_told_by_name(tmp_path: Path) -> None:
    packed = Packed(tmp_path)
    with pytest.raises(Misuse, match="lack 'a'") as told:
        packed.write_arrow(A, table([]).drop_columns("a"))
    assert told.value.column == "a" and "event_timestamp" in str(told.value)
