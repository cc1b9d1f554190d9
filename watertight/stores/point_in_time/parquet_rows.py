"""The rows behind a Feast FileSource: Parquet files of one schema, read by row group and column, wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from feast.data_format import ParquetFormat
from feast.data_source import DataSource
from feast.feature_view import DUMMY_ENTITY_ID
from feast.infra.offline_stores.file_source import FileSource
from pyarrow import fs

from watertight.core.errors import Misuse, Refusal
from watertight.stores.point_in_time.files import parquet_files

_AT_ONCE = 16 * 2**20
_LEAST_ROWS = 1_024
_BUFFER = 2**20
# What Arrow's own functions know.
_PLAIN = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}


@dataclass(frozen=True)
class RowGroup:
    """A part of a file: ``rows`` rows, numbered from ``first`` among all row groups that were not pruned."""

    fragment: Any
    first: int
    rows: int


@dataclass(frozen=True)
class ParquetRows:
    """The files of a source, in the order of their names, and their common schema, hive partitions included.

    ``stamps`` are the size and the time of change (ns) of each file when it was opened.
    """

    name: str
    filesystem: fs.FileSystem
    dataset: ds.FileSystemDataset
    mapping: dict[str, str] = field(default_factory=dict)
    stamps: dict[str, tuple[int, int | None]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> dict[str, str]:
        """The column of the files behind each name by which Feast may ask: its own, or what the field mapping makes of it."""
        return {name: name for name in self.dataset.schema.names} | {
            mapped: name for name, mapped in self.mapping.items() if name in self.dataset.schema.names
        }

    def column(self, name: str) -> str:
        """The column of the files behind a name; raises Misuse with the columns that exist."""
        if name not in self.columns:
            raise Misuse(
                f"source {self.name!r} has no column {name!r}; it has {', '.join(self.dataset.schema.names)}",
                expected="a column of the Parquet files, or one that field_mapping renames",
            )
        return self.columns[name]

    def type(self, name: str) -> pa.DataType:
        """The type of the column behind a name."""
        return self.dataset.schema.field(self.column(name)).type

    def row_groups(self, wanted: pc.Expression | None = None) -> list[RowGroup]:
        """The row groups that may hold a row for which ``wanted``, in terms of the files' columns, is true."""
        found, first = [], 0
        for fragment in self.dataset.get_fragments(filter=wanted):
            for part in fragment.split_by_row_group(filter=wanted, schema=self.dataset.schema):
                rows = sum(group.num_rows for group in part.row_groups)
                found.append(RowGroup(part, first, rows))
                first += rows
        return found

    def read(self, group: RowGroup, columns: Sequence[str], threads: bool = False) -> pa.Table:
        """The ``columns`` of a row group, by the names of the files' columns and with the types of the common schema.

        Raises Refusal where the file is no longer the one that was opened: keys and values are read one after the other.
        """
        own = [name for name in columns if name in group.fragment.physical_schema.names]
        with self.filesystem.open_input_file(group.fragment.path) as source:
            self._demand_the_same(group.fragment.path)
            file = pq.ParquetFile(source, metadata=group.fragment.metadata, pre_buffer=not self.is_local)
            numbers = [part.id for part in group.fragment.row_groups]
            table = file.read_row_groups(numbers, columns=own, use_threads=threads)
        return self._table(table, columns, group)

    def pieces(self, group: RowGroup, columns: Sequence[str], threads: bool = False) -> Iterator[tuple[int, pa.Table]]:
        """As ``read``, about 16 MiB at a time, in order: the first row of each piece, counted from the group's, and the piece.

        Of a column of vectors pyarrow makes several copies when it reads it whole: bit by bit takes a third of the time.
        """
        own = [name for name in columns if name in group.fragment.physical_schema.names]
        at_once = max(_LEAST_ROWS, _AT_ONCE * group.rows // max(1, self._bytes(group, own)))
        if at_once >= group.rows or not own:
            yield 0, self.read(group, columns, threads)
            return
        with self.filesystem.open_input_file(group.fragment.path) as source:
            self._demand_the_same(group.fragment.path)
            file = pq.ParquetFile(
                source,
                metadata=group.fragment.metadata,
                pre_buffer=not self.is_local,
                buffer_size=_BUFFER if self.is_local else 0,
            )
            first = 0
            numbers = [part.id for part in group.fragment.row_groups]
            for batch in file.iter_batches(at_once, row_groups=numbers, columns=own, use_threads=threads):
                yield first, self._table(pa.Table.from_batches([batch]), columns, group)
                first += batch.num_rows

    def _table(self, read: pa.Table, columns: Sequence[str], group: RowGroup) -> pa.Table:
        """What was read of a file, with the types of the common schema, and beside it what the file does not have."""
        partition = ds.get_partition_keys(group.fragment.partition_expression)
        arrays = [
            self._cast(read[name], name, group)
            if name in read.column_names
            else _constant(partition.get(name), self._kind(name), read.num_rows)
            for name in columns
        ]
        return pa.Table.from_arrays(arrays, names=list(columns))

    def _bytes(self, group: RowGroup, columns: Sequence[str]) -> int:
        metadata, asked = group.fragment.metadata, set(columns)
        parts = [metadata.row_group(part.id) for part in group.fragment.row_groups]
        chunks = (part.column(place) for part in parts for place in range(part.num_columns))
        return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] in asked)

    def _cast(self, column: pa.ChunkedArray, name: str, group: RowGroup) -> pa.ChunkedArray:
        try:
            return column.cast(self._kind(name))
        except pa.ArrowInvalid as error:
            raise Misuse(
                f"{group.fragment.path}: column {name!r} is {column.type} there and {self._kind(name)} elsewhere: {error}",
                expected="files whose types are one",
            ) from error

    def _kind(self, name: str) -> pa.DataType:
        return self.dataset.schema.field(name).type

    def _demand_the_same(self, path: str) -> None:
        if self.stamps[path] != _stamp(self.filesystem.get_file_info(path)):
            raise Refusal(
                f"{path} of source {self.name!r} has changed since it was opened",
                expected="files that stay as they are while they are read",
                next_step="ask again",
            )

    def schema_of(self, names: Sequence[str]) -> pa.Schema:
        """The schema of columns by the names under which they are asked for; Feast's dummy key is text."""
        return pa.schema([(name, pa.string() if name == DUMMY_ENTITY_ID else self.type(name)) for name in names])

    @property
    def is_local(self) -> bool:
        """Whether the files lie on this machine."""
        return isinstance(self.filesystem, fs.LocalFileSystem)


