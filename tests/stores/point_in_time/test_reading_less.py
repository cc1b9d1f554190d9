"""Row groups that no label can need are not read, and the answer is the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import Entity, FeatureView, FileSource, ValueType

from watertight.stores.point_in_time.entity_rows import from_frame
from watertight.stores.point_in_time.memory import Memory
from watertight.stores.point_in_time.parquet_rows import ParquetRows, RowGroup, rows_of
from watertight.stores.point_in_time.view_join import ViewQuery, joined

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def written(path: Path, kind: str) -> ParquetRows:
    """Ten keys by ten days, a row group a key."""
    keys = [key if kind == "int" else f"key {key}" for key in range(10)]
    table = pa.table(
        {
            "key": [key for key in keys for _ in range(10)],
            "at": pa.array([START + day * DAY for _ in keys for day in range(10)], pa.timestamp("ms", "UTC")),
            "value": np.arange(100.0),
        }
    )
    pq.write_table(table, path, row_group_size=10)
    return rows_of(FileSource(path=str(path), timestamp_field="at"), None, "rows")


def asked(rows: ParquetRows, ttl: timedelta | None, labels: list[tuple[object, datetime]]) -> list[object]:
    key = Entity(name="key", value_type=ValueType.INT64)
    view = FeatureView(name="view", entities=[key], source=FileSource(path="rows", timestamp_field="at"))
    query = ViewQuery(view, rows, (("key", "key"),), ("value",), "at", None, ttl, False)
    frame = pd.DataFrame(labels, columns=["key", "event_timestamp"])
    [column] = joined(from_frame(frame), query, Memory(10**9), workers=1)
    return column.to_pylist()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The first rows of the row groups that are read, in the order of reading."""
    seen: list[int] = []
    read = ParquetRows.read

    def counted(self: ParquetRows, group: RowGroup, columns: list[str], threads: bool = False) -> pa.Table:
        seen.append(group.fragment.row_groups[0].id)
        return read(self, group, columns, threads)

    monkeypatch.setattr(ParquetRows, "read", counted)
    return seen


@pytest.mark.parametrize("kind", ["int", "text"])
def test_by_key(tmp_path: Path, kind: str, reads: list[int]) -> None:
    """The keys' group is read twice: for its times, then for its values."""
    rows = written(tmp_path / "rows.parquet", kind)
    key = 3 if kind == "int" else "key 3"
    assert asked(rows, None, [(key, START + 2 * DAY), (key, START - DAY)]) == [32.0, None]
    assert reads == [3, 3]


def test_by_time(tmp_path: Path, reads: list[int]) -> None:
    """Sorted by time, and only the last two days may matter."""
    whole = pq.read_table(_sorted_by_time(tmp_path))
    assert whole["at"][0].as_py() == START
    rows = rows_of(FileSource(path=str(tmp_path / "by_time.parquet"), timestamp_field="at"), None, "rows")
    assert asked(rows, DAY, [(4, START + 9 * DAY), (5, START + 9 * DAY + timedelta(hours=1))]) == [49.0, 59.0]
    assert set(reads) == {8, 9}


def test_nothing_where_nobody_asks(tmp_path: Path, reads: list[int]) -> None:
    rows = written(tmp_path / "rows.parquet", "int")
    assert asked(rows, None, []) == []
    assert asked(rows, None, [(None, START)]) == [None]
    assert reads == []


def test_only_the_columns_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = written(tmp_path / "rows.parquet", "int")
    columns: list[tuple[str, ...]] = []
    read = ParquetRows.read

    def noted(self: ParquetRows, group: RowGroup, names: list[str], threads: bool = False) -> pa.Table:
        columns.append(tuple(names))
        return read(self, group, names, threads)

    monkeypatch.setattr(ParquetRows, "read", noted)
    assert asked(rows, None, [(3, START)]) == [30.0]
    assert columns == [("key", "at"), ("value",)]


def _sorted_by_time(folder: Path) -> Path:
    written(folder / "by_key.parquet", "int")
    path = folder / "by_time.parquet"
    pq.write_table(pq.read_table(folder / "by_key.parquet").sort_by("at"), path, row_group_size=10)
    return path
