"""`watertight new`: what it writes is read by the platform itself, what it guesses, and that a refusal changes nothing."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import random
import re
import runpy
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner, Result

from pipelines.new.columns import plain_names
from pipelines.new.params_text import with_workload
from pipelines.new.targets import rounded_outward
from pipelines.source import rows_of_file, typed_drops
from watertight.checks.suite import declared
from watertight.cli import app
from watertight.core.project import Project, Workload
from watertight.core.rows import typed_rows

ROOT = Path(__file__).parents[2]
WORDS = ("please", "answer", "soon", "because", "parcels", "from", "the", "shop", "are", "late", "and", "my", "friend", "waits")
ASKED = ("--target", "score", "--group", "who", "--time", "at")

Row = dict[str, Any]


def made(number: int) -> Row:
    """One of five rows of each of twenty people; rated two hours later."""
    draw = random.Random(number)
    at = datetime(2025, 1, 6, 9) + timedelta(hours=number)
    return {
        "id": f"r{number:03}",
        "who": f"p{number % 20}",
        "at": at.isoformat(sep=" "),
        "note": " ".join(draw.choices(WORDS, k=9)),
        "rated": (at + timedelta(hours=2)).isoformat(sep=" "),
        "score": 1.2 + number % 8,
        "kind": "new" if number % 3 else "old",
        "words": number % 7,
    }


ROWS = [made(number) for number in range(100)]


def but(**changes: Callable[[int], Any]) -> list[Row]:
    """The rows with columns changed, each by a function of the row's number."""
    return [{**row, **{name: change(number) for name, change in changes.items()}} for number, row in enumerate(ROWS)]


def without(*names: str) -> list[Row]:
    return [{name: value for name, value in row.items() if name not in names} for row in ROWS]


