from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from watertight.core.errors import Refusal
from watertight.core.tables import json_text, read_json, read_table, replacing, write_json, write_table

ROOT = Path(__file__).parents[2]
DIES_INSIDE = """
import sys, time
from pathlib import Path
from watertight.core.tables import replacing

with replacing(*map(Path, sys.argv[2:])) as drafts:
    for draft in drafts:
        if sys.argv[1] == "folder":
            draft.mkdir()
            (draft / "part").write_text("half")
        else:
            draft.write_text("half")
    print("written", flush=True)
    time.sleep(60)
"""


def rows() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "row_id": ["a", "b", "c", "d"],
            "asked_at": [datetime(2025, 5, 3, tzinfo=UTC), None, datetime(2025, 5, 4, tzinfo=UTC), None],
            "y": [1.5, None, float("nan"), -0.0],
            "vector": [[1.0, 2.0], None, [3.0, 4.0], []],
            "flag": [True, None, False, True],
        },
        schema_overrides={"asked_at": pl.Datetime("us", "UTC"), "vector": pl.List(pl.Float32)},
    )


def write_file(path: Path, text: str) -> None:
    path.write_text(text)


def write_folder(path: Path, text: str) -> None:
    path.mkdir()
    (path / "part").write_text(text)


def content(path: Path) -> str:
    return (path / "part" if path.is_dir() else path).read_text()


kinds = pytest.mark.parametrize(("kind", "write"), [("file", write_file), ("folder", write_folder)])


def test_a_table_comes_back_as_it_was(tmp_path: Path) -> None:
    write_table(rows(), tmp_path / "deep" / "rows[1].parquet")
    assert_frame_equal(read_table(tmp_path / "deep" / "rows[1].parquet"), rows())
    assert read_table(tmp_path / "deep" / "rows[1].parquet", ["y", "row_id"]).columns == ["y", "row_id"]


def test_the_same_rows_are_the_same_bytes_however_they_came_together(tmp_path: Path) -> None:
    pieces = pl.concat([rows()[:1], rows()[1:3], rows()[3:]], rechunk=False)
    sliced = pl.concat([rows(), rows()])[4:]
    made = [rows(), pieces, sliced, rows().to_arrow(compat_level=pl.CompatLevel.oldest())]
    for number, table in enumerate(made):
        write_table(table, tmp_path / f"{number}")
    assert len({(tmp_path / f"{number}").read_bytes() for number in range(len(made))}) == 1


def test_other_rows_are_other_bytes(tmp_path: Path) -> None:
    write_table(rows(), tmp_path / "one")
    write_table(rows().reverse(), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() != (tmp_path / "two").read_bytes()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(value=values)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_json_comes_back_and_its_text_is_canonical(tmp_path: Path, value: Any) -> None:
    write_json(value, tmp_path / "deep" / "value.json")
    assert read_json(tmp_path / "deep" / "value.json") == value
    text = (tmp_path / "deep" / "value.json").read_text(encoding="utf-8")
    assert text == json_text(read_json(tmp_path / "deep" / "value.json"))
    assert text.endswith("\n")


def test_json_has_sorted_keys_and_plain_letters_and_no_nan() -> None:
    text = json_text({"b": {"z": 1, "a": (math.nan, math.inf, 1.5)}, "a": "ü"})
    assert text.index('"a": "ü"') < text.index('"b"') < text.index('"z"')
    assert json.loads(text) == {"a": "ü", "b": {"a": [None, None, 1.5], "z": 1}}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe"])
def test_half_a_json_file_is_refused_by_name(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "value.json").write_bytes(body)
    with pytest.raises(Refusal, match=r"value.json is not JSON"):
        read_json(tmp_path / "value.json")


@kinds
def test_a_whole_draft_takes_the_place_of_the_old(tmp_path: Path, kind: str, write: Callable[[Path, str], None]) -> None:
    finals = [tmp_path / "deep" / "one", tmp_path / "two"]
    for text in ("old", "new"):
        with replacing(*finals) as drafts:
            for draft in drafts:
                assert not draft.exists()
                write(draft, text)
        assert [content(final) for final in finals] == [text, text]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.name.startswith(".")) == []


@kinds
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_in_place(
    tmp_path: Path, kind: str, write: Callable[[Path, str], None], error: type[BaseException]
) -> None:
    write(tmp_path / "out", "old")
    with pytest.raises(error), replacing(tmp_path / "out") as [draft]:
        write(draft, "half")
        raise error
    assert content(tmp_path / "out") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@kinds
def test_a_killed_process_leaves_the_old_in_place_and_the_next_sweeps_up(
    tmp_path: Path, kind: str, write: Callable[[Path, str], None]
) -> None:
    finals = [tmp_path / "one", tmp_path / "two"]
    for final in finals:
        write(final, "old")
    with subprocess.Popen(
        [sys.executable, "-c", DIES_INSIDE, kind, *map(str, finals)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert [content(final) for final in finals] == ["old", "old"]
    assert len(list(tmp_path.iterdir())) == 4, "the drafts of the dead process lie there"
    with replacing(*finals) as drafts:
        assert sorted(tmp_path.iterdir()) == finals
        for draft in drafts:
            write(draft, "new")
    assert [content(final) for final in finals] == ["new", "new"]


def test_what_died_while_folders_were_exchanged_is_swept_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path / "out", "old")
    monkeypatch.setattr("watertight.core.tables._remove", lambda path: None)
    with replacing(tmp_path / "out") as [draft]:
        write_folder(draft, "new")
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 2, "the old folder, moved aside, was never removed"
    with pytest.raises(ValueError, match="no"), replacing(tmp_path / "out"):
        raise ValueError("no")
    assert content(tmp_path / "out") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def _died_between_the_renames(folder: Path) -> None:
    write_folder(folder / ".out.retired", "old")
    write_folder(folder / ".out.draft", "new")


def test_what_died_between_the_renames_loses_nothing_to_a_rerun_that_refuses(tmp_path: Path) -> None:
    _died_between_the_renames(tmp_path)
    for _ in range(2):
        with pytest.raises(Refusal, match="no"), replacing(tmp_path / "out"):
            assert content(tmp_path / "out") == "old"
            raise Refusal("no")
    assert content(tmp_path / "out") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_died_between_the_renames_is_replaced_by_a_rerun_that_ends_well(tmp_path: Path) -> None:
    _died_between_the_renames(tmp_path)
    with replacing(tmp_path / "out") as [draft]:
        assert not draft.exists()
        write_folder(draft, "newer")
    assert content(tmp_path / "out") == "newer"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
