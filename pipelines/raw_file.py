"""Read a raw file of any known kind: whole, or not at all."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipelines.raw_bytes import GZIP, Raw
from pipelines.raw_delimited import LINES_NAMED, delimited
from pipelines.raw_json import by_line, listed
from pipelines.raw_npy import array
from pipelines.raw_npz import archive
from pipelines.raw_parquet import parquet
from watertight.core.declare import pick
from watertight.core.errors import Refusal

REASON_CHARS = 200
SHAPES = {".json": ', a list of records such as [{"name": 1}, {"name": 2}]'}
BINARY = (".npy", ".npz", ".parquet")
UNREADABLE = (pl.exceptions.PolarsError, pa.ArrowException, UnicodeDecodeError, EOFError, OSError, zlib.error, csv.Error)
READERS: dict[str, Callable[[Raw], pl.DataFrame]] = {
    ".csv": delimited(","),
    ".tsv": delimited("\t"),
    ".jsonl": by_line,
    ".json": listed,
    ".parquet": parquet,
    ".npy": array,
    ".npz": archive,
}


def read_raw(path: Path, unlabelled: bool = False) -> pl.DataFrame:
    """The columns of a file as they stand; those of CSV and TSV are strings, an empty cell without quotes is null.

    Every kind may be packed with gzip (``.csv.gz``). A byte order mark is left out. Of an ``unlabelled`` archive only what is
    needed to predict its rows is read; any other kind has the columns that it has. Raises Misuse where the file is absent
    or of an unknown kind, and Refusal where its name cannot name a drop, or where it is no regular file, empty, cut off, not
    UTF-8, has a line with more or fewer fields than its header, or is larger than memory should hold; it says which lines.
    """
    drop_name(path)
    raw = Raw.at(path, unlabelled)
    try:
        raw.demand_regular()
        if raw.kind == GZIP:
            raise raw.refused("is packed more than once by its name", "a file packed once, such as drop.csv.gz", "unpack it once")
        return pick(READERS, raw.kind, "kind of file")(raw)
    except UNREADABLE as error:
        raise _refused(raw, error) from error


def drop_name(path: Path) -> str:
    """The name of the drop that a file is, which becomes the name of other files; raises Refusal where it must not."""
    name = path.stem
    if not path.name.isprintable() or ".." in path.name or name.startswith((".", "-")):
        raise Refusal(
            f"a file named {path.name!a} cannot be a drop",
            expected="a printable name that begins with a letter, a digit or an underscore and has no '..' in it",
            next_step="rename the file; nothing was changed",
        )
    return name


def _refused(raw: Raw, error: BaseException) -> Refusal:
    broken = raw.kind in BINARY or isinstance(error, OSError | EOFError | zlib.error)
    foreign = None if broken else _in_other_encoding(raw)
    if foreign:
        return foreign
    reason = "".join(char if char.isprintable() else "�" for char in f"{error}"[:REASON_CHARS].split("\n")[0])
    packed = ", packed with gzip, and nothing behind it" if raw.packed else ""
    return raw.refused(f"cannot be read: {reason}", f"a whole {raw.kind[1:]} file{SHAPES.get(raw.kind, '')}{packed}")


def _in_other_encoding(raw: Raw) -> Refusal | None:
    """The refusal of lines that are not UTF-8, with what the first says if it is in Windows' own encoding; None if all are."""
    count, lines, says = 0, [], ""
    with raw.opened() as (stream, _):
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                count += 1
                says = says or line[max(error.start - 10, 0) : error.start + 10].strip().decode("cp1252", errors="replace")
                lines += [number] if count <= LINES_NAMED else []
    if not count:
        return None
    told = f"has {count} line(s) that are not UTF-8; line {lines[0]}, read as Windows-1252, says {says!r}"
    refusal = raw.refused(told, f"a whole {raw.kind[1:]} file in UTF-8", "write these lines as UTF-8", lines=lines)
    refusal.count = count
    return refusal