@dataclass(frozen=True)
class Home:
    """A project with a workload of its own, as the working directory; samples lie beside it."""

    root: Path

    def sample(self, rows: list[Row], name: str = "sample.csv") -> Path:
        path = self.root.parent / name
        if name.endswith(".csv"):
            with path.open("w", newline="") as stream:
                writer = csv.DictWriter(stream, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        elif name.endswith(".parquet"):
            pl.DataFrame(rows).write_parquet(path)
        else:
            text = "".join(json.dumps(row) + "\n" for row in rows).encode()
            path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return path

    def new(self, sample: Path, *options: str, name: str = "notes") -> Result:
        return CliRunner().invoke(app, ["new", name, "--from", str(sample), *(options or ASKED)])

    def made(self, rows: list[Row], *options: str, file: str = "sample.csv") -> Workload:
        """The workload that is written of the rows."""
        done = self.new(self.sample(rows, file), *options)
        assert done.exit_code == 0, done.output
        return Project(self.root).workload("notes")

    def refused(self, rows: list[Row], *options: str, name: str = "notes") -> Result:
        """The answer to a sample that must be refused; nothing has changed by it."""
        sample, before = self.sample(rows), tree(self.root)
        done = self.new(sample, *options, name=name)
        assert tree(self.root) == before, "a refusal changes nothing"
        assert done.exit_code in (1, 2) and isinstance(done.exception, SystemExit), done.output
        return done


def tree(root: Path) -> dict[str, str]:
    """Every file and folder below a folder, files with the digest of their bytes."""
    digest = {path: hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "" for path in root.rglob("*")}
    return {path.relative_to(root).as_posix(): told for path, told in digest.items() if "__pycache__" not in path.parts}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    root = tmp_path / "project"
    for folder in ("feature_repo", "expectations", "drops"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "pipelines" / "sources" / "perception", root / "pipelines" / "sources" / "perception")
    shutil.copy(ROOT / "params.yaml", root)
    monkeypatch.chdir(root)
    monkeypatch.delenv("WATERTIGHT_RAW", raising=False)
    return Home(root)


def test_the_written_declarations_are_read_by_the_platform(home: Home) -> None:
    work = home.made(ROWS)
    [rows] = typed_drops(work)
    assert (rows.height, rows["row_id"].to_list()[:2], rows["group_id"].n_unique()) == (100, ["r000", "r001"], 20)
    assert (rows["labelled_at"] - rows["asked_at"]).unique().to_list() == [timedelta(hours=2)]
    assert work.contract.keys == ("id", "who") and work.contract.text == ("note",)
    assert work.contract.targets["score"].range == (1, 9)
    assert work.contract.columns == {"kind": "string", "words": "int"}
    assert work.params.evaluate.slices == {"kind": ()}
    assert {check.kwargs.get("column") for check in declared("rows", work.expectations)} >= {"note", "kind"}
    assert {cell for cell in work.params.train.cells} == {
        *("mean", "tfidf", "embedding", "trees", "history"),
        *("blend", "calibrated"),
    }
    assert work.params.register_.cell == "calibrated"


def test_the_features_are_plain_feast_objects_and_every_cell_reads_what_is_served(home: Home) -> None:
    work = home.made(ROWS)
    from watertight.stores.definitions import feature_columns, load_definitions

    found = load_definitions(work.feature_module)
    served = feature_columns(found.service(work.params.join.service))
    views = {column.partition("__")[0] for column in served}
    assert views == {"notes_lexical", "notes_embedding", "notes_history", "notes_now"}
    for cell in work.params.train.cells.values():
        assert set(cell.views) <= views and set(cell.columns) <= set(served)


def test_every_guess_is_told_with_its_line(home: Home) -> None:
    done = home.new(home.sample(ROWS))
    assert done.exit_code == 0
    told = [line.strip() for line in done.output.splitlines() if "   (" in line]
    assert len(told) >= 10
    for line in told:
        place, number, rest = line.split(":", 2)
        written = (home.root / place).read_text().splitlines()[int(number) - 1]
        declaration, _, why = rest.strip().rpartition("   (")
        assert declaration in written and f"review: {why.removesuffix(')')}" in written
    everywhere = "".join(path.read_text() for path in home.root.rglob("*") if path.suffix in (".yaml", ".py", ".sql"))
    assert everywhere.count("review: ") == len(told)


def test_params_keep_every_line_and_comment_and_gain_a_section(home: Home) -> None:
    before = (home.root / "params.yaml").read_text()
    home.made(ROWS)
    after = (home.root / "params.yaml").read_text()
    assert after.startswith(re.sub(r"^(workloads: \[.*)\]", r"\1, notes]", before, count=1, flags=re.MULTILINE) + "\nnotes:\n")


def test_a_list_of_workloads_over_several_lines_keeps_its_shape_and_anchors_that_nothing_reads_stay() -> None:
    before = "# ours\nworkloads:\n  - one  # first\n\n# the first\none:\n  a: &x  'x'\n"
    assert with_workload(before, "two", "two:\n  a: 1\n") == (
        "# ours\nworkloads:\n  - one  # first\n  - two\n\n# the first\none:\n  a: &x  'x'\n\ntwo:\n  a: 1\n"
    )
    assert with_workload("workloads: []", "two", "two: 2\n") == "workloads:\n  - two\n\ntwo: 2\n"


def test_a_sample_from_elsewhere_is_copied_and_one_under_the_raw_root_stays(home: Home) -> None:
    sample = home.sample(ROWS)
    done = home.new(sample)
    assert "data/raw/notes/sample.csv is a copy" in done.output
    assert (home.root / "data/raw/notes/sample.csv").read_bytes() == sample.read_bytes()
    inside = home.root / "data/raw/there/sample.csv"
    inside.parent.mkdir()
    shutil.copy(sample, inside)
    told = home.new(inside, *ASKED, name="others").output
    assert "is a copy" not in told
    assert Project(home.root).workload("others").contract.files["sample.csv"].path == "there/sample.csv"


def test_classes_of_packed_json_lines_get_no_history_and_a_stack(home: Home) -> None:
    rows = but(score=lambda number: ["bad", "good", "so so"][number % 3], words=lambda number: None)
    work = home.made(rows, file="sample.jsonl.gz")
    assert work.contract.targets["score"].classes == ("bad", "good", "so so")
    assert work.params.register_.cell == "stack" and work.params.split.strata == ("score",)
    assert [work.params.train.cells[cell].options for cell in ("tfidf", "stack")] == [{"strength": 1}] * 2
    assert "temporal_view" not in work.feature_module.read_text()
    assert "words" not in work.contract.column_types() and "words" in work.contract.optional
    [typed] = typed_drops(work)
    assert set(typed["score"]) == {"bad", "good", "so so"}


def test_two_targets_of_which_one_is_yes_or_no(home: Home) -> None:
    rows = but(closed=lambda number: number % 2 if number % 5 else None)
    work = home.made(rows, "--target", "closed", *ASKED, file="sample.parquet")
    assert work.contract.targets["closed"].classes == ("0", "1")
    assert work.contract.targets["score"].kind == "scalar"
    assert work.params.train.cells["history"].targets == ("score",)
    [typed] = typed_drops(work)
    assert typed["closed"].null_count() == 20


def test_times_without_a_zone_are_marked_and_times_with_one_are_not(home: Home) -> None:
    mark = "times without an offset are taken to be of this zone"
    assert mark in home.new(home.sample(ROWS)).output
    zoned = but(at=lambda n: f"2025-01-06T{n % 20:02}:00:00+02:00", rated=lambda n: f"2025-01-06T{n % 20:02}:30:00+02:00")
    done = home.new(home.sample(zoned), *ASKED, name="others")
    assert done.exit_code == 0 and mark not in done.output


def test_without_a_row_id_a_digest_names_the_row_the_same_in_a_later_file(home: Home) -> None:
    rows = without("id")
    work = home.made(rows)
    [typed] = typed_drops(work)
    assert typed["row_id"].n_unique() == 100 and "no column names a row" in (work.source_folder / "sample.sql").read_text()
    later = typed_rows(rows_of_file(work, home.sample(rows[90:], "later.csv")), work.contract, "later")
    assert later["row_id"].to_list() == typed["row_id"].to_list()[90:]


def test_the_label_is_known_at_once_where_no_column_says_when(home: Home) -> None:
    work = home.made(without("rated"))
    [typed] = typed_drops(work)
    assert typed["labelled_at"].to_list() == typed["asked_at"].to_list()
    assert "known as soon as it was asked" in (work.source_folder / "sample.sql").read_text()


def test_unlabelled_rows_travel_along_without_a_label_time(home: Home) -> None:
    work = home.made(
        but(score=lambda number: "" if number < 10 else number % 8, rated=lambda n: made(n)["rated"] if n > 9 else "")
    )
    [typed] = typed_drops(work)
    assert (typed["score"].null_count(), typed["labelled_at"].null_count()) == (10, 10)


def test_several_texts_have_views_of_their_own(home: Home) -> None:
    work = home.made(but(answer=lambda number: made(number + 500)["note"]))
    assert work.contract.text == ("note", "answer")
    assert work.params.train.cells["trees"].views == (
        *("notes_lexical_note", "notes_lexical_answer", "notes_embedding_note", "notes_embedding_answer"),
    )
    assert len(runpy.run_path(str(work.feature_module))["service"].feature_view_projections) == 6


def test_few_rows_of_a_group_give_no_history_and_few_groups_fewer_folds(home: Home) -> None:
    work = home.made(but(who=lambda number: f"p{number // 2}"))
    assert work.params.split.test_future.share == 0 and "history" not in work.params.train.cells
    done = home.new(home.sample(but(who=lambda number: f"p{number % 9}")), *ASKED, name="others")
    assert done.exit_code == 0 and Project(home.root).workload("others").params.split.folds == 4


def test_a_group_of_its_own_for_each_row_is_told_and_names_the_row(home: Home) -> None:
    done = home.new(home.sample(ROWS), "--target", "score", "--group", "id", "--time", "at")
    assert "each row is a group of its own by id" in done.output
    assert Project(home.root).workload("notes").contract.keys == ("id",)


def test_names_that_stages_or_yaml_use_themselves_are_given_others(home: Home) -> None:
    rows = [
        {
            "No": row["id"],
            "Group ID": row["who"],
            "Mean": row["score"],
            "at": row["at"],
            "split": row["kind"],
            "Free Text": row["note"],
        }
        for row in ROWS
    ]
    work = home.made(rows, "--target", "Mean", "--group", "Group ID", "--time", "at")
    assert work.contract.keys == ("no", "notes_group_id")
    assert list(work.contract.targets) == ["notes_mean"] and list(work.contract.columns) == ["notes_split"]
    [typed] = typed_drops(work)
    assert typed["free_text"].to_list() == [row["note"] for row in ROWS]


def test_foreign_letters_are_marked_beside_the_encoder(home: Home) -> None:
    rows = but(note=lambda number: f"посылка номер {number} пришла слишком поздно")
    assert "made for English" in home.new(home.sample(rows)).output


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("perception", "is taken by feature_repo/perception.py"),
        ("raw_root", "cannot be called"),
        ("Notes", "a Python identifier"),
        ("two words", "a Python identifier"),
        ("class", "a Python identifier"),
        ("no", "cannot be called 'no'"),
        ("a__b", "single underscores"),
    ],
)
def test_a_name_that_is_taken_or_is_none_is_refused(home: Home, name: str, told: str) -> None:
    done = home.refused(ROWS, *ASKED, name=name)
    assert done.exit_code == 2 and told in done.output


