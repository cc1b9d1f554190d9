"""CSV and TSV: every line with the fields of its header, or a refusal that names the lines."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa
import pyarrow.csv

from pipelines.raw_bytes import Raw
from watertight.core.errors import Refusal

LINES_NAMED = 5
LONGEST_HEADER = 2**20
MOST_COLUMNS, MOST_CELLS = 10_000, 2**27
LAST = "\x1e"


@dataclass
class Wrong:
    """Lines with more or fewer fields than the header: how many, and the first."""

    count: int = 0
    first: list[pa.csv.InvalidRow] = field(default_factory=list)

    def put_aside(self, row: pa.csv.InvalidRow) -> str:
        """Arrow's question what to do with such a line: go on, so that all are counted."""
        self.count += 1
        if self.count <= LINES_NAMED:
            self.first.append(row)
        return "skip"


def delimited(separator: str) -> Callable[[Raw], pl.DataFrame]:
    """A reader of a file with this separator; all columns are strings, an empty cell without quotes is null.

    Arrow's own: Polars' fills a line that is cut short with nulls, so that labels would vanish in silence.
    """

    def read(raw: Raw) -> pl.DataFrame:
        data = raw.text()
        names = _header(raw, data, separator)
        data += b"\n" + separator.join([LAST] * len(names)).encode()
        wrong = Wrong()
        table = _table(data, names, separator, wrong)
        if wrong.count:
            raise _other_fields(raw, data, names, wrong)
        _demand_closed_quotes(raw, data, table)
        return pl.DataFrame(table.slice(0, table.num_rows - 1))

    return read


def _header(raw: Raw, data: bytearray, separator: str) -> list[str]:
    start = data[:LONGEST_HEADER]
    if len(data) > LONGEST_HEADER and b"\n" not in start and b"\r" not in start:
        raise raw.refused("has a header of more than 1 MiB", "column names in the first line", lines=[1])
    text = io.TextIOWrapper(io.BytesIO(start), encoding="utf-8", newline="")
    names: list[str] = next(filter(None, csv.reader(text, delimiter=separator)))
    if len(names) > MOST_COLUMNS:
        raise raw.refused(f"has {len(names):,} columns", f"at most {MOST_COLUMNS:,} columns", lines=[1])
    cells = len(names) * data.count(b"\n")
    if cells > MOST_CELLS:
        raise raw.refused(f"would have {cells:,} cells", f"at most {MOST_CELLS:,} cells", "split it into several drops")
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        told = ", ".join(map(ascii, doubled[:LINES_NAMED]))
        raise raw.refused(
            f"names {told} more than once in its header", "a name of its own for each column", column=told, lines=[1]
        )
    if any("\x00" in name for name in names):
        raise raw.refused("has NUL bytes in its header, as UTF-16 has", "a text file in UTF-8", lines=[1])
    return names


def _table(data: bytearray, names: list[str], separator: str, wrong: Wrong) -> pa.Table:
    return pa.csv.read_csv(
        pa.BufferReader(pa.py_buffer(data)),
        pa.csv.ReadOptions(use_threads=False, block_size=len(data) + 1),
        pa.csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=wrong.put_aside),
        pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _other_fields(raw: Raw, data: bytearray, names: list[str], wrong: Wrong) -> Refusal:
    """The refusal of lines that have more or fewer fields than the header."""
    lines, end = [], 0
    for row in wrong.first:
        text = row.text.encode()
        start = _place(data, text, end)
        lines.append(_line(data, start))
        end = start + len(text)
    told = "; ".join(f"line {line} has {row.actual_columns}" for line, row in zip(lines, wrong.first))
    refusal = raw.refused(
        f"has {wrong.count} line(s) with other fields than its header: {told}",
        f"a whole file, every line with the {len(names)} fields of the header",
        "mend the separators or quotes of these lines, or get the file again",
        lines=lines,
    )
    refusal.count = wrong.count
    return refusal


def _place(data: bytearray, text: bytes, start: int) -> int:
    """Where ``text`` stands as a line of its own, from ``start`` on; ``start`` where it does not."""
    place = data.find(text, start)
    while place >= 0 and not (_breaks(data, place - 1) and _breaks(data, place + len(text))):
        place = data.find(text, place + 1)
    return place if place >= 0 else start


def _breaks(data: bytearray, place: int) -> bool:
    return not 0 <= place < len(data) or data[place] in b"\r\n"


def _line(data: bytearray, place: int) -> int:
    return (data.count(b"\n", 0, place) or data.count(b"\r", 0, place)) + 1


def _demand_closed_quotes(raw: Raw, data: bytearray, table: pa.Table) -> None:
    """A quote left open swallows what follows as one cell, the row put below the last one too."""
    cell = table.column(table.num_columns - 1)[-1].as_py() if table.num_rows else ""
    if cell != LAST:
        line = _line(data, len(data)) - (cell or "").count("\n")
        raise raw.refused("opens a quote that never closes", "a quote at the end of every quoted cell", lines=[line])
