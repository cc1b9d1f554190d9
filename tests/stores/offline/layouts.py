"""How rows may lie on disk: each layout writes a table below a folder and answers the path that a FileSource names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from tests.stores.offline.object_store import bucket, endpoint, uploaded

Layout = Callable[[pa.Table, Path], str]


def one_file(table: pa.Table, folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "rows.parquet")
    return str(folder / "rows.parquet")


def row_groups(size: int, *, statistics: bool = True) -> Layout:
    """One file in row groups of ``size`` rows, with or without their least and greatest values."""

    def write(table: pa.Table, folder: Path) -> str:
        path = one_file(table, folder)
        pq.write_table(table, path, row_group_size=size, write_statistics=statistics)
        return path

    return write


def named(name: str) -> Layout:
    """One file of this name."""

    def write(table: pa.Table, folder: Path) -> str:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / name)
        return str(folder / name)

    return write


def files(*lengths: int, reordered: bool = False) -> Layout:
    """A folder of files with so many rows each, written last to first; with ``reordered``, columns turn round in every other."""

    def write(table: pa.Table, folder: Path) -> str:
        folder.mkdir(parents=True, exist_ok=True)
        starts = [sum(lengths[:number]) for number in range(len(lengths))]
        for number in reversed(range(len(lengths))):
            part = table.slice(starts[number], lengths[number])
            turned = part.select(part.column_names[::-1]) if reordered and number % 2 else part
            pq.write_table(turned, folder / f"part-{number}.parquet")
        return str(folder)

    return write


def beside_others(table: pa.Table, folder: Path) -> str:
    """A folder in which other programs left their marks."""
    path = files(table.num_rows)(table, folder)
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.parquet.crc").write_bytes(b"crc")
    return path


def hive(column: str) -> Layout:
    """Folders named ``<column>=<value>``; the files do not hold the column."""

    def write(table: pa.Table, folder: Path) -> str:
        partitioning = ds.partitioning(pa.schema([table.schema.field(column)]), flavor="hive")
        ds.write_dataset(table, folder, format="parquet", partitioning=partitioning)
        return str(folder)

    return write


def relative(layout: Layout) -> Layout:
    """A path relative to the repository, in which the project's folder of data lies."""

    def write(table: pa.Table, folder: Path) -> str:
        return str(Path(layout(table, folder)).relative_to(folder.parents[1]))

    return write


def file_url(layout: Layout) -> Layout:
    def write(table: pa.Table, folder: Path) -> str:
        return Path(layout(table, folder)).as_uri()

    return write


def s3(layout: Layout) -> Layout:
    """The same files in a bucket of an S3 server on this machine."""

    def write(table: pa.Table, folder: Path) -> str:
        local = Path(layout(table, folder))
        return uploaded(local, bucket(), f"{folder.parents[1].name}/{folder.name}")

    return write


def endpoint_of(uri: str) -> str | None:
    """The address of the S3 server where a source lies on one."""
    return endpoint() if uri.startswith("s3://") else None