BAD: dict[str, tuple[list[Row], tuple[str, ...], int, tuple[str, ...]]] = {
    "a column that is not there": (ROWS, ("--target", "scor", *ASKED[2:]), 2, ("--target 'scor': did you mean 'score'?",)),
    "a column for two things": (ROWS, ("--target", "who", *ASKED[2:]), 2, ("who: named for two things",)),
    "a constant target": (but(score=lambda _: 3), ASKED, 1, ("target 'score' is always '3'",)),
    "a target without values": (but(score=lambda _: ""), ASKED, 1, ("target 'score' has no value",)),
    "a target of many words": (but(score=lambda n: f"w{n}"), ASKED, 1, ("100 different values that are no numbers",)),
    "few groups": (but(who=lambda n: n % 6), ASKED, 1, ("6 group(s) with a label are too few for 3 folds",)),
    "no group": (but(who=lambda n: n % 9 if n > 1 else ""), ASKED, 1, ("2 row(s) are of no group", "row 1, row 2")),
    "bad times": (
        but(at=lambda n: "6.1.2025" if n in (3, 7) else made(n)["at"]),
        ASKED,
        1,
        ("is no time in 2 row(s), first '6.1.2025'", "2 (row 4, row 8)"),
    ),
    "a missing time": (but(at=lambda n: made(n)["at"] if n else ""), ASKED, 1, ("1 (row 1)",)),
    "a label before its question": (
        but(rated=lambda n: "2020-01-01" if n == 4 else made(n)["rated"]),
        (*ASKED, "--labelled-at", "rated"),
        1,
        ("a label before its question", "1 (row 5)"),
    ),
    "a label without a time": (
        but(rated=lambda n: made(n)["rated"] if n else ""),
        (*ASKED, "--labelled-at", "rated"),
        1,
        ("1 (row 1)",),
    ),
    "row ids that repeat": (but(id=lambda n: f"r{n // 2}"), (*ASKED, "--row-id", "id"), 1, ("names 100 row(s) twice",)),
    "rows that nothing tells apart": (
        [*without("id", "kind", "words"), {**without("id", "kind", "words")[0], "score": 9}],
        ASKED,
        1,
        ("2 rows differ in their labels alone", "row 1, row 101"),
    ),
    "no text": (but(note=lambda n: "word"), ASKED, 1, ("no column looks like text", "--text")),
    "names alike": (but(Note=lambda n: n), ASKED, 1, ("note, Note differ in small and large letters",)),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_sample_that_no_workload_can_be_made_of_is_refused(home: Home, fault: str) -> None:
    rows, options, status, told = BAD[fault]
    done = home.refused(rows, *options)
    assert done.exit_code == status
    assert all(words in done.output for words in told), done.output


def test_a_sample_without_rows_or_of_no_known_kind_is_refused(home: Home) -> None:
    before = tree(home.root)
    empty = home.root.parent / "empty.csv"
    empty.write_text("id,who,at,note,score\n")
    assert "holds no rows" in home.new(empty).output
    other = home.root.parent / "sample.xlsx"
    other.write_text("x")
    assert "kind of file" in home.new(other).output
    assert tree(home.root) == before


def test_another_file_of_that_name_under_the_raw_root_is_not_overwritten(home: Home) -> None:
    place = home.root / "data/raw/notes/sample.csv"
    place.parent.mkdir(parents=True)
    place.write_text("another")
    assert "lies under the raw root already" in home.refused(ROWS).output


def test_a_raw_root_that_cannot_be_written_to_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    (home.root.parent / "file").write_text("no folder")
    monkeypatch.setenv("WATERTIGHT_RAW", str(home.root.parent / "file"))
    assert "not everything can be written" in home.refused(ROWS).output


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.3, 9.7, (0, 10)),
        (1, 5, (1, 5)),
        (0, 100, (0, 100)),
        (12, 873, (0, 900)),
        (-1.83, 1.9, (-2, 2)),
        (0.012, 0.047, (0.01, 0.05)),
        (-0.1, 0.3, (-0.1, 0.3)),
    ],
)
def test_a_range_is_rounded_outward(low: float, high: float, told: tuple[float, float]) -> None:
    assert rounded_outward(low, high) == told
    assert told[0] <= low < high <= told[1]


def test_names_are_plain_and_each_stands_once() -> None:
    assert plain_names(["A b", "a-b", "2nd", "é", "fold"], "w") == {
        "A b": "a_b",
        "a-b": "a_b_2",
        "2nd": "column_2nd",
        "é": "column_4",
        "fold": "w_fold",
    }


def test_the_written_yaml_is_what_it_says(home: Home) -> None:
    work = home.made(but(kind=lambda number: "no" if number % 2 else "on, or: #off"))
    suite = yaml.safe_load(work.expectations.read_text())
    [words] = [check["kwargs"]["value_set"] for check in suite["rows"] if "value_set" in check["kwargs"]]
    assert words == ["no", "on, or: #off"]
