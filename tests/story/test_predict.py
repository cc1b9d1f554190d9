"""A prediction is the same from the online store, from history and from a file; and never sees what came later."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from diary import entries, run_stages, write_diary
from typer.testing import CliRunner, Result

from pipelines import predict
from pipelines.features import Features, features_of_new_rows
from watertight.cli import app
from watertight.core.project import Workload, find_project
from watertight.core.tables import read_table
from watertight.features.encoder import encoder_folder, fingerprint

TEXT = "I am furious and sad, but the evening is calm."
LONG_AFTER = "2025-06-01T12:00:00.000007Z"
OUTPUTS = ["valence", "arousal"]
NAME = "all-MiniLM-L6-v2"
ALONE = "--from FILE --to FILE and nothing else"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workload]:
    """The diary's project, built, with its root as the working directory."""
    root = tmp_path_factory.mktemp("diary")
    write_diary(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("WATERTIGHT_RAW", raising=False)
        patch.setattr(sys, "path", [*sys.path])
        patch.chdir(root)
        run_stages("perception", patch)
        yield find_project().workload("perception")


@pytest.fixture(scope="module")
def training_set(work: Workload) -> pl.DataFrame:
    """Every row of the project with its features as the join gave them."""
    return read_table(work.data("training_set", "training_set.parquet"))


@pytest.fixture(scope="module")
def newest(work: Workload) -> datetime:
    """The first instant at which Ana's newest state may be used."""
    table = read_table(work.data("features", "perception_history.parquet"))
    return table.filter(pl.col("author_id") == "ana")["event_timestamp"].max()


def _told(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def _predicted(**options: str) -> dict[str, Any]:
    answer = _told("predict", "perception", *[part for name, value in options.items() for part in (f"--{name}", value)], "--json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def _row(work: Workload, text: str, author: str, at: str) -> pl.DataFrame:
    """One unlabelled row of the checked rows' columns."""
    rows = read_table(work.data("checked", "rows.parquet")).head(1)
    asked = pl.lit(datetime.fromisoformat(at)).cast(rows.schema["asked_at"])
    nothing = [pl.lit(None, dtype=rows.schema[name]).alias(name) for name in ("labelled_at", *OUTPUTS)]
    new = {"row_id": "asked", "reflection_id": "asked", "author_id": author, "group_id": author, "text": text}
    return rows.with_columns(*nothing, asked_at=asked, created_at=asked, **{name: pl.lit(value) for name, value in new.items()})


def _unlike(left: pl.DataFrame, right: pl.DataFrame, columns: list[str]) -> list[str]:
    """The columns in which two tables differ: by value, or in what is null."""
    assert left.height == right.height
    return [name for name in columns if not left[name].equals(right[name].cast(left[name].dtype), null_equal=True)]


@pytest.mark.parametrize("author", ["ana", "finn", "nobody"])
def test_online_and_offline_give_a_row_the_same_features_and_predictions(work: Workload, author: str) -> None:
    features = Features(work)
    row = _row(work, TEXT, author, LONG_AFTER)
    offline, online = features_of_new_rows(features, row), predict.features_online(features, row)
    assert online is not None
    assert _unlike(offline, online, features.columns) == []
    assert (offline["perception_now__history"][0] > 0) == (author != "nobody")
    answer = _predicted(text=TEXT, author=author, at=LONG_AFTER)
    assert answer["features_from"] == "online"
    bundle = predict.bundle_of(features)
    assert answer["predictions"] == predict.predictions(bundle, offline).drop("row_id").row(0, named=True)


def test_history_answers_up_to_the_newest_state_and_the_online_store_from_then_on(work: Workload, newest: datetime) -> None:
    features = Features(work)
    for shift, path, labels in [(-1, "history", 7), (0, "online", 8)]:
        at = (newest + timedelta(microseconds=shift)).isoformat()
        row = _row(work, TEXT, "ana", at)
        offline = features_of_new_rows(features, row)
        assert offline["perception_now__history"][0] == labels
        answer = _predicted(text=TEXT, author="ana", at=at)
        assert answer["features_from"] == path
        told = predict.predictions(predict.bundle_of(features), offline).drop("row_id").row(0, named=True)
        assert answer["predictions"] == told


def test_a_row_of_the_past_is_answered_as_the_training_set_has_it(work: Workload, training_set: pl.DataFrame) -> None:
    features = Features(work)
    past = training_set.filter((pl.col("author_id") == "ben") & pl.col("perception_now__history").is_between(3, 5)).head(1)
    told = predict.predictions(predict.bundle_of(features), past).drop("row_id").row(0, named=True)
    answer = _predicted(text=past["text"][0], author="ben", at=past["asked_at"][0].isoformat())
    assert answer["features_from"] == "history"
    assert answer["predictions"] == told


def _file(tmp_path: Path) -> Path:
    """Unlabelled copies of the diary's entries in another order, and among them rows that no model can take."""
    copies = entries().select("entry", "author", "text", "written").sample(fraction=1, shuffle=True, seed=1)
    strange = pl.DataFrame(
        {
            "entry": ["nul", "empty", "stranger"],
            "author": ["ana", "ben", "somebody new"],
            "text": ["a\0b", "", TEXT],
            "written": ["2025-02-20T00:00:00Z"] * 3,
        }
    )
    path = tmp_path / "asked.csv"
    pl.concat([copies.head(10), strange, copies.tail(-10)]).write_csv(path)
    return path


def test_a_file_is_answered_row_by_row_in_its_order_with_reasons_for_what_cannot_be(
    work: Workload, training_set: pl.DataFrame, tmp_path: Path
) -> None:
    asked, to = _file(tmp_path), tmp_path / "told" / "answers.csv"
    answer = _told("predict", "perception", "--from", str(asked), "--to", str(to), "--json")
    assert answer.exit_code == 0, answer.output
    rows, answers = pl.read_csv(asked), pl.read_csv(to)
    assert json.loads(answer.stdout) == {"rows": rows.height, "refused": 2, "to": str(to)}
    assert answers["row_id"].to_list() == rows["entry"].to_list()
    refused = answers.filter(pl.col("refused").is_not_null())
    assert refused["row_id"].to_list() == ["nul", "empty"]
    assert "readable_text" in refused["refused"][0]
    assert refused.select(OUTPUTS).null_count().row(0) == (2, 2)
    assert answers.filter(pl.col("refused").is_null()).select(OUTPUTS).null_count().row(0) == (0, 0)
    known = training_set.join(answers.select("row_id", told="valence"), on="row_id", how="inner", maintain_order="left")
    expected = predict.predictions(predict.bundle_of(Features(work)), known)
    assert known.height == entries().height
    assert expected["valence"].to_list() == known["told"].to_list()


def test_unlabelled_copies_of_the_rows_get_the_features_of_the_training_set(work: Workload, training_set: pl.DataFrame) -> None:
    features = Features(work)
    rows = read_table(work.data("checked", "rows.parquet"))
    nothing = [pl.lit(None, dtype=rows.schema[name]).alias(name) for name in ("labelled_at", *OUTPUTS)]
    copies = rows.with_columns(*nothing, created_at="asked_at").reverse()
    found = features_of_new_rows(features, copies).reverse()
    assert found["row_id"].to_list() == training_set["row_id"].to_list()
    assert _unlike(training_set, found, features.columns) == []
    assert _unlike(training_set, features.joined(rows), features.columns) == []


def test_a_file_in_which_no_row_can_be_answered_is_refused_with_the_reason(work: Workload, tmp_path: Path) -> None:
    asked, to = tmp_path / "asked.csv", tmp_path / "answers.parquet"
    asked.write_text("entry,author,text,written\nn,ana,a\0b,2025-02-20\n", encoding="utf-8")
    answer = _told("predict", "perception", "--from", str(asked), "--to", str(to))
    assert answer.exit_code == 1
    assert "no row of asked.csv can be answered: expect_readable_text" in answer.output
    assert "rows: 1 (n)" in answer.output
    assert not to.exists()


def test_a_files_place_is_seen_from_the_folder_in_which_the_command_is_given(
    work: Workload, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (work.project.root / "feature_repo" / "asked.csv").write_bytes(_file(tmp_path).read_bytes())
    monkeypatch.chdir(work.project.root / "feature_repo")
    assert _told("predict", "perception", "--from", "asked.csv", "--to", "answers.csv").exit_code == 0
    assert (work.project.root / "feature_repo" / "answers.csv").is_file()


def test_a_row_that_stands_twice_is_answered_twice(work: Workload, tmp_path: Path) -> None:
    asked, to = tmp_path / "asked.csv", tmp_path / "answers.csv"
    line = "n,ana,A calm evening.,2025-02-20\n"
    asked.write_text(f"entry,author,text,written\n{line}m,ben,Sad.,2025-02-21\n{line}", encoding="utf-8")
    assert _told("predict", "perception", "--from", str(asked), "--to", str(to)).exit_code == 0
    answers = pl.read_csv(to)
    assert answers["row_id"].to_list() == ["n", "m", "n"]
    assert answers["valence"].null_count() == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["perceptoin", "--text", "a"], "did you mean 'perception'?"),
        (["perception", "--text", "a", "--auther", "ana"], "did you mean 'author'?"),
        (["perception", "--author", "ana"], "a prediction needs --text"),
        (["perception", "--text", "a", "--at", "yesterday"], "'yesterday' is no time"),
        (["perception", "--text"], "cannot read '--text'"),
        (["perception", "--from", "asked.cvs", "--to", "answers.csv"], "asked.cvs is not there"),
        (["perception", "--from", "absent.csv", "--to", "answers.csv"], "absent.csv is not there"),
        (["perception", "--from", "asked.csv", "--to", "answers.xlsx"], "unknown kind of file"),
        (["perception", "--from", "asked.csv"], ALONE),
        (["perception", "--text", "a", "--from", "asked.csv", "--to", "answers.csv"], ALONE),
        (["perception", "--at", "2025-03-01", "--from", "asked.csv", "--to", "answers.csv"], ALONE),
    ],
)
def test_misuse_ends_with_status_2_and_says_what_is_meant(work: Workload, arguments: list[str], told: str) -> None:
    answer = _told("predict", *arguments)
    assert answer.exit_code == 2, answer.output
    assert told in answer.output
    assert "Traceback" not in answer.output


@pytest.fixture
def bundle(work: Workload) -> Iterator[Path]:
    """The bundle's folder, put back as it was when the test ends."""
    folder = work.artifacts("bundle")
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    yield folder
    shutil.rmtree(folder)
    kept.rename(folder)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _edit_signature(path: Path) -> None:
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["signature"]["serves"]["perception_lexical"]["features"].reverse()
    path.write_text(json.dumps(manifest), encoding="utf-8")


def _edit(path: Path, **changes: str) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (lambda folder: _flip(next(folder.rglob("model.txt"))), "not what was registered: models/valence"),
        (lambda folder: (folder / "card.md").write_text("A better model."), "not what was registered: card.md"),
        (lambda folder: next(folder.rglob("model.txt")).unlink(), "not what was registered: models/valence"),
        (lambda folder: (folder / "models" / "extra.py").write_text("print()"), "not what was registered: models/extra.py"),
        (lambda folder: _edit_signature(folder / "manifest.json"), "fitted on other feature definitions"),
        (lambda folder: _edit(folder / "manifest.json", encoder="another"), "another encoder than today's 'all-MiniLM-L6-v2'"),
        (lambda folder: _edit(folder / "manifest.json", encoder_fingerprint="0" * 64), "(sha256 000000000000), as in the bundle"),
        (lambda folder: _edit(folder / "manifest.json", encoder_fingerprint=""), "no pinned encoder, as in the bundle"),
    ],
)
def test_a_bundle_that_was_tampered_with_is_refused(bundle: Path, tamper: Any, told: str) -> None:
    tamper(bundle)
    answer = _told("predict", "perception", "--text", TEXT, "--author", "ana", "--at", LONG_AFTER)
    assert answer.exit_code == 1
    assert told in answer.output


