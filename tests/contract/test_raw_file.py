"""Hostile and broken files, handed to the one way to read: what is refused, in which words, and at what cost."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import struct
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.raw_bytes import LONGEST_LINE
from pipelines.raw_file import drop_name, read_raw
from watertight.core.errors import Misuse, Refusal, WatertightError

ROOT = Path(__file__).parents[2]
GOOD = "id,text\n1,one\n2,two\n"
ROWS = [("1", "one"), ("2", "two")]
PEAK = """
import resource, sys, time
from pathlib import Path
from pipelines.raw_file import read_raw
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
try:
    read_raw(Path(sys.argv[1]))
except Exception as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, time.process_time() - start)
"""


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path) -> str:
    """The words of the refusal, which always say what was expected and what to do."""
    with pytest.raises(Refusal) as caught:
        read_raw(path)
    told = str(caught.value)
    assert told.replace("\n", "").isprintable()
    assert "\n  expected: " in told
    assert "\n  next: " in told
    assert "nothing was changed" in told
    return told


def cost(path: Path) -> tuple[str, float, float]:
    """The words of the refusal in a process of its own, the MiB it needed beyond its imports, and its processor seconds."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    *told, spent = done.stdout.splitlines()
    kibibytes, seconds = map(float, spent.split())
    return "\n".join(told), kibibytes / 1024, seconds


