"""Read a raw file of any known kind: whole, or not at all."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv

from watertight.core.declare import pick
from watertight.core.errors import Misuse, Refusal

GZIP = ".gz"
MOST_BYTES = 2**31 - 1
REASON_CHARS = 200
UNREADABLE = (pl.exceptions.PolarsError, pa.ArrowInvalid, UnicodeDecodeError, EOFError, OSError, zlib.error)


def read_raw(path: Path) -> pl.DataFrame:
    """The columns of a file as they stand; those of CSV and TSV are strings, an empty cell without quotes is null.

    Every kind may be packed with gzip (``.csv.gz``). Raises Misuse where the file is absent or of an unknown kind, and
    Refusal where it is empty, cut off, not UTF-8, or has a line with more or fewer fields than its header.
    """
    packed = path.suffix.lower() == GZIP
    kind = (Path(path.stem).suffix if packed else path.suffix).lower()
    reader = pick(READERS, kind, "kind of file")
    if not path.is_file():
        raise Misuse(f"{path} is not there", expected="a file in the source's own format")
    try:
        data = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
        if not data.strip():
            raise Refusal(f"{path.name} is empty", expected="a header and at least one row", next_step="get the whole file")
        return reader(data)
    except UNREADABLE as error:
        reason = str(error).splitlines()[0][:REASON_CHARS]
        raise Refusal(
            f"{path.name} cannot be read: {reason}",
            expected=f"a whole {kind[1:]} file in UTF-8, every line with the fields of the header",
            next_step="mend the file, or get it again; nothing was changed",
        ) from error


def _delimited(separator: str) -> Callable[[bytes], pl.DataFrame]:
    """Arrow's reader: Polars' own fills a line that is cut short with nulls, so that labels would vanish in silence."""

    def read(data: bytes) -> pl.DataFrame:
        names = pl.read_csv(data, n_rows=0, infer_schema=False, separator=separator).columns
        table = pa.csv.read_csv(
            pa.BufferReader(data),
            pa.csv.ReadOptions(use_threads=False, block_size=min(len(data) + 1, MOST_BYTES)),
            pa.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        return pl.DataFrame(table)

    return read


READERS: dict[str, Callable[[bytes], pl.DataFrame]] = {
    ".csv": _delimited(","),
    ".tsv": _delimited("\t"),
    ".jsonl": lambda data: pl.read_ndjson(data, infer_schema_length=None),
    ".json": lambda data: pl.read_json(data, infer_schema_length=None),
    ".parquet": lambda data: pl.read_parquet(io.BytesIO(data)),
}
