"""Drops that must not come in: exit status 1 (2 for misuse), a reason, and every byte of the tree as it was."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from made_drops import LATER, Note, corrected, file_of, note
from tiny_project import TinyProject, digests
from typer.testing import CliRunner

from watertight.cli import app

YEARS = timedelta(days=3653)


def answered(*arguments: str) -> tuple[int, str]:
    """Exit status and what was told of a command, in this process."""
    done = CliRunner().invoke(app, [*arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


@dataclass(frozen=True)
class Bad:
    """A bad file: how it is written, and what is told of it."""

    write: Callable[[Path], Path]
    told: str


def csv(notes: list[Note], change: Callable[[list[bytes]], list[bytes]] = list) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = file_of(notes, folder / "drop.csv")
        path.write_bytes(b"\n".join(change(path.read_bytes().splitlines())) + b"\n")
        return path

    return write


def packed(cut: int) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        data = gzip.compress(file_of(LATER, folder / "drop.csv").read_bytes())
        path = folder / "drop.csv.gz"
        path.write_bytes(data[:-cut])
        return path

    return write


def bomb(folder: Path) -> Path:
    path = folder / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(file_of(LATER, folder / "drop.csv").read_bytes())
        for _ in range(2300):
            stream.write(b"\n" * 2**20)
    return path


def long_line(folder: Path) -> Path:
    path = file_of(LATER, folder / "drop.csv")
    with path.open("r+b") as stream:
        stream.seek(2**31 - 2**22)
        stream.write(b"\n")
    return path


def shifted(lines: list[bytes]) -> list[bytes]:
    return [*lines[:4], lines[4].replace(b",", b",,", 1), *lines[5:]]


def moved(by: timedelta) -> list[Note]:
    times = ("asked_at", "labelled_at", "created_at")
    return [{**told, **{name: told[name] + by for name in times}} for told in LATER]


def changed(**values: Any) -> list[Note]:
    return [{**told, **values} for told in LATER]


BAD = {
    "a gzip that was cut off": Bad(packed(20), "drop.csv.gz"),
    "a shifted column": Bad(csv(LATER, shifted), "line 5"),
    "mixed encodings": Bad(csv(LATER, lambda lines: [*lines[:3], lines[3].replace(b"feel", b"f\xe9el"), *lines[4:]]), "line 4"),
    "a line of 2 GB": Bad(long_line, "a line of"),
    "one id for different rows": Bad(csv([*LATER, {**LATER[0], "text": "other"}]), "the row_id stands for another row"),
    "one id with two labels known at once": Bad(csv([*LATER, {**LATER[0], "mood": 0.25}]), "created_at is not later"),
    "a correction that is not later": Bad(csv([*LATER, note(4, 0, mood=0.25)]), "created_at is not later"),
    "a label out of range": Bad(csv([*LATER[1:], {**LATER[0], "mood": 2.5}]), "'column': 'mood'"),
    "labels out of range": Bad(csv(changed(mood=7)), "10 of 10 rows"),
    "a clock ten years ahead": Bad(csv(moved(YEARS)), "asked_at"),
    "a clock ten years behind": Bad(csv(moved(-YEARS)), "asked_at"),
    "a zip bomb": Bad(bomb, "bomb.csv.gz"),
    "a drop that is a path": Bad(csv(changed(drop="../../ledger")), "has 'drop', which the contract does not name"),
    "an author under another group": Bad(csv([{**told, "group_id": "elsewhere"} for told in LATER]), "'column_A': 'group_id'"),
    "a child without a parent": Bad(csv([*LATER, note(12, 2, parent_id="gone", synthetic=True)]), "expect_parents_to_exist"),
    "a synthetic row of nobody": Bad(csv([*LATER, note(12, 2, synthetic=True)]), "expect_parents_to_exist"),
    "a child in another group than its parent": Bad(
        csv([*LATER, {**note(12, 2), "row_id": "c", "note_id": "c", "parent_id": "a05-1", "synthetic": True}]),
        "expect_parents_to_exist",
    ),
    "a row without a name": Bad(csv([*LATER, note(12, 2, row_id=None)]), "row_id is no name of a row"),
    "two rows without a name": Bad(csv([*LATER, *[note(12, each, row_id=" ") for each in (2, 3)]]), "row_id is no name of a row"),
    "an earlier version out of range": Bad(
        csv([*LATER, note(12, 2, mood=99), corrected(note(12, 2), 1, 24)]), "'column': 'mood', 'min_value': -2.0"
    ),
    "another header": Bad(csv(LATER, lambda lines: [lines[0].replace(b"text", b"txt"), *lines[1:]]), "did you mean 'txt'"),
    "no rows": Bad(csv(LATER, lambda lines: lines[:1]), "no rows"),
}


@pytest.mark.parametrize("command", ["check", "ingest"])
@pytest.mark.parametrize("bad", [pytest.param(bad, id=name) for name, bad in BAD.items()])
def test_a_bad_drop_changes_nothing(receiving: TinyProject, tmp_path: Path, command: str, bad: Bad) -> None:
    path, before = bad.write(tmp_path), digests(receiving.root)
    status, told = answered(command, str(path), "--workload", "tiny")
    if command == "ingest" and status == 0:
        assert "quarantined: " in told, "its good rows came in"
        return
    assert status == 1
    assert bad.told in told
    assert {name: digest for name, digest in digests(receiving.root).items() if not name.endswith(".lock")} == before


@pytest.mark.parametrize("workload", ["../tiny", "tny", ""])
def test_a_workload_that_is_none_is_misuse(receiving: TinyProject, tmp_path: Path, workload: str) -> None:
    path, before = file_of(LATER, tmp_path / "drop.csv"), digests(receiving.root)
    status, told = answered("ingest", str(path), "--workload", workload)
    assert (status, digests(receiving.root)) == (2, before)
    assert "no workload is called" in told


@pytest.mark.parametrize("name", ["..csv", "...csv", "a..b.csv", "-x.csv", ".hidden.csv", "a\nb.csv"])
def test_a_file_whose_name_may_mean_something_else_is_no_drop(receiving: TinyProject, tmp_path: Path, name: str) -> None:
    path, before = file_of(LATER, tmp_path / name), digests(receiving.root)
    status, told = answered("ingest", "--workload", "tiny", "--", str(path))
    assert (status, "cannot be a drop" in told) == (1, True)
    assert {name: digest for name, digest in digests(receiving.root).items() if not name.endswith(".lock")} == before


@pytest.mark.parametrize("name", ["a b.csv", "ünï.csv", "x" * 200 + ".csv", "a.b.c.csv"])
def test_bad_rows_of_a_file_of_any_name_lie_in_their_place(receiving: TinyProject, tmp_path: Path, name: str) -> None:
    status, told = answered("ingest", "-w", "tiny", str(file_of([*LATER, note(12, 2, mood=9)], tmp_path / name)))
    assert (status, "quarantined: 1" in told) == (0, True)
    places = [file.parent for file in (receiving.root / "data" / "quarantine").rglob("*.parquet")]
    assert places == [receiving.root / "data" / "quarantine" / "tiny" / "drops"]
