"""What is written is there, whole and once; what fails leaves what was there, and nothing beside it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import Entity, FeatureView, FileSource
from feast.errors import SavedDatasetLocationAlreadyExists
from feast.infra.offline_stores.file_source import SavedDatasetFileStorage
from fsspec.implementations.memory import MemoryFileSystem

from watertight.core.errors import Misuse, Refusal
from watertight.stores.point_in_time.destinations import Destination, batches_of
from watertight.stores.point_in_time.parquet_rows import ParquetRows, RowGroup, rows_of
from watertight.stores.point_in_time.retrieval_job import WatertightRetrievalJob, of_batches, of_table
from watertight.stores.point_in_time.writes import add_rows

WRITERS = 12


def rows(*values: int) -> pa.Table:
    at = pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * len(values), pa.timestamp("us", "UTC"))
    return pa.table({"key": pa.array([1] * len(values), pa.int64()), "at": at, "value": pa.array(values, pa.int64())})


def view(path: Path | str) -> FeatureView:
    return FeatureView(name="view", entities=[Entity(name="key")], source=source(path))


def source(path: Path | str) -> FileSource:
    return FileSource(path=str(path), timestamp_field="at")


def values(path: Path | str) -> list[int]:
    """All values behind a path, in the order in which they are read."""
    found = rows_of(source(path), None, "rows")
    return [value for group in found.row_groups() for value in found.read(group, ["value"])["value"].to_pylist()]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def put(path: Path, *of: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows(*of), path)
    return path


def broken(of: pa.Table) -> Iterator[pa.RecordBatch]:
    yield from of.to_batches()
    raise ValueError("no more")


def persist(path: Path | str, batches: pa.Table | None = None, overwrite: bool = False) -> None:
    """Keep an answer of three rows, or one that breaks off behind these."""
    answers = of_table(lambda: rows(1, 2, 3)) if batches is None else of_batches(batches.schema, lambda _: broken(batches))
    WatertightRetrievalJob(answers, None).persist(SavedDatasetFileStorage(path=str(path)), allow_overwrite=overwrite)


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The URL of a folder that is not on this machine: fsspec's, in memory."""
    name = uuid4().hex
    yield f"memory://{name}"
    MemoryFileSystem().rm(f"/{name}", recursive=True)


def test_writers_of_one_file_lose_no_row(tmp_path: Path) -> None:
    place = view(put(tmp_path / "rows.parquet", 0))
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda value: add_rows(place, None, rows(value)), range(1, WRITERS + 1)))
    assert sorted(values(tmp_path / "rows.parquet")) == list(range(WRITERS + 1))
    assert names(tmp_path) == {"rows.parquet"}


def test_a_file_changed_by_another_program_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, read = put(tmp_path / "rows.parquet", 0), ParquetRows.read

    def meanwhile(self: ParquetRows, group: RowGroup, columns: list[str], threads: bool = False) -> pa.Table:
        found = read(self, group, columns, threads)
        put(path, 10, 11)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(ParquetRows, "read", meanwhile)
        with pytest.raises(Refusal, match="changed while it was read"):
            add_rows(view(path), None, rows(1))
    assert values(path) == [10, 11]
    assert names(tmp_path) == {"rows.parquet"}


def test_a_file_behind_a_link_is_written_where_it_lies(tmp_path: Path) -> None:
    path, link = put(tmp_path / "there" / "rows.parquet", 0), tmp_path / "link.parquet"
    link.symlink_to(path)
    add_rows(view(link), None, rows(1))
    assert link.is_symlink()
    assert values(path) == [0, 1]


def test_a_folder_may_be_named_like_a_file(tmp_path: Path) -> None:
    folder = put(tmp_path / "rows.parquet" / "part-0.parquet", 0).parent
    add_rows(view(folder), None, rows(1))
    assert values(folder) == [0, 1]
    persist(folder, overwrite=True)
    assert names(folder) == {"000000.parquet"}
    assert values(folder) == [1, 2, 3]


def test_a_file_may_be_named_like_a_folder(tmp_path: Path) -> None:
    path = put(tmp_path / "rows", 0)
    add_rows(view(path), None, rows(1))
    assert values(path) == [0, 1]
    persist(path, overwrite=True)
    assert path.is_file()
    assert values(path) == [1, 2, 3]


def test_nothing_is_written_through_a_pattern(tmp_path: Path) -> None:
    put(tmp_path / "a.parquet", 0)
    with pytest.raises(Misuse, match=r"cannot be written to the pattern .*\*\.parquet"):
        add_rows(view(tmp_path / "*.parquet"), None, rows(1))
    assert names(tmp_path) == {"a.parquet"}


