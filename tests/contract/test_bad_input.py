"""Bad input through the real query and contract of a source, on made-up rows: what is refused, with which words, what
is set aside, what is taken. Whatever happens, what was built before stays as it was, byte for byte."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import runpy
import shutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
import yaml

from watertight.core.tables import read_json, read_table

ROOT = Path(__file__).parents[2]
SOURCE = Path("pipelines", "sources", "perception")
COLUMNS = ("user_id", "text_id", "text", "timestamp", "collection_phase", "is_words", "valence", "arousal")
START = datetime(2024, 3, 4, 9)
LONG = 1_000_000
BEFORE = ("ingest", "check", "split")

PARAMS: dict[str, Any] = {
    "raw_root": "raw",
    "workloads": ["perception"],
    "perception": {
        "source": {"name": "semeval2026"},
        "split": {"seed": 1, "folds": 3},
        "join": {"service": "perception"},
        "train": {"targets": ["valence", "arousal"], "cells": {"mean": {"family": "mean"}}},
        "register": {"cell": "mean"},
    },
}
FEATURES = '''"""Lexical features alone, so that nothing has to be encoded."""

from feast import Entity, FeatureService, ValueType

from watertight.features.views import lexical_view

reflection = Entity(name="reflection", join_keys=["reflection_id"], value_type=ValueType.STRING)
lexical = lexical_view("perception", entity=reflection, texts={"reflection_id": "text"})
perception = FeatureService(name="perception", features=[lexical])
'''

Row = dict[str, Any]


def made(number: int) -> Row:
    """A row of six authors with three texts each."""
    return {
        "user_id": f"u{number // 3}",
        "text_id": number,
        "text": f"text {number}: a calm day",
        "timestamp": (START + timedelta(days=number)).isoformat(sep=" "),
        "collection_phase": 1,
        "is_words": "False",
        "valence": number % 5 - 2,
        "arousal": number % 3,
    }


ROWS = [made(number) for number in range(18)]


def table(rows: list[Row], columns: tuple[str, ...] = COLUMNS) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def but(number: int, **changes: Any) -> str:
    """The good rows, one of them changed."""
    return table([{**row, **changes} if place == number else row for place, row in enumerate(ROWS)])


def renamed(old: str, new: str) -> str:
    return table(ROWS).replace(old, new, 1)


def line(number: int, change: Callable[[str], str]) -> str:
    """The good file with one line of it changed; the header is line 0."""
    lines = table(ROWS).splitlines(keepends=True)
    return "".join([*lines[:number], change(lines[number]), *lines[number + 1 :]])


def declare(path: Path, **changes: Any) -> None:
    """Change keys at the top of a YAML file."""
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**declared, **changes}), encoding="utf-8")


def put(root: Path, content: str | bytes, name: str = "made.csv", **changes: Any) -> None:
    data = content.encode() if isinstance(content, str) else content
    (root / "raw" / name).write_bytes(data)
    file = {"path": name, "sha256": hashlib.sha256(data).hexdigest()}
    declare(root / SOURCE / "semeval2026.yaml", **{"files": {name: file}, **changes})


@dataclass(frozen=True)
class Project:
    """A project that reads the source; ``capsys`` catches what its stages say."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def put(self, content: str | bytes, name: str = "made.csv", **changes: Any) -> None:
        """Lay a raw file where the contract expects it, pinned; ``changes`` are of the contract."""
        put(self.root, content, name, **changes)

    def section(self, **changes: Any) -> None:
        """Change the workload's section of params.yaml."""
        declare(self.root / "params.yaml", perception={**PARAMS["perception"], **changes})

    def run(self, *stages: str, workload: str = "perception") -> tuple[int, str]:
        """``python -m pipelines.<stage>`` of each stage up to the first that fails: its exit status and its words."""
        status = 0
        for stage in stages:
            status = status or exit_status(stage, workload)
        return status, self.capsys.readouterr().err

    def built(self) -> dict[str, str]:
        """Every file that a stage has written, with the digest of its bytes."""
        files = [file for folder in ("data", "artifacts") for file in sorted((self.root / folder).rglob("*")) if file.is_file()]
        return {file.relative_to(self.root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    def table(self, *place: str) -> pl.DataFrame:
        return read_table(self.root.joinpath("data", *place))


def exit_status(stage: str, workload: str) -> int:
    with patch.object(sys, "argv", [stage, workload]), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            runpy.run_module(f"pipelines.{stage}", run_name="__main__")
        except SystemExit as end:
            return int(end.code or 0)
    return 0


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the source's own query and contract, and a good drop that went through ingest, check and split."""
    root = tmp_path_factory.mktemp("perception")
    shutil.copytree(ROOT / SOURCE, root / SOURCE, ignore=lambda *_: {"__pycache__", "grammar", "simulated.py"})
    for folder in ("expectations", "feature_repo", "raw"):
        (root / folder).mkdir()
    shutil.copy(ROOT / "expectations" / "perception.yaml", root / "expectations")
    (root / "feature_repo" / "perception.py").write_text(FEATURES, encoding="utf-8")
    (root / "params.yaml").write_text(yaml.safe_dump(PARAMS), encoding="utf-8")
    put(root, table(ROWS))
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("WATERTIGHT_RAW", raising=False)
        patched.chdir(root)
        assert [exit_status(stage, "perception") for stage in BEFORE] == [0, 0, 0]
    return root


@pytest.fixture
def project(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Project:
    """A copy of the built project; the working directory is its root."""
    shutil.copytree(built, tmp_path / "project")
    monkeypatch.delenv("WATERTIGHT_RAW", raising=False)
    monkeypatch.chdir(tmp_path / "project")
    return Project(tmp_path / "project", capsys)


def refused(project: Project, stage: str, status: int = 1) -> str:
    """The words of the stage that fails, once it is sure that nothing was built or lost; earlier stages must pass."""
    assert project.run(*BEFORE[: BEFORE.index(stage)]) == (0, "")
    before = project.built()
    found, told = project.run(stage)
    assert found == status
    assert told.startswith(f"perception · {stage}: ")
    assert "Traceback" not in told
    assert project.built() == before
    return told


UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "empty": (b"", "made.csv is empty"),
    "nothing but line ends": (b"\n\r\n \n", "made.csv is empty"),
    "invalid bytes": (table(ROWS).encode().replace(b"a calm", b"\xff calm", 1), "line 2, read as Windows-1252"),
    "a lone surrogate": (table(ROWS).encode().replace(b"a calm", b"\xed\xa0\x80 calm", 1), "line 2, read as Windows-1252"),
    "a line with too many fields": (line(5, lambda text: text.rstrip() + ",7\n"), "line 6 has 9"),
    "a line with too few fields": (line(5, lambda text: text.rsplit(",", 2)[0] + "\n"), "line 6 has 6"),
    "cut off in the last line": (table(ROWS)[:-5], "line 19 has 6"),
    "a quote that never ends": (line(18, lambda text: text.replace("text 17", '"text 17')), "line 19 has "),
    "a column that stands twice": (renamed("arousal", "valence"), "valence"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_is_not_whole_is_not_read(project: Project, name: str) -> None:
    content, told = UNREADABLE[name]
    project.put(content)
    found = refused(project, "ingest")
    assert told in found
    assert "expected: a" in found
    assert "next: " in found


GOOD_GZIP = gzip.compress(table(ROWS).encode(), mtime=0)


@pytest.mark.parametrize(
    ("content", "told"),
    [(GOOD_GZIP[:-20], "Compressed file ended"), (GOOD_GZIP[:-1], "Compressed file ended"), (table(ROWS), "Not a gzipped file")],
    ids=["cut off", "a byte short", "not packed at all"],
)
def test_a_packed_file_that_is_not_whole_is_not_read(project: Project, content: str | bytes, told: str) -> None:
    project.put(content, "made.csv.gz")
    assert f"made.csv.gz cannot be read: {told}" in refused(project, "ingest")


def test_a_whole_packed_file_is_the_same_as_the_plain_one(project: Project) -> None:
    plain = project.table("perception", "rows", "rows.parquet")
    project.put(GOOD_GZIP, "made.csv.gz")
    assert project.run("ingest") == (0, "")
    assert project.table("perception", "rows", "rows.parquet").drop("drop").equals(plain.drop("drop"))


@pytest.mark.parametrize("packed", ["\ufeff" + table(ROWS), table(ROWS).replace("\n", "\r\n")], ids=["byte order mark", "CRLF"])
def test_the_marks_of_an_editor_change_no_row(project: Project, packed: str) -> None:
    before = project.table("perception", "rows", "rows.parquet")
    project.put(packed)
    assert project.run("ingest") == (0, "")
    assert project.table("perception", "rows", "rows.parquet").equals(before)


def test_a_header_without_rows(project: Project) -> None:
    project.put(table([]))
    told = refused(project, "ingest")
    assert "drop 'made' holds no rows" in told
    assert "expected: at least one row" in told
    assert "nothing was changed" in told


HEADERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "a column is missing": (
        table(ROWS, tuple(name for name in COLUMNS if name != "timestamp")),
        ("lacks 'timestamp'", "column: timestamp"),
    ),
    "a target is misspelt": (
        renamed("valence", "valance"),
        ("has 'valance', which the contract does not name; did you mean 'valence'?", "column: valance"),
    ),
    "a column is misspelt": (
        renamed("text_id", "textid"),
        ("lacks 'text_id'; did you mean 'textid'?", "has 'textid', which the contract does not name; did you mean 'text_id'?"),
    ),
    "a column is unknown": (
        table([{**row, "weather": "fair"} for row in ROWS], (*COLUMNS, "weather")),
        ("has 'weather', which the contract does not name", "column: weather"),
    ),
    "several at once": (
        table([{**row, "weather": "fair"} for row in ROWS], ("weather", *COLUMNS[2:])),
        ("lacks 'user_id'", "lacks 'text_id'", "has 'weather'", "column: user_id, text_id"),
    ),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_is_not_the_contracts(project: Project, name: str) -> None:
    content, fragments = HEADERS[name]
    project.put(content)
    told = refused(project, "ingest")
    assert "made.csv has other columns than its source, semeval2026" in told
    assert all(fragment in told for fragment in fragments)
    assert "optional: valence, arousal, is_seen_user" in told
    assert "next: mend the header, or the contract if the source has changed" in told


TYPES = [
    ("valence", "very", "no finite number"),
    ("valence", "NaN", "no finite number"),
    ("valence", "inf", "no finite number"),
    ("arousal", "-inf", "no finite number"),
    ("arousal", "1,5", "no finite number"),
    ("collection_phase", "1.5", "no whole number"),
    ("collection_phase", "99999999999999999999", "no whole number"),
    ("is_words", "maybe", "no true or false"),
]
TIMES = ["yesterday", "2024-02-30 10:00:00", "2024-03-04 25:00:00", "1709542800", "04.03.2024"]


@pytest.mark.parametrize(("column", "value", "kind"), TYPES)
def test_a_value_of_a_wrong_type(project: Project, column: str, value: str, kind: str) -> None:
    project.put(but(4, **{column: value}))
    told = refused(project, "ingest")
    assert f"{column}: 1 value(s) are {kind}, first {value!r} in row semeval2026-4" in told
    assert "rows: 1 (semeval2026-4)" in told
    assert "next: mend the cells; nothing was changed" in told


@pytest.mark.parametrize("value", TIMES)
def test_a_time_that_is_none(project: Project, value: str) -> None:
    project.put(but(4, timestamp=value))
    told = refused(project, "ingest")
    assert (
        f"asked_at: 1 value(s) are no instant (ISO 8601; without an offset a time that was on the clock in UTC), first {value!r}"
        in told
    )
    assert "rows: 1 (semeval2026-4)" in told


def test_wrong_values_are_told_together(project: Project) -> None:
    rows = [{**row, "valence": "high"} if row["text_id"] > 10 else row for row in ROWS]
    project.put(table([{**rows[0], "is_words": "?"}, *rows[1:]]))
    told = refused(project, "ingest")
    assert "valence: 7 value(s)" in told
    assert "is_words: 1 value(s)" in told
    assert "rows: 8 (semeval2026-11, semeval2026-12, semeval2026-13, semeval2026-14, semeval2026-15, …)" in told


def test_one_id_for_two_contents(project: Project) -> None:
    project.put(table([*ROWS, {**ROWS[3], "text": "something else"}]))
    told = refused(project, "ingest")
    assert "the same row_id stands for different rows" in told
    assert "column: row_id" in told
    assert "rows: 2 (semeval2026-3)" in told
    assert "next: give the rows ids of their own" in told


def test_an_exact_repeat_is_kept_once_and_counted(project: Project) -> None:
    before = project.table("perception", "rows", "rows.parquet")
    project.put(table([*ROWS, ROWS[3], ROWS[3], ROWS[0]]))
    assert project.run(*BEFORE) == (0, "")
    assert project.table("perception", "rows", "rows.parquet").equals(before)
    assert read_json(project.root / "data" / "perception" / "rows" / "rows.json")["repeats_left_out"] == 3


def test_a_wall_clock_time_that_never_was(project: Project) -> None:
    project.put(but(4, timestamp="2024-03-31 02:30:00"), zone="Europe/Berlin")
    told = refused(project, "ingest")
    assert "a time that was on the clock in Europe/Berlin), first '2024-03-31 02:30:00' in row semeval2026-4" in told


@pytest.mark.parametrize(
    ("written", "zone", "meant"),
    [
        ("2024-03-31 02:30:00", "UTC", datetime(2024, 3, 31, 2, 30, tzinfo=UTC)),
        ("2024-03-31 01:59:59", "Europe/Berlin", datetime(2024, 3, 31, 0, 59, 59, tzinfo=UTC)),
        ("2024-03-31 03:00:00", "Europe/Berlin", datetime(2024, 3, 31, 1, tzinfo=UTC)),
        ("2024-10-27 02:30:00", "Europe/Berlin", datetime(2024, 10, 27, 0, 30, tzinfo=UTC)),
        ("2024-10-27T02:30:00+01:00", "Europe/Berlin", datetime(2024, 10, 27, 1, 30, tzinfo=UTC)),
    ],
    ids=["no clock change in UTC", "before it", "after it", "twice that day: the earlier", "an offset wins"],
)
def test_a_wall_clock_time_near_a_change(project: Project, written: str, zone: str, meant: datetime) -> None:
    project.put(but(4, timestamp=written), zone=zone)
    assert project.run("ingest") == (0, "")
    rows = project.table("perception", "rows", "rows.parquet")
    assert rows.filter(pl.col("row_id") == "semeval2026-4")["asked_at"].item() == meant


@pytest.mark.parametrize(
    ("changes", "check", "row"),
    [
        ({"timestamp": "2999-01-01 00:00:00"}, "expect_times_not_in_future(column='asked_at')", "semeval2026-4"),
        (
            {"valence": "2.001"},
            "expect_column_values_to_be_between(column='valence', min_value=-2.0, max_value=2.0)",
            "semeval2026-4",
        ),
        (
            {"arousal": "-1"},
            "expect_column_values_to_be_between(column='arousal', min_value=0.0, max_value=2.0)",
            "semeval2026-4",
        ),
        ({"timestamp": ""}, "expect_column_values_to_not_be_null(column='asked_at')", "semeval2026-4"),
        ({"user_id": ""}, "expect_column_values_to_not_be_null(column='group_id')", "semeval2026-4"),
        ({"text_id": ""}, "expect_column_values_to_not_be_null(column='row_id')", "None"),
    ],
    ids=["a time in the future", "above its range", "below its range", "no time", "no author", "no id"],
)
def test_a_row_that_breaks_the_contract_stops_the_drop(project: Project, changes: Row, check: str, row: str) -> None:
    project.put(but(4, **changes))
    told = refused(project, "check")
    assert "gate 'rows' refused" in told
    assert f"{check}: 1 row(s), first {row}" in told
    assert f"rows: 1 ({row})" in told


SET_ASIDE = {
    "a text beyond the declared length": ("x" * (LONG + 1), "expect_readable_text"),
    "a NUL byte": ("calm\x00day", "expect_readable_text"),
    "an escape": ("calm\x1b[31mday", "expect_readable_text"),
    "what another decoder left": ("calm � day", "expect_readable_text"),
    "no text": ("", "expect_column_values_to_not_be_null"),
}


@pytest.mark.parametrize("name", SET_ASIDE)
def test_a_bad_text_is_set_aside_with_its_reason(project: Project, name: str) -> None:
    text, reason = SET_ASIDE[name]
    project.put(but(4, text=text), text_chars=LONG)
    assert project.run(*BEFORE) == (0, "")
    aside = project.table("quarantine", "perception", "check", "made.parquet")
    assert aside["row_id"].to_list() == ["semeval2026-4"]
    assert reason in aside["reason"].item()
    assert aside["text"].item() == (text or None)
    kept = project.table("perception", "checked", "rows.parquet")["row_id"].to_list()
    assert kept == [f"semeval2026-{number}" for number in range(18) if number != 4]
    assert read_json(project.root / "data" / "perception" / "checked" / "verdict.json")["quarantined"] == 1


def test_a_drop_with_nothing_good_in_it(project: Project) -> None:
    project.put(table([{**row, "text": "\x00"} for row in ROWS]))
    told = refused(project, "check")
    assert "no row is good enough to keep" in told
    assert "expect_readable_text(column='text', most=100000): 18 row(s), first semeval2026-0, semeval2026-1" in told
    assert "rows: 18 (semeval2026-0, " in told


def test_long_and_strange_texts_become_features(project: Project) -> None:
    """A megabyte is no reason to refuse where the contract allows it; nor is any script, any emoji, any line end."""
    texts = {
        3: "sad 😀 " * (LONG // 6),
        4: "👩🏽‍🚀🏳️‍🌈 आज मैं खुश हूँ",
        5: 'a "quoted" line,\nand another\r\n',
        6: "ﷺ\u202e\u200b",
        7: ".",
    }
    project.put(table([{**row, "text": texts.get(row["text_id"], row["text"])} for row in ROWS]), text_chars=2 * LONG)
    assert project.run("ingest", "check", "split", "featurize")[0] == 0
    rows = project.table("perception", "checked", "rows.parquet")
    assert {number: rows["text"][number] for number in texts} == texts
    features = project.table("perception", "features", "perception_lexical.parquet")
    words = dict(features.select("reflection_id", "word_count_log").iter_rows())
    assert len(words) == 18
    assert None not in words.values()
    assert words["semeval2026-3"] == pytest.approx(pl.Series([LONG // 6]).log1p().item(), rel=1e-3)


def test_an_empty_label_is_no_label(project: Project) -> None:
    project.put(but(4, valence="", arousal=" "))
    assert project.run(*BEFORE) == (0, "")
    row = project.table("perception", "rows", "rows.parquet").row(4, named=True)
    assert (row["valence"], row["arousal"], row["labelled_at"]) == (None, None, None)
    assert project.table("perception", "split", "split.parquet")["split"][4] == "unlabelled"


def test_an_author_with_one_row_stands_whole_in_one_fold(project: Project) -> None:
    project.put(table([*ROWS, {**made(18), "user_id": "once"}]))
    assert project.run(*BEFORE) == (0, "")
    rows = project.table("perception", "checked", "rows.parquet").join(
        project.table("perception", "split", "split.parquet"), on="row_id"
    )
    assert rows.filter(pl.col("group_id") == "once").select("split", pl.col("fold").is_not_null()).rows() == [("train", True)]
    assert rows.group_by("group_id").agg(pl.col("fold").n_unique())["fold"].to_list() == [1] * 7


def test_fewer_authors_than_folds(project: Project) -> None:
    project.put(table([row for row in ROWS if row["user_id"] in ("u0", "u1")]))
    told = refused(project, "split")
    assert "2 group(s) are left to train on, fewer than the 3 folds" in told
    assert "column: group_id" in told
    assert "next: declare fewer folds or a smaller share of test_groups" in told


def test_a_drop_without_any_label(project: Project) -> None:
    project.put(table(ROWS, COLUMNS[:-2]))
    told = refused(project, "split")
    assert "0 group(s) are left to train on" in told


def test_a_file_with_other_bytes_than_the_pinned_ones(project: Project) -> None:
    (project.root / "raw" / "made.csv").write_text(but(4, valence="0"), encoding="utf-8")
    told = refused(project, "ingest")
    assert "the raw file made.csv is not the one that the contract pins" in told
    assert "expected: sha256 " in told
    assert "next: watertight fetch perception/semeval2026" in told


def test_a_file_that_is_not_there(project: Project) -> None:
    (project.root / "raw" / "made.csv").unlink()
    told = refused(project, "ingest", status=2)
    assert "the raw file made.csv is not there" in told
    assert f"expected: made.csv under {project.root / 'raw'}" in told
    assert "next: watertight fetch perception/semeval2026" in told
    assert "WATERTIGHT_RAW" in told


def test_a_file_of_an_unknown_kind(project: Project) -> None:
    project.put(table(ROWS), "made.cvs")
    assert "no kind of file is called '.cvs'; did you mean '.csv'?" in refused(project, "ingest", status=2)


SPLIT, TRAIN = PARAMS["perception"]["split"], PARAMS["perception"]["train"]
DECLARED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "an unknown key": ({"spilt": SPLIT}, ("has 1 error(s)", "spilt: unknown key; did you mean 'split'?")),
    "an unknown key further in": (
        {"split": {**SPLIT, "test_group": {"share": 0.1}}},
        ("split.test_group: unknown key; did you mean 'test_groups'?",),
    ),
    "a cell's unknown key": (
        {"train": {**TRAIN, "cells": {"mean": {"familly": "mean"}}}},
        (
            "has 2 error(s)",
            "train.cells.mean.familly: unknown key; did you mean 'family'?",
            "train.cells.mean.family: Field required",
        ),
    ),
    "several errors": (
        {"split": {"seed": "one", "folds": 1, "strat": []}, "joint": {"service": "x"}},
        ("has 4 error(s)", "split.seed: ", "split.folds: ", "did you mean 'strata'?", "did you mean 'join'?"),
    ),
    "a share beyond a half": ({"split": {**SPLIT, "test_groups": {"share": 0.6}}}, ("split.test_groups.share: ", "0.5")),
    "both tests together leave too little": (
        {"split": {**SPLIT, "test_groups": {"share": 0.5}, "test_future": {"share": 0.5, "gap_days": 1}}},
        ("split: test_groups and test_future together would leave less than a fifth of the rows to train on",),
    ),
    "a gap before nothing": (
        {"split": {**SPLIT, "test_future": {"share": 0, "gap_days": 7}}},
        ("split: a gap before test_future needs a share for test_future",),
    ),
    "a stratum that is a group": (
        {"split": {**SPLIT, "strata": ["group_id"]}},
        ("split: ['group_id'] cannot be balanced over folds",),
    ),
    "a baseline that is no cell": ({"evaluate": {"baselines": ["maen"]}}, ("no cell is called ['maen']; cells: ['mean']",)),
    "a cell to register that is none": ({"register": {"cell": "best"}}, ("no cell is called ['best']",)),
}


@pytest.mark.parametrize("name", DECLARED)
def test_params_that_cannot_be_meant(project: Project, name: str) -> None:
    changes, fragments = DECLARED[name]
    project.section(**changes)
    told = refused(project, "ingest", status=2)
    assert "params.yaml, section 'perception', has" in told
    assert all(fragment in told for fragment in fragments), told
    assert "Value error" not in told


def test_a_source_that_does_not_exist(project: Project) -> None:
    project.section(source={"name": "semeval2025"})
    assert "perception has no source 'semeval2025'; did you mean 'semeval2026'?" in refused(project, "ingest", status=2)


def test_a_drop_that_does_not_exist(project: Project) -> None:
    project.section(source={"name": "semeval2026", "options": {"semeval2026": {"drops": ["mad.csv"]}}})
    assert "no raw file is called 'mad.csv'; did you mean 'made.csv'?" in refused(project, "ingest", status=2)


def test_a_workload_that_does_not_exist(project: Project) -> None:
    status, told = project.run("ingest", workload="percepton")
    assert status == 2
    assert "no workload is called 'percepton'; did you mean 'perception'?" in told


@pytest.mark.parametrize(
    "text", ["workloads: [perception\n", "workloads: perception\n", ""], ids=["no YAML", "no list", "nothing"]
)
def test_params_that_are_none(project: Project, text: str) -> None:
    (project.root / "params.yaml").write_text(text, encoding="utf-8")
    assert "params.yaml" in refused(project, "ingest", status=2)
