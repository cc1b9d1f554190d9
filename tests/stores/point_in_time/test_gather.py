"""Columns dealt out to labels: every type, nulls, ragged lists, more numbers than an array holds, and a limit of memory."""

from __future__ import annotations

import resource
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import FileSource

from watertight.core.errors import Misuse
from watertight.stores.point_in_time import parquet_rows, sinks
from watertight.stores.point_in_time.gather import gathered
from watertight.stores.point_in_time.memory import Memory
from watertight.stores.point_in_time.parquet_rows import rows_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
COLUMNS = {
    "small": pa.array([1, None, -3, 4, 5, 6], pa.int8()),
    "big": pa.array([2**60 + 1, None, 3, 4, 5, 2**63 - 1], pa.int64()),
    "float": pa.array([0.1, None, float("nan"), 4, 5, 6], pa.float32()),
    "flag": pa.array([True, None, False, True, True, False]),
    "text": pa.array(["a", None, "", "dd", "ü", "f"]),
    "bytes": pa.array([b"a", None, b"", b"dd", b"e", b"f"]),
    "when": pa.array([NOON, None, NOON, NOON, NOON, NOON], pa.timestamp("ns", "UTC")),
    "day": pa.array([1, None, 3, 4, 5, 6], pa.date32()),
    "money": pa.array([Decimal("1.25"), None, Decimal("3"), Decimal("4"), Decimal("5"), Decimal("6")], pa.decimal128(9, 2)),
    "vector": pa.array([[1, 2], None, [3, 4], [5, 6], [7, 8], [9, 10]], pa.list_(pa.float32())),
    "fixed": pa.array([[1, 2], None, [3, 4], [5, 6], [7, 8], [9, 10]], pa.list_(pa.float32(), 2)),
    "large": pa.array([[1, 2], None, [3, 4], [5, 6], [7, 8], [9, 10]], pa.large_list(pa.int64())),
    "ragged": pa.array([[1, 2], None, [3], [], [7, 8], [9, 10]], pa.list_(pa.int64())),
    "holed": pa.array([[1, None], None, [3, 4], [5, 6], [7, 8], [9, 10]], pa.list_(pa.int64())),
    "words": pa.array([["a", "b"], None, [], ["c"], ["d"], [None]], pa.list_(pa.string())),
    "nested": pa.array([{"x": 1}, None, {"x": 2}, {"x": None}, {"x": 5}, {"x": 6}]),
    "nothing": pa.array([None] * 6, pa.list_(pa.float32())),
}
WINNERS = np.array([5, -1, 0, 0, 2, 1, 4, 3, -1, 5])


@pytest.fixture
def source(tmp_path: Path) -> FileSource:
    """Three row groups of two rows."""
    pq.write_table(pa.table(COLUMNS), tmp_path / "rows.parquet", row_group_size=2)
    return FileSource(path=str(tmp_path / "rows.parquet"), timestamp_field="when")


def dealt(source: FileSource, memory: Memory, winners: np.ndarray = WINNERS, workers: int = 2) -> dict[str, list[object]]:
    rows = rows_of(source, None, "rows")
    found = gathered(rows, rows.row_groups(), winners, list(COLUMNS), memory, workers)
    assert [column.type for column in found] == [column.type for column in COLUMNS.values()]
    for column in found:
        column.validate(full=True)
    return {name: column.to_pylist() for name, column in zip(COLUMNS, found)}


def expected(winners: np.ndarray = WINNERS) -> dict[str, list[object]]:
    return {name: [None if row < 0 else values.to_pylist()[row] for row in winners] for name, values in COLUMNS.items()}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("limit", [10**9, 0])
@pytest.mark.parametrize("at_once", [10**9, 1])
def test_every_type(source: FileSource, limit: int, workers: int, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory, and with all that can in mapped files; row groups whole, and a row at a time."""
    monkeypatch.setattr(parquet_rows, "_AT_ONCE", at_once)
    monkeypatch.setattr(parquet_rows, "_LEAST_ROWS", 1)
    assert repr(dealt(source, Memory(limit), workers=workers)) == repr(expected())


def test_no_label_has_a_row(source: FileSource) -> None:
    nobody = np.full(3, -1)
    assert dealt(source, Memory(10**9), nobody) == expected(nobody)


def test_no_label_at_all(source: FileSource) -> None:
    assert dealt(source, Memory(10**9), np.zeros(0, np.int64)) == {name: [] for name in COLUMNS}


def test_more_numbers_than_one_array_can_count(source: FileSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrow counts the numbers of lists and the bytes of strings in 31 bits; here in two."""
    monkeypatch.setattr(sinks, "MOST_IN_ONE_ARRAY", 4)
    rows = rows_of(source, None, "rows")
    vectors, text = gathered(rows, rows.row_groups(), WINNERS, ["vector", "text"], Memory(10**9), 2)
    assert vectors.num_chunks == 5
    assert text.num_chunks > 1
    assert [vectors.to_pylist(), text.to_pylist()] == [expected()["vector"], expected()["text"]]


def test_one_long_text_that_many_labels_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few bytes in the file, and more in the answer than one array can count."""
    monkeypatch.setattr(sinks, "MOST_IN_ONE_ARRAY", 1_000)
    table = pa.table({"text": ["x" * 300, "y"], "words": [["w"] * 400, []]})
    pq.write_table(table, tmp_path / "rows.parquet")
    rows = rows_of(FileSource(path=str(tmp_path / "rows.parquet"), timestamp_field="text"), None, "rows")
    winners = np.array([0, -1, 1] * 10)
    text, words = gathered(rows, rows.row_groups(), winners, ["text", "words"], Memory(10**9), 2)
    assert max(len("".join(filter(None, chunk.to_pylist()))) for chunk in text.chunks) <= 1_000
    assert text.to_pylist() == ["x" * 300, None, "y"] * 10
    assert words.to_pylist() == [["w"] * 400, None, []] * 10


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """A limit on the size of files stands for a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        with pytest.raises(Misuse, match="8,000 bytes of an answer do not fit into"):
            Memory(0, str(tmp_path)).zeros((1_000,), np.int64)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_beyond_the_limit_lies_in_a_file(tmp_path: Path) -> None:
    memory = Memory(80, str(tmp_path))
    first, second = memory.zeros((10,), np.int64), memory.zeros((10,), np.int64)
    assert (first.base is None, second.base is None) == (True, False)
    second[:] = np.arange(10)
    assert second.sum() == 45
    assert list(tmp_path.iterdir()) == [], "the file has no name, so that nobody need delete it"
