"""Where rows are written: one Parquet file, or a folder of them, on this machine or elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
from feast.errors import SavedDatasetLocationAlreadyExists
from feast.infra.offline_stores.file_source import FileSource, SavedDatasetFileStorage
from feast.saved_dataset import SavedDatasetStorage
from pyarrow import fs

from watertight.core.errors import Misuse
from watertight.stores.point_in_time.files import filesystem_and_path


@dataclass(frozen=True)
class Destination:
    """A place for rows; a path that ends in ``.parquet`` is one file, any other a folder."""

    filesystem: fs.FileSystem
    path: str
    url: str

    @classmethod
    def at(cls, url: str, repo_path: str | None, endpoint: str = "") -> Destination:
        """The place behind a path or a URL."""
        source = FileSource(path=url, s3_endpoint_override=endpoint or None)
        return cls(*filesystem_and_path(source, repo_path), url)

    @property
    def is_file(self) -> bool:
        """Whether it is one file."""
        return self.path.endswith(".parquet")

    @property
    def exists(self) -> bool:
        """Whether anything is there."""
        return self.filesystem.get_file_info(self.path).type != fs.FileType.NotFound

    def write(self, batches: Iterable[pa.RecordBatch], overwrite: bool) -> list[str]:
        """Write all rows, a batch at a time, and answer the files' URLs; nothing is in place before all is written."""
        if self.exists and not overwrite:
            raise SavedDatasetLocationAlreadyExists(location=self.url)
        aside = f"{self.path}.{uuid.uuid4().hex}.part"
        if self.is_file:
            self._parent(self.path)
            _one_file(self.filesystem, aside, batches)
        else:
            self.filesystem.create_dir(aside, recursive=True)
            _many_files(self.filesystem, aside, batches)
        self._replace(aside)
        return [self.url] if self.is_file else [f"{self.url}/{PurePosixPath(file).name}" for file in self._files()]

    def add(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Put one more file into a folder."""
        self.filesystem.create_dir(self.path, recursive=True)
        name = f"{uuid.uuid4().hex}.parquet"
        _one_file(self.filesystem, f"{self.path}/_{name}", batches)
        self.filesystem.move(f"{self.path}/_{name}", f"{self.path}/{name}")

    def _files(self) -> list[str]:
        return sorted(entry.path for entry in self.filesystem.get_file_info(fs.FileSelector(self.path)))

    def _parent(self, path: str) -> None:
        self.filesystem.create_dir(str(PurePosixPath(path).parent), recursive=True)

    def _replace(self, aside: str) -> None:
        if self.filesystem.get_file_info(self.path).type == fs.FileType.Directory:
            self.filesystem.delete_dir(self.path)
        if self.is_file or isinstance(self.filesystem, fs.LocalFileSystem):
            self.filesystem.move(aside, self.path)
            return
        # An object store has no folders to move.
        for entry in self.filesystem.get_file_info(fs.FileSelector(aside)):
            self.filesystem.move(entry.path, f"{self.path}/{PurePosixPath(entry.path).name}")


def saved_in(storage: SavedDatasetStorage, repo_path: str | None) -> Destination:
    """The place of a saved dataset; raises Misuse where it is none of files."""
    if not isinstance(storage, SavedDatasetFileStorage):
        raise Misuse(f"a saved dataset in {type(storage).__name__}", expected="SavedDatasetFileStorage")
    return Destination.at(storage.file_options.uri, repo_path, storage.file_options.s3_endpoint_override)


def _one_file(filesystem: fs.FileSystem, path: str, batches: Iterable[pa.RecordBatch]) -> None:
    flowing = iter(batches)
    first = next(flowing)
    with filesystem.open_output_stream(path) as stream, pq.ParquetWriter(stream, first.schema) as writer:
        writer.write_batch(first)
        for batch in flowing:
            writer.write_batch(batch)


def _many_files(filesystem: fs.FileSystem, folder: str, batches: Iterable[pa.RecordBatch]) -> None:
    for number, batch in enumerate(batches):
        _one_file(filesystem, f"{folder}/{number:06d}.parquet", iter([batch]))


def batches_of(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """The rows of a table; one empty batch of a table without rows, so that its columns are written."""
    yield from table.to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
