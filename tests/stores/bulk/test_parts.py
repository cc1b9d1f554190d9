"""Batches, times and counts on their way into an online store."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watertight.core.errors import Refusal
from watertight.progress import counted
from watertight.stores.bulk.bounded import bounded
from watertight.stores.bulk.newest import newest_per_key
from watertight.stores.bulk.pulled import Pulled
from watertight.stores.bulk.tally import Tally
from watertight.stores.bulk.times import in_utc

TIME = pa.timestamp("us", tz="UTC")


@given(st.lists(st.lists(st.text(max_size=50), max_size=20), max_size=8), st.integers(1, 9), st.integers(20, 300))
def test_batches_are_bounded_and_lose_no_row(chunks: list[list[str]], max_rows: int, max_bytes: int) -> None:
    batches = [pa.record_batch({"text": pa.array(chunk, pa.string())}) for chunk in chunks]
    tables = list(bounded(batches, max_rows, max_bytes))
    assert [text for table in tables for text in table["text"].to_pylist()] == [text for chunk in chunks for text in chunk]
    assert all(0 < table.num_rows <= max_rows and table["text"].num_chunks == 1 for table in tables)
    assert all(len(tables) == 1 or table.nbytes <= 2 * max_bytes or table.num_rows <= 20 for table in tables)


def test_small_batches_are_put_together() -> None:
    batches = [pa.record_batch({"x": pa.array([number])}) for number in range(1000)]
    assert [table.num_rows for table in bounded(batches, 300)] == [300, 300, 300, 100]


def test_a_wide_batch_is_cut_by_its_bytes() -> None:
    batch = pa.record_batch({"x": pa.array([b"x" * 1000] * 100)})
    assert {table.num_rows for table in bounded([batch], 100, 10_500)} == {10}


TICKS = st.integers(0, 3)
ROWS = st.lists(st.tuples(st.sampled_from("abc"), TICKS, st.none() | TICKS), min_size=1)


@given(ROWS)
def test_the_newest_row_of_each_key_is_kept(drawn: list[tuple[str, int, int | None]]) -> None:
    keys, events, created = zip(*drawn)
    rows = pa.record_batch(
        {
            "event_timestamp": pa.array(events).cast(TIME),
            "created_timestamp": pa.array(created, pa.int64()).cast(TIME),
            "row": pa.array(range(len(drawn))),
        }
    )
    kept, kept_keys = newest_per_key(rows, pa.array([key.encode() for key in keys], pa.large_binary()))
    newest: dict[str, tuple[int, int, int]] = {}
    for row, (key, event, made) in enumerate(drawn):
        newest[key] = max(newest.get(key, (-1, -1, -1)), (event, -1 if made is None else made, row))
    assert kept["row"].to_pylist() == sorted(row for _, _, row in newest.values())
    assert kept_keys.to_pylist() == [keys[row].encode() for row in kept["row"].to_pylist()]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([datetime(2024, 5, 1)], pa.timestamp("ns")),
        pa.array([datetime(2024, 5, 1, tzinfo=UTC)], pa.timestamp("ms", tz="America/New_York")),
        pa.array([date(2024, 5, 1)]),
        pa.array(["2024-05-01T02:00:00+02:00"]),
        pa.array(["2024-05-01 00:00:00"]),
    ],
    ids=str,
)
def test_a_time_in_any_form_is_microseconds_in_utc(column: pa.Array) -> None:
    read = in_utc(pa.table({"event_timestamp": column, "created_timestamp": column}), "v")
    for name in ("event_timestamp", "created_timestamp"):
        assert read[name].type == TIME
        assert read[name].to_pylist() == [datetime(2024, 5, 1, tzinfo=UTC)]


@pytest.mark.parametrize(
    "column", [pa.array(["2024-05-01", "noon"]), pa.array([None, datetime(2024, 5, 1)])], ids=["text", "null"]
)
def test_an_event_without_a_time_is_refused(column: pa.Array) -> None:
    with pytest.raises(Refusal, match="'v': 1 of 2 row"):
        in_utc(pa.table({"event_timestamp": column}), "v")


def test_a_creation_time_may_be_unknown_but_not_unreadable() -> None:
    event = pa.array([datetime(2024, 5, 1, tzinfo=UTC)], TIME)
    made = pa.array([None], pa.timestamp("ns"))
    assert in_utc(pa.table({"event_timestamp": event, "created_timestamp": made}), "v")["created_timestamp"].null_count == 1
    with pytest.raises(Refusal, match="created_timestamp"):
        in_utc(pa.table({"event_timestamp": event, "created_timestamp": pa.array(["noon"])}), "v")


def _tally(total: int | None) -> tuple[Tally, int]:
    tally = Tally("v", lambda _: None)
    batches = iter([pa.record_batch({"x": pa.array([1, 2])}), pa.record_batch({"x": pa.array([3])})])
    return tally, sum(batch.num_rows for batch in tally.reading(Pulled(lambda: total, batches)))


def test_a_row_that_was_neither_written_nor_superseded_is_missed() -> None:
    tally, rows = _tally(3)
    assert rows == 3
    tally.done(1, 1)
    with pytest.raises(Refusal, match=r"of 3 row.s. read 1 were written and 1 superseded"):
        tally.demand_all()
    tally.done(1)
    tally.demand_all()


def test_a_row_that_was_announced_and_never_came_is_missed() -> None:
    with pytest.raises(Refusal, match=r"3 row.s. read"):
        _tally(4)


def test_without_a_terminal_progress_is_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter([0.0, 4.0, 10.0, 11.0, 20.0])
    monkeypatch.setattr("watertight.progress.time.monotonic", lambda: next(clock))
    tell = counted(lambda: 400, "stats")
    for _ in range(4):
        tell(50)
    assert capsys.readouterr().err == "  stats: 100/400, 10.0/s, 30 s left\n  stats: 200/400, 10.0/s, 20 s left\n"


def test_where_the_total_is_unknown_progress_tells_the_rate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 10.0])
    monkeypatch.setattr("watertight.progress.time.monotonic", lambda: next(clock))
    counted(lambda: None, "stats")(50)
    assert capsys.readouterr().err == "  stats: 50, 5.0/s\n"
