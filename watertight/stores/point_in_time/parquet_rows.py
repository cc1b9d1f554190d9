"""The rows behind a Feast FileSource: Parquet files of one schema, read by row group and column, wherever they lie."""

from __future__ import annotations

from collections.abc import Sequence
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

from watertight.core.errors import Misuse
from watertight.stores.point_in_time.files import parquet_files


@dataclass(frozen=True)
class RowGroup:
    """A part of a file: ``rows`` rows, numbered from ``first`` among all row groups that were not pruned."""

    fragment: Any
    first: int
    rows: int

    @property
    def last(self) -> int:
        """One past its last row."""
        return self.first + self.rows


@dataclass(frozen=True)
class ParquetRows:
    """The files of a source, in the order of their names, and their common schema, hive partitions included."""

    name: str
    filesystem: fs.FileSystem
    dataset: ds.FileSystemDataset
    mapping: dict[str, str] = field(default_factory=dict)

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
        """The ``columns`` of a row group, by the names of the files' columns and with the types of the common schema."""
        own = [name for name in columns if name in group.fragment.physical_schema.names]
        with self.filesystem.open_input_file(group.fragment.path) as source:
            file = pq.ParquetFile(source, metadata=group.fragment.metadata, pre_buffer=not self.is_local)
            numbers = [part.id for part in group.fragment.row_groups]
            table = file.read_row_groups(numbers, columns=own, use_threads=threads)
        partition = ds.get_partition_keys(group.fragment.partition_expression)
        arrays = [
            table[name].cast(kind) if name in own else _constant(partition.get(name), kind, group.rows)
            for name, kind in ((name, self.dataset.schema.field(name).type) for name in columns)
        ]
        return pa.Table.from_arrays(arrays, names=list(columns))

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
    return ParquetRows(name, filesystem, factory.finish(schema), dict(source.field_mapping or {}))


def _constant(value: Any, kind: pa.DataType, rows: int) -> pa.ChunkedArray:
    return pa.chunked_array([pa.repeat(pa.scalar(value, kind), rows)])