def test_of_rows_alike_the_one_written_last_stands_last(tmp_path: Path) -> None:
    for number, name in enumerate(["000123.parquet", "part-0.parquet", "year/part-0.parquet"]):
        put(tmp_path / name, number)
    for value in range(3, 13):
        add_rows(view(tmp_path), None, rows(value))
    assert values(tmp_path) == list(range(13))


@pytest.mark.parametrize("name", ["kept.parquet", "kept"])
def test_an_answer_without_rows_is_kept_with_its_columns(tmp_path: Path, name: str) -> None:
    nothing = of_batches(rows().schema, lambda _: iter(()))
    for answers in (of_table(rows), nothing):
        job = WatertightRetrievalJob(answers, None)
        job.persist(SavedDatasetFileStorage(path=str(tmp_path / name)), allow_overwrite=True)
        found = rows_of(source(tmp_path / name), None, "kept")
        assert found.dataset.schema.equals(rows().schema)
        assert found.dataset.count_rows() == 0


@pytest.mark.parametrize("name", ["kept.parquet", "kept"])
def test_what_fails_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no more"):
        persist(tmp_path / name, rows(1))
    assert names(tmp_path) == set()
    persist(tmp_path / name)
    with pytest.raises(ValueError, match="no more"):
        persist(tmp_path / name, rows(1), overwrite=True)
    assert names(tmp_path) == {name}
    assert values(tmp_path / name) == [1, 2, 3]


def test_a_file_that_fails_is_not_added(tmp_path: Path) -> None:
    put(tmp_path / "part-0.parquet", 0)
    with pytest.raises(ValueError, match="no more"):
        Destination.at(str(tmp_path), None).add(broken(rows(1)))
    assert names(tmp_path) == {"part-0.parquet"}


def test_a_folder_is_there_again_after_a_death_before_the_new_one_is_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    persist(tmp_path / "kept")
    rename, done = Path.rename, []

    def dying(self: Path, target: Path) -> Path:
        done.append(target)
        if len(done) > 1:
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", dying)
        Destination.at(str(tmp_path / "kept"), None).write(batches_of(rows(4)), overwrite=True)
    assert not (tmp_path / "kept").exists()
    with pytest.raises(SavedDatasetLocationAlreadyExists):
        persist(tmp_path / "kept")
    assert values(tmp_path / "kept") == [1, 2, 3]
    assert names(tmp_path) == {"kept"}


@pytest.mark.parametrize("name", ["kept.parquet", "kept"])
def test_elsewhere_too_what_is_there_is_replaced_or_left(elsewhere: str, name: str) -> None:
    place = f"{elsewhere}/{name}"
    persist(place)
    with pytest.raises(ValueError, match="no more"):
        persist(place, rows(1), overwrite=True)
    assert values(place) == [1, 2, 3]
    Destination.at(place, None).write(batches_of(rows(4)), overwrite=True)
    add_rows(view(place), None, rows(5))
    assert values(place) == [4, 5]
    assert [Path(found).name for found in MemoryFileSystem().ls(elsewhere, detail=False)] == [name]


def test_a_pattern_of_folders_is_all_that_lies_below(tmp_path: Path) -> None:
    for day in (1, 2):
        put(tmp_path / f"day={day}" / "hour=1" / "part-0.parquet", day)
        (tmp_path / f"day={day}" / "_SUCCESS").touch()
    for pattern in ("day=*", "**", "day=*/**", "*/hour=1/*"):
        assert values(tmp_path / pattern) == [1, 2]
    found = rows_of(source(tmp_path / "day=*"), None, "rows")
    assert found.dataset.schema.names == ["key", "at", "value", "day", "hour"]


def test_partitions_are_named_below_the_folder_in_which_a_pattern_begins(tmp_path: Path) -> None:
    put(tmp_path / "[x]" / "run=1" / "part-0.parquet", 1)
    found = rows_of(source(tmp_path / "[x]" / "run=1" / "*.parquet"), None, "rows")
    assert found.dataset.schema.names == ["key", "at", "value"]


def test_a_pattern_elsewhere_is_an_error_that_says_so(elsewhere: str) -> None:
    persist(f"{elsewhere}/kept.parquet")
    with pytest.raises(Misuse, match="pattern elsewhere than on this machine"):
        rows_of(source(f"{elsewhere}/*.parquet"), None, "rows")