def rows_of(source: DataSource | None, repo_path: str | Path | None, name: str) -> ParquetRows:
    """The rows behind a Feast source; raises Misuse if it is none of Parquet files, or there are none."""
    if not isinstance(source, FileSource):
        raise Misuse(f"{name!r} has {type(source).__name__} for a batch source", expected="a FileSource over Parquet")
    if not (source.file_format is None or isinstance(source.file_format, ParquetFormat)):
        raise Misuse(f"{name!r} is in {type(source.file_format).__name__}", expected="Parquet")
    filesystem, paths, base = parquet_files(source, repo_path, name)
    factory = ds.FileSystemDatasetFactory(
        filesystem,
        paths,
        ds.ParquetFileFormat(),
        ds.FileSystemFactoryOptions(partition_base_dir=base, partitioning=ds.HivePartitioning.discover(infer_dictionary=False)),
    )
    try:
        schema = factory.inspect(promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise Misuse(f"the files of {name!r} cannot be read as one table: {error}", expected="Parquet of one schema") from error
    stamps = {path: _stamp(info) for path, info in zip(paths, filesystem.get_file_info(paths))}
    plain = pa.schema([each.with_type(_PLAIN.get(each.type, each.type)) for each in schema])
    return ParquetRows(name, filesystem, factory.finish(plain), dict(source.field_mapping or {}), stamps)


def _stamp(info: fs.FileInfo) -> tuple[int, int | None]:
    return info.size, info.mtime_ns


def _constant(value: Any, kind: pa.DataType, rows: int) -> pa.ChunkedArray:
    return pa.chunked_array([pa.repeat(pa.scalar(value, kind), rows)])
