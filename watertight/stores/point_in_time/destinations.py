"""Where rows are written: one Parquet file, or a folder of them, on this machine or elsewhere."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
from feast.errors import SavedDatasetLocationAlreadyExists
from feast.infra.offline_stores.file_source import FileSource, SavedDatasetFileStorage
from feast.saved_dataset import SavedDatasetStorage
from pyarrow import fs

from watertight.core.errors import Misuse, Refusal
from watertight.core.tables import replacing
from watertight.stores.point_in_time.files import filesystem_and_path
from watertight.stores.point_in_time.turns import alone


@dataclass(frozen=True)
class Destination:
    """A place for rows: the file or the folder that is there; where nothing is, a path that ends in ``.parquet`` is a file's."""

    filesystem: fs.FileSystem
    path: str
    url: str

    @classmethod
    def at(cls, url: str, repo_path: str | None, endpoint: str = "") -> Destination:
        """The place behind a path, of which links are followed, or a URL."""
        source = FileSource(path=url, s3_endpoint_override=endpoint or None)
        filesystem, path = filesystem_and_path(source, repo_path)
        return cls(filesystem, str(Path(path).resolve()) if isinstance(filesystem, fs.LocalFileSystem) else path, url)

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return isinstance(self.filesystem, fs.LocalFileSystem)

    @property
    def is_file(self) -> bool:
        """Whether it is one file."""
        found = self.found()
        return found.type == fs.FileType.File or (found.type == fs.FileType.NotFound and self.path.endswith(".parquet"))

    def found(self) -> fs.FileInfo:
        """What is there now: its kind, size and time."""
        return self.filesystem.get_file_info(self.path)

    def alone(self) -> AbstractContextManager[None]:
        """Wait until no other writer of ours is in here for this place; elsewhere than on this machine nobody waits."""
        return alone(Path(self.path)) if self.is_local else nullcontext()

    def write(self, batches: Iterable[pa.RecordBatch], overwrite: bool) -> list[str]:
        """Write all rows, a batch at a time, and answer the files' URLs; nothing is in place before all is written.

        A writer that fails leaves what was there. One that dies while it puts a folder in place leaves the old one beside it,
        from where the next one takes it back; an object store has no folders to move, there its files go in one by one.
        """
        with self.alone(), self._draft() as draft:
            if self.found().type != fs.FileType.NotFound and not overwrite:
                raise SavedDatasetLocationAlreadyExists(location=self.url)
            if one := self.is_file:
                _one_file(self.filesystem, draft, batches)
            else:
                _many_files(self.filesystem, draft, batches)
        return [self.url] if one else [f"{self.url}/{PurePosixPath(file).name}" for file in _files(self.filesystem, self.path)]

    def rewrite(self, batches: Iterable[pa.RecordBatch], read: fs.FileInfo) -> None:
        """Put other rows into a file that was ``found`` so before it was read; raises Refusal if it has changed since.

        Between this look and the new file's being in place is a moment in which another's rows are lost. On this machine
        writers of ours are ``alone``; elsewhere there should be one writer at a time, or a folder.
        """
        with self._draft() as draft:
            _one_file(self.filesystem, draft, batches)
            if not _alike(self.found(), read):
                raise Refusal(
                    f"{self.url} was changed while it was read", expected="one writer", next_step="write the rows again"
                )

    def add(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Put one more file into a folder, of which it is the last by name."""
        self.filesystem.create_dir(self.path, recursive=True)
        name = f"{last_name()}.parquet"
        with _removed_if_failed(self.filesystem, f"{self.path}/.{name}") as aside:
            _one_file(self.filesystem, aside, batches)
            self.filesystem.move(aside, f"{self.path}/{name}")

    def _draft(self) -> AbstractContextManager[str]:
        return self._draft_here() if self.is_local else self._draft_elsewhere()

    @contextmanager
    def _draft_here(self) -> Iterator[str]:
        with replacing(Path(self.path)) as [draft]:
            yield str(draft)

    @contextmanager
    def _draft_elsewhere(self) -> Iterator[str]:
        place = PurePosixPath(self.path)
        self.filesystem.create_dir(str(place.parent), recursive=True)
        with _removed_if_failed(self.filesystem, str(place.parent / f".{place.name}.{uuid.uuid4().hex}.draft")) as draft:
            yield draft
            self._put(draft)

    def _put(self, draft: str) -> None:
        if self.is_file:
            self.filesystem.move(draft, self.path)
            return
        if self.found().type == fs.FileType.Directory:
            self.filesystem.delete_dir(self.path)
        self.filesystem.create_dir(self.path, recursive=True)
        for file in _files(self.filesystem, draft):
            self.filesystem.move(file, f"{self.path}/{PurePosixPath(file).name}")
        self.filesystem.delete_dir(draft)


def saved_in(storage: SavedDatasetStorage, repo_path: str | None) -> Destination:
    """The place of a saved dataset; raises Misuse where it is none of files."""
    if not isinstance(storage, SavedDatasetFileStorage):
        raise Misuse(f"a saved dataset in {type(storage).__name__}", expected="SavedDatasetFileStorage")
    return Destination.at(storage.file_options.uri, repo_path, storage.file_options.s3_endpoint_override)


def _alike(one: fs.FileInfo, other: fs.FileInfo) -> bool:
    # By its own equality no FileInfo of a file equals another, not even of the same moment.
    return (one.type, one.size, one.mtime_ns) == (other.type, other.size, other.mtime_ns)


def last_name() -> str:
    """A name for a file that is the last of its folder: behind the usual names, and behind those given before.

    It tells the time in nanoseconds, so it is as good as the clocks of those who write; of two at once either may be the last.
    """
    return f"zz-{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"


@contextmanager
def _removed_if_failed(filesystem: fs.FileSystem, path: str) -> Iterator[str]:
    try:
        yield path
    except BaseException:
        with suppress(OSError):
            _remove(filesystem, path)
        raise


def _remove(filesystem: fs.FileSystem, path: str) -> None:
    kind = filesystem.get_file_info(path).type
    if kind == fs.FileType.Directory:
        filesystem.delete_dir(path)
    elif kind == fs.FileType.File:
        filesystem.delete_file(path)


def _files(filesystem: fs.FileSystem, folder: str) -> list[str]:
    below = filesystem.get_file_info(fs.FileSelector(folder))
    return sorted(entry.path for entry in below if entry.type == fs.FileType.File)


def _one_file(filesystem: fs.FileSystem, path: str, batches: Iterable[pa.RecordBatch]) -> None:
    flowing = iter(batches)
    first = next(flowing)
    with filesystem.open_output_stream(path) as stream, pq.ParquetWriter(stream, first.schema) as writer:
        writer.write_batch(first)
        for batch in flowing:
            writer.write_batch(batch)


def _many_files(filesystem: fs.FileSystem, folder: str, batches: Iterable[pa.RecordBatch]) -> None:
    filesystem.create_dir(folder, recursive=True)
    for number, batch in enumerate(batches):
        _one_file(filesystem, f"{folder}/{number:06d}.parquet", iter([batch]))


def batches_of(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """The rows of a table; one empty batch of a table without rows, so that its columns are written."""
    yield from table.to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