BROKEN: dict[str, tuple[str, str | bytes, tuple[str, ...]]] = {
    "empty": ("a.csv", b"", ("a.csv is empty",)),
    "nothing but a byte order mark": ("a.csv", b"\xef\xbb\xbf\n", ("a.csv is empty",)),
    "a field too many": (
        "a.csv",
        "id,text\n1,one\n2,two,too\n",
        ("1 line(s)", "line 3 has 3", "the 2 fields", "rows: 1 (line 3)"),
    ),
    "a field too few": (
        "a.csv",
        "id,text,n\n1,one,1\n2,two\n",
        ("1 line(s)", "line 3 has 2", "the 3 fields", "rows: 1 (line 3)"),
    ),
    "many shifted lines": (
        "a.csv",
        "id,text\n" + "1,one,x\n" * 7,
        ("7 line(s)", "line 2 has 3; line 3 has 3", "rows: 7 (line 2, line 3, line 4, line 5, line 6)"),
    ),
    "a shifted line below cells of several lines": ("a.csv", 'id,text\n1,"one\n\nmore"\n\n2\n', ("line 6 has 1",)),
    "a shifted line like the end of a good one": ("a.csv", "id,text\n1,2\n2\n", ("line 3 has 1",)),
    "a shifted line like the beginning of a good one": ("a.csv", "id,text\n2,two\n2\n", ("line 3 has 1",)),
    "line ends of old": ("a.csv", "id,text\r1,one\r2\r", ("line 3 has 1",)),
    "an open quote in the last column": (
        "a.csv",
        'id,text\n1,one\n2,"two\n3,three\n',
        ("opens a quote that never closes", "line 3"),
    ),
    "an open quote alone": ("a.csv", 'id\n"one', ("opens a quote that never closes", "line 2")),
    "lines in Latin-1": (
        "a.csv",
        "id,text\n1,näher\n".encode() + "2,für\n3,ok\n4,später\n".encode("latin-1"),
        ("2 line(s) that are not UTF-8; line 3, read as Windows-1252, says '2,für'", "rows: 2 (line 3, line 5)"),
    ),
    "a header in Latin-1": ("a.csv", "id,größe\n1,2\n".encode("latin-1"), ("1 line(s) that are not UTF-8; line 1",)),
    "Latin-1 and a shifted line": ("a.csv", b"id,text\n1,\xe9t\xe9\n2,two,too\n", ("1 line(s) that are not UTF-8; line 2",)),
    "nothing but Latin-1": (
        "a.tsv",
        b"id\ttext\n" + b"1\t\xe9t\xe9\n" * 9,
        ("9 line(s) that are not UTF-8", "rows: 9 (line 2, "),
    ),
    "UTF-16": ("a.csv", GOOD.encode("utf-16"), ("is in UTF-16", "expected: UTF-8")),
    "UTF-16 of the other order": ("a.csv", b"\xfe\xff" + GOOD.encode("utf-16-be"), ("is in UTF-16", "expected: UTF-8")),
    "UTF-16 without its mark": ("a.csv", GOOD.encode("utf-16-le"), ("NUL bytes in its header, as UTF-16 has", "line 1")),
    "zeros": ("a.csv", b"\x00" * 4096, ("NUL bytes in its header",)),
    "a column named twice": ("a.csv", "id,text,id\n1,one,2\n", ("names 'id' more than once", "column: 'id'")),
    "half a million columns": ("a.csv", "a," * 500_000 + "a\n", ("has 500,001 columns", "at most 10,000 columns")),
    "a header of a megabyte": ("a.csv", "a" * 2**20 + ",b\n1,2\n", ("has a header of more than 1 MiB",)),
    "many columns named alike": ("a.csv", ",".join(["a"] * 9_999) + "\n", ("names 'a' more than once",)),
    "a spreadsheet": ("a.csv", b"PK\x03\x04rest", ("is a zip archive or a spreadsheet",)),
    "Parquet by another name": ("a.csv", b"PAR1rest", ("is a Parquet file", "the ending .parquet")),
    "packed, but not by its name": ("a.csv", gzip.compress(GOOD.encode()), ("is packed with gzip once more than its name says",)),
    "packed twice": (
        "a.csv.gz",
        gzip.compress(gzip.compress(GOOD.encode())),
        ("is packed with gzip once more than its name says",),
    ),
    "packed twice by its name": ("a.csv.gz.gz", b"", ("is packed more than once by its name",)),
    "gzip cut off": ("a.csv.gz", gzip.compress(GOOD.encode())[:-9], ("Compressed file ended", "packed with gzip")),
    "gzip with a broken middle": (
        "a.csv.gz",
        gzip.compress(GOOD.encode())[:12] + b"\xff" * 30,
        ("a.csv.gz cannot be read", "packed with gzip"),
    ),
    "gzip with a wrong sum": ("a.csv.gz", gzip.compress(GOOD.encode())[:-8] + b"\x00" * 8, ("CRC check failed",)),
    "gzip with something behind it": (
        "a.csv.gz",
        gzip.compress(GOOD.encode()) + b"junk",
        ("Not a gzipped file", "nothing behind it"),
    ),
    "an empty file as gzip": ("a.csv.gz", b"", ("a.csv.gz is empty",)),
    "an object": ("a.json", '{"id": 1}', ("is no list of records",)),
    "a list of numbers": ("a.json", "[1, 2]", ("cannot be read", "a list of records")),
    "a number among records": ("a.json", '[{"id": 1}, 2]', ("cannot be read", "a list of records")),
    "no records": ("a.json", "[]", ("holds no records",)),
    "JSON cut off": ("a.json", '[{"id": 1}, {"id"', ("cannot be read", "a whole json file")),
    "JSON without a bottom": ("a.json", "[" * 100_000, ("cannot be read",)),
    "JSON in Latin-1": ("a.json", b'[\n{"id": "\xe9"}]', ("1 line(s) that are not UTF-8; line 2",)),
    "a record cut off": ("a.jsonl", '{"id": 1}\n\n{"id": ', ("line 3", "a whole JSON record on every line")),
    "a list among records": ("a.jsonl", '{"id": 1}\n[1]\n', ("line 2", "a whole JSON record on every line")),
    "two records on a line": ("a.jsonl", '{"id": 1}{"id": 2}\n', ("line 1", "a whole JSON record on every line")),
    "records in Latin-1": ("a.jsonl", b'{"id": 1}\n{"id": "\xe9"}\n', ("1 line(s) that are not UTF-8; line 2",)),
    "records without a bottom": ("a.jsonl", '{"id": ' + "[" * 100_000, ("line 1",)),
    "Parquet in name only": ("a.parquet", GOOD, ("a.parquet cannot be read",)),
    "an empty Parquet file": ("a.parquet", b"", ("a.parquet cannot be read",)),
    "an escape in the name": ("a\x1b[31m.csv", GOOD, ("a file named 'a\\x1b[31m.csv' cannot be a drop",)),
    "a line end in the name": ("a\nb.csv", GOOD, ("cannot be a drop",)),
    "a name that turns around": ("a\u202evsc.csv", GOOD, ("a file named 'a\\u202evsc.csv' cannot be a drop",)),
    "a name that is a folder above": ("...csv", GOOD, ("a file named '...csv' cannot be a drop",)),
    "two dots in a name": ("a..b.csv", GOOD, ("cannot be a drop",)),
    "a name that is an option": ("-a.csv", GOOD, ("cannot be a drop",)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_in_words_that_help(tmp_path: Path, name: str) -> None:
    file, content, fragments = BROKEN[name]
    path = put(tmp_path, file, content)
    told = refused(path)
    assert [fragment for fragment in fragments if fragment not in told] == [], told
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)


TAKEN: dict[str, tuple[str, str | bytes]] = {
    "as it should be": ("a.csv", GOOD),
    "no line end at the end": ("a.csv", GOOD.rstrip("\n")),
    "byte order mark": ("a.csv", "\ufeff" + GOOD),
    "CRLF": ("a.csv", GOOD.replace("\n", "\r\n")),
    "CR": ("a.csv", GOOD.replace("\n", "\r")),
    "empty lines": ("a.csv", "\n" + GOOD.replace("\n", "\n\n")),
    "quotes": ("a.csv", GOOD.replace("one", '"one"')),
    "tabs": ("a.tsv", GOOD.replace(",", "\t")),
    "packed": ("a.csv.gz", gzip.compress(GOOD.encode())),
    "packed in two members": ("a.csv.gz", gzip.compress(GOOD[:12].encode()) + gzip.compress(GOOD[12:].encode())),
    "packed, with the zeros of a tape": ("a.CSV.GZ", gzip.compress(GOOD.encode()) + b"\x00" * 512),
    "JSON": ("a.json", '[{"id": "1", "text": "one"}, {"id": "2", "text": "two"}]'),
    "JSON with a byte order mark": ("a.json", '\ufeff\n [{"id": "1", "text": "one"}, {"id": "2", "text": "two"}]'),
    "JSON lines": ("a.jsonl", '\ufeff{"id": "1", "text": "one"}\n\n{"id": "2", "text": "two"}'),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_an_editor_or_a_packer_does_changes_no_row(tmp_path: Path, name: str) -> None:
    found = read_raw(put(tmp_path, *TAKEN[name]))
    assert (found.columns, found.rows()) == (["id", "text"], ROWS)


@pytest.mark.parametrize("cell", ['"a\nb, ""c"""', '""', "", 'a "b" c', "x\x00y", "\x1e", "naïve 👩🏽‍🚀"])
def test_a_cell_is_read_as_the_standard_library_reads_it(tmp_path: Path, cell: str) -> None:
    import csv
    import io

    text = f"id,text\n1,{cell}\n2,\x1e\n"
    expected = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))][1:]
    found = read_raw(put(tmp_path, "a.csv", text)).with_columns(pl.col("text").fill_null(""))
    assert found.rows() == expected


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_header_alone_is_a_table_without_rows(tmp_path: Path, ending: str) -> None:
    found = read_raw(put(tmp_path, "a.csv", "id,text" + ending))
    assert (found.columns, found.height) == (["id", "text"], 0)


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "device.csv").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    for name in ("pipe.csv", "folder.csv", "device.csv", "folder"):
        assert f"{name} is no regular file" in refused(tmp_path / name)