def test_the_online_store_is_rebuilt_where_it_is_missing_and_answers_the_same(work: Workload) -> None:
    before = _predicted(text=TEXT, author="ana", at=LONG_AFTER)
    shutil.rmtree(work.data("online"))
    assert _predicted(text=TEXT, author="ana", at=LONG_AFTER) == before
    assert work.data("online", "online.db").is_file()


def test_without_a_time_a_row_is_asked_now(work: Workload) -> None:
    asked = datetime.fromisoformat(_predicted(text=TEXT, author="ana")["at"])
    assert abs(datetime.now(UTC) - asked) < timedelta(minutes=1)


def test_the_manifest_pins_the_encoder_by_its_files(work: Workload) -> None:
    manifest = json.loads((work.artifacts("bundle") / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["encoder"], manifest["encoder_fingerprint"]) == (NAME, fingerprint(encoder_folder(NAME)))


@pytest.mark.parametrize("text", ["a\0b", "a" * 100_001])
def test_one_row_that_a_check_would_set_aside_is_refused_with_the_reason(work: Workload, text: str) -> None:
    answer = _told("predict", "perception", "--text", text, "--author", "ana", "--at", LONG_AFTER)
    assert answer.exit_code == 1, answer.output
    assert "the row cannot be answered: expect_readable_text" in answer.output
    assert answer.output.count("a" * 1000) == 0


def test_a_name_and_its_value_may_be_one_argument(work: Workload) -> None:
    apart = _predicted(text="--a=b is calm", author="ana", at=LONG_AFTER)
    joined = _told("predict", "perception", "--text=--a=b is calm", "--author=ana", f"--at={LONG_AFTER}", "--json")
    assert json.loads(joined.stdout) == apart
