"""The newest row of each key, reduced a few row groups at a time, against a loop over all rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import FileSource
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watertight.stores.point_in_time import latest
from watertight.stores.point_in_time.parquet_rows import rows_of
from watertight.stores.point_in_time.pulls import Latest, pulled_all

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
hours = st.integers(0, 4)
rows = st.lists(
    st.tuples(
        st.sampled_from([1, 2, None]), st.sampled_from(["a", None]), st.one_of(hours, st.none()), st.one_of(hours, st.none())
    ),
    min_size=1,
    max_size=25,
)


def slowly(rows: list[tuple[object, object, int | None, int | None]], first: int, last: int) -> list[int]:
    best: dict[object, tuple[int, int, int]] = {}
    for number, (one, two, event, created) in enumerate(rows):
        if event is not None and first <= event <= last:
            mine = (event, -1 if created is None else created, number)
            best[one, two] = max(best.get((one, two), mine), mine)
    return sorted(number for _, _, number in best.values())


@pytest.mark.parametrize("keys", [[1.0, 2.0, float("nan"), None, float("nan")], [float("nan")] * 5])
def test_no_number_is_a_key_like_null(tmp_path: Path, keys: list[float | None]) -> None:
    at = pa.array([START + place * HOUR for place in range(5)], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"key": pa.array(keys), "at": at, "number": range(5)}), tmp_path / "rows.parquet")
    source = rows_of(FileSource(path=str(tmp_path / "rows.parquet"), timestamp_field="at"), None, "rows")
    found = Latest(lambda: source, ["number"], ["key"], ["at"], (None, None)).batches(9)
    expected = [0, 1, 4] if keys[0] == 1 else [4]
    assert [number for batch in found for number in batch["number"].to_pylist()] == expected


@given(rows, hours, hours, st.integers(1, 9), st.integers(1, 4))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_against_a_loop(  # type: ignore[no-untyped-def]
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows, first: int, last: int, group: int, waiting: int
) -> None:
    monkeypatch.setattr(latest, "_WAITING", waiting)
    times = [
        pa.array([None if row[place] is None else START + row[place] * HOUR for row in rows], pa.timestamp("us", "UTC"))
        for place in (2, 3)
    ]
    keys = [pa.array([row[0] for row in rows], pa.int64()), pa.array([row[1] for row in rows], pa.string())]
    table = pa.table([*keys, *times, pa.array(range(len(rows)))], names=["one", "two", "at", "made", "number"])
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=group)
    source = rows_of(FileSource(path=str(tmp_path / "rows.parquet"), timestamp_field="at"), None, "rows")
    span = (START + first * HOUR, (START + last * HOUR).replace(tzinfo=None))
    pulled = Latest(lambda: source, ["number"], ["one", "two"], ["at", "made"], span)
    found = list(pulled.batches(3))
    assert pulled.count == sum(batch.num_rows for batch in found)
    assert [number for batch in found for number in batch["number"].to_pylist()] == slowly(rows, first, last)
    assert all(batch.num_rows <= 3 for batch in found)
    every = [number for batch in pulled_all(source, ["number"], "at", span, 3) for number in batch["number"].to_pylist()]
    assert every == [number for number, row in enumerate(rows) if row[2] is not None and first <= row[2] <= last]