def test_a_link_to_a_file_is_the_file(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", GOOD)
    (tmp_path / "link.csv").symlink_to("a.csv")
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    assert read_raw(tmp_path / "link.csv").rows() == ROWS
    assert "loop.csv cannot be read" in refused(tmp_path / "loop.csv")


def test_what_is_not_there_is_misuse(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("gone.csv")
    for name in ("gone.csv", "link.csv"):
        with pytest.raises(Misuse, match="is not there"):
            read_raw(tmp_path / name)


@pytest.mark.parametrize("name", ["drop.csv", "2026-01.csv.gz", "Übung 3 (neu).tsv", "_x.json"])
def test_an_ordinary_name_names_a_drop(name: str) -> None:
    assert drop_name(Path("..", "elsewhere", name)) == Path(name).stem


def test_a_line_of_two_gigabytes(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as file:
        file.write(b"id,text\n1,one\n2,")
        file.truncate(2_000_000_000)
    told, mebibytes, seconds = cost(tmp_path / "a.csv")
    assert "a.csv has a line of more than 16.0 MiB" in told
    assert "rows: 1 (line 3)" in told
    assert mebibytes < 100
    assert seconds < 5


def test_a_file_of_two_terabytes(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(2 * 10**12)
    told, mebibytes, seconds = cost(tmp_path / "a.csv")
    assert "a.csv is larger than 2,047.0 MiB unpacked" in told
    assert mebibytes < 50
    assert seconds < 1


@pytest.mark.parametrize("over", [0, 1])
def test_the_longest_line_is_read_and_a_byte_more_is_not(tmp_path: Path, over: int) -> None:
    path = put(tmp_path, "a.csv", "id,text\n1,one\n2," + "x" * (LONGEST_LINE - 2 + over) + "\n3,three\n")
    if over:
        assert "line 3" in refused(path)
    else:
        assert read_raw(path)["text"].str.len_chars().to_list() == [3, LONGEST_LINE - 2, 5]


def test_many_lines_that_expand_without_measure(tmp_path: Path) -> None:
    """Half a GiB of good lines in half a MiB, and it could be as many as one likes."""
    mebibyte = gzip.compress(b"1,one\n2,two!!!!!\n" * 2**16)
    path = put(tmp_path, "a.csv.gz", gzip.compress(b"id,text\n") + mebibyte * 512)
    told, mebibytes, _ = cost(path)
    assert "a.csv.gz expands more than 200-fold" in told
    assert mebibytes < 200


def test_separators_alone_that_would_become_cells_without_measure(tmp_path: Path) -> None:
    header = ",".join(f"c{number}" for number in range(2000)) + "\n"
    path = put(tmp_path, "a.csv", header + ("," * 1999 + "\n") * 70_000)
    told, mebibytes, _ = cost(path)
    assert "a.csv would have 140,002,000 cells" in told
    assert mebibytes < 400


def test_a_line_that_expands_without_measure(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv.gz", gzip.compress(bytes(2**20)) * 200)
    told, mebibytes, _ = cost(path)
    assert "a.csv.gz has a line of more than 16.0 MiB" in told
    assert mebibytes < 100


def zigzag(number: int) -> bytes:
    """An integer as Thrift's compact protocol writes it, in which Parquet keeps its metadata."""
    left, found = number << 1, bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*found, left])


def test_a_parquet_file_that_promises_a_billion_rows(tmp_path: Path) -> None:
    rows = 77_777
    pq.write_table(pa.table({"id": pa.array(np.arange(rows))}), tmp_path / "good.parquet", use_dictionary=False)
    assert read_raw(tmp_path / "good.parquet").height == rows
    data = (tmp_path / "good.parquet").read_bytes()
    start = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]
    footer = data[start:-8].replace(zigzag(rows), zigzag(10**12))
    path = put(tmp_path, "a.parquet", data[:start] + footer + struct.pack("<I", len(footer)) + b"PAR1")
    assert pq.read_metadata(path).num_rows == 10**12
    told, mebibytes, _ = cost(path)
    assert "a.parquet would take 7,450.6 GiB unpacked" in told
    assert "expected: at most 2.0 GiB" in told
    assert mebibytes < 50


@pytest.mark.parametrize("told", [True, False], ids=["dictionary told", "dictionary not told"])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary()])
def test_a_parquet_file_in_which_one_long_value_stands_for_every_row(tmp_path: Path, kind: pa.DataType, told: bool) -> None:
    values = pa.array(["x" * 10**6], kind)
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, "int32")), values)
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet", compression="zstd", store_schema=told)
    assert (tmp_path / "a.parquet").stat().st_size < 10_000
    told, mebibytes, _ = cost(tmp_path / "a.parquet")
    assert "GiB unpacked" in told
    assert mebibytes < 100


