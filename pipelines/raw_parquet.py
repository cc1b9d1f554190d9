"""Parquet: what its metadata promises is looked at before anything is decoded."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from pipelines.raw_bytes import MOST_BYTES, Raw

WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}
WIDE = {
    **dict.fromkeys((pa.string(), pa.large_string(), pa.string_view()), pa.large_string()),
    **dict.fromkeys((pa.binary(), pa.large_binary(), pa.binary_view()), pa.large_binary()),
}
BATCH = 1024


def parquet(raw: Raw) -> pl.DataFrame:
    """The table of a Parquet file. Raises Refusal where it would take more than MOST_BYTES.

    Texts are read as their dictionaries, so that a value which stands a billion times takes its place once until all
    lengths are added up. Nothing in the file is executed: bytes stay bytes, whatever they pickle.
    """
    source = pa.BufferReader(pa.py_buffer(raw.whole())) if raw.packed else raw.path
    with pa.parquet.ParquetFile(source) as file:
        _demand_small(raw, _promised(file.metadata))
        texts = [name for name, kind in zip(file.schema_arrow.names, file.schema_arrow.types) if kind in WIDE]
    with pa.parquet.ParquetFile(source, read_dictionary=texts) as file:
        batches = list(_within(raw, file))
        schema = file.schema_arrow
    table = pa.Table.from_batches(batches, schema)
    _demand_valid(raw, table)
    return pl.DataFrame(_plain(table))


def _promised(metadata: pa.parquet.FileMetaData) -> int:
    """Bytes that the columns take by the metadata: as encoded, or as many values as they have of their type."""
    encoded = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    chunks = [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]
    return max(encoded, metadata.num_rows, sum(chunk.num_values * WIDTHS.get(chunk.physical_type, 1) for chunk in chunks))


def _within(raw: Raw, file: pa.parquet.ParquetFile) -> Iterator[pa.RecordBatch]:
    size = 0
    for batch in file.iter_batches(BATCH if _shares_prefixes(file.metadata) else 64 * BATCH, use_threads=False):
        size += sum(map(_decoded, batch.columns))
        _demand_small(raw, size)
        yield batch


def _demand_small(raw: Raw, size: int) -> None:
    if size > MOST_BYTES:
        told = f"would take {size / 2**30:,.1f} GiB unpacked"
        raise raw.refused(told, f"at most {MOST_BYTES / 2**30:.1f} GiB", "split it into several drops")


def _shares_prefixes(metadata: pa.parquet.FileMetaData) -> bool:
    groups, columns = range(metadata.num_row_groups), range(metadata.num_columns)
    return any("DELTA_BYTE_ARRAY" in metadata.row_group(group).column(column).encodings for group in groups for column in columns)


def _demand_valid(raw: Raw, table: pa.Table) -> None:
    """Raise Refusal for a column that is not what its type says, text that is not UTF-8 above all: Polars would not look."""
    for name, column in zip(table.column_names, table.columns):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            reason = f"{error}".split("\n")[0]
            raise raw.refused(
                f"has a broken column: {reason}", "values of the column's type, texts in UTF-8", column=name
            ) from error


def _decoded(column: pa.Array) -> int:
    """Bytes of a column once each of its values stands for itself."""
    if not (pa.types.is_dictionary(column.type) and column.type.value_type in WIDE):
        return int(column.nbytes)
    lengths = pa.compute.binary_length(column.dictionary).take(column.indices)
    return int(pa.compute.sum(lengths.cast(pa.int64())).as_py() or 0)


def _plain(table: pa.Table) -> pa.Table:
    """The columns alone: each dictionary as the values that it stands for, no metadata, in which any bytes may stand."""
    return pa.Table.from_arrays([_spelt_out(column) for column in table.columns], table.column_names)


def _spelt_out(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_dictionary(column.type):
        return column
    return column.cast(WIDE.get(column.type.value_type, column.type.value_type))