def test_a_good_parquet_file_keeps_its_types(tmp_path: Path) -> None:
    told = pl.DataFrame(
        {
            "id": [1, 2, None],
            "text": ["a", None, "a"],
            "bytes": [b"1", None, b"2"],
            "vector": [[1.0, 2.0], None, [3.0]],
            "kind": pl.Series(["x", "y", "x"]),
            "names": [["a", "b"], [], None],
        }
    )
    told.write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress((tmp_path / "a.parquet").read_bytes()))
    pq.write_table(told.to_arrow(), tmp_path / "b.parquet", data_page_version="2.0", use_dictionary=False)
    for name in ("a.parquet", "a.parquet.gz", "b.parquet"):
        assert read_raw(tmp_path / name).equals(told)
        assert read_raw(tmp_path / name).schema == told.schema


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary()])
def test_repeated_texts_are_looked_at_before_they_are_spelt_out(tmp_path: Path, kind: pa.DataType) -> None:
    """The type by which the file was written does not decide how much it takes."""
    values = pa.array(["x" * 1000, None, "y"] * 1000, pa.string()).cast(kind)
    pq.write_table(pa.table({"text": values}), tmp_path / "a.parquet")
    with patch("pipelines.raw_parquet.MOST_BYTES", 500_000):
        assert "a.parquet would take" in refused(tmp_path / "a.parquet")
    assert read_raw(tmp_path / "a.parquet")["text"].len() == 3000


@pytest.mark.parametrize("values", [[1, 2, 1], [True, None, True], ["a", None, "a"]])
def test_categories_are_read_as_what_they_stand_for(tmp_path: Path, values: list[object]) -> None:
    pq.write_table(pa.table({"a": pa.array(values).dictionary_encode()}), tmp_path / "a.parquet")
    assert read_raw(tmp_path / "a.parquet")["a"].equals(pl.Series("a", values))


def test_a_parquet_file_cut_off(tmp_path: Path) -> None:
    pl.DataFrame({"id": range(1000)}).write_parquet(tmp_path / "good.parquet")
    data = (tmp_path / "good.parquet").read_bytes()
    for length in (len(data) - 1, len(data) // 2, 4):
        assert "a.parquet cannot be read" in refused(put(tmp_path, "a.parquet", data[:length]))


def test_a_parquet_file_with_texts_in_latin_1(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1, 2], "text": ["naive", "x" * 40]}), tmp_path / "good.parquet", compression="none")
    path = put(tmp_path, "a.parquet", (tmp_path / "good.parquet").read_bytes().replace(b"naive", b"na\xefve"))
    told = refused(path)
    assert "a.parquet has a broken column: " in told
    assert "column: text" in told


class Trap:
    """What makes a file if it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (open, (str(self.place), "w"))


def test_what_is_pickled_in_a_file_stays_bytes(tmp_path: Path) -> None:
    trap = pickle.dumps(Trap(tmp_path / "sprung"))
    schema = pa.schema(
        [
            pa.field(
                "a",
                pa.binary(),
                metadata={b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": trap},
            )
        ],
        metadata={b"pandas": json.dumps({"columns": [{"name": "a", "pandas_type": "object", "numpy_type": "object"}]}).encode()},
    )
    pq.write_table(pa.table({"a": [trap]}, schema=schema), tmp_path / "a.parquet")
    try:
        assert read_raw(tmp_path / "a.parquet").rows() == [(trap,)]
    except WatertightError as error:
        assert "a.parquet cannot be read" in str(error)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("seed", range(40))
def test_no_damage_to_a_file_gives_anything_but_a_table_or_a_refusal(tmp_path: Path, seed: int) -> None:
    """Bytes turned over, cut out or doubled, in each kind of file."""
    made = np.random.default_rng(seed)
    frame = pl.DataFrame({"id": [str(number) for number in range(50)], "text": ['ein Wort, "zwei"\nmehr'] * 50})
    frame.write_csv(tmp_path / "a.csv")
    frame.write_ndjson(tmp_path / "a.jsonl")
    (tmp_path / "a.json").write_text(frame.write_json())
    frame.write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    for path in sorted(tmp_path.iterdir()):
        data = bytearray(path.read_bytes())
        for _ in range(int(made.integers(1, 4))):
            place, length = int(made.integers(len(data))), int(made.integers(1, 9))
            data[place : place + length] = made.bytes(length if made.random() < 0.7 else 0)
        path.write_bytes(data)
        try:
            assert read_raw(path).width >= 0
        except Refusal as error:
            assert path.name in str(error)


def test_a_good_file_of_a_hundred_thousand_rows_is_read_in_no_time(tmp_path: Path) -> None:
    lines = "".join(f"{number},some words that make a text of ordinary length for row {number}\n" for number in range(100_000))
    path = put(tmp_path, "a.csv", "id,text\n" + lines)
    spent = []
    for _ in range(3):
        start = time.process_time()
        assert read_raw(path).height == 100_000
        spent.append(time.process_time() - start)
    assert min(spent) < 0.5
