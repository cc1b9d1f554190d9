"""Captions to predict have no images and go by their own ids; what is submitted is what is predicted, in the file's order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from pairs_project import DEEP, EACH, IMAGES, NAME, WIDE, Arrays, archive, arrays, built
from pydantic import ValidationError
from typer.testing import CliRunner

from pipelines.predict import predict_file
from pipelines.source import rows_of_file
from pipelines.submit import submit
from watertight.cli import app
from watertight.core.contract import SourceContract
from watertight.core.errors import Refusal
from watertight.core.project import Project, Workload
from watertight.inference.submission import read_submission

ROWS = IMAGES * EACH
NUMBERS = np.random.default_rng(4).permutation(10 * ROWS)[:ROWS]
SUBMISSION = "submission.csv"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workload]:
    """A project whose texts were embedded elsewhere."""
    yield from built(tmp_path_factory.mktemp("pairs") / "project", arrays())


@pytest.fixture
def work(project: Workload, monkeypatch: pytest.MonkeyPatch) -> Workload:
    monkeypatch.chdir(project.project.root)
    monkeypatch.delenv("WATERTIGHT_RAW", raising=False)
    return project


def captions(ids: Any = None, **changed: Any) -> Arrays:
    """A hand-in: captions that the project does not know, their vectors and ids, and no image."""
    given = {name: values for name, values in arrays(first=50).items() if name in ("captions/text", "captions/embeddings")}
    named = {} if ids is None else {"captions/ids": ids}
    return {**given, **named, **{name.replace("_", "/"): values for name, values in changed.items()}}


def vectors(table: pl.DataFrame, column: str) -> np.ndarray:
    return np.array(table[column].to_list(), dtype=np.float32)


@pytest.fixture(scope="module")
def wanted(project: Workload, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """What is predicted of the same captions where their archive has images too."""
    folder = tmp_path_factory.mktemp("wanted")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.project.root)
        return vectors(predict_file(project, archive(folder, arrays(first=50)), folder / "told.parquet"), "image_vector")


IDS = {
    "integers": (NUMBERS, [str(number) for number in NUMBERS]),
    "small integers": (np.arange(ROWS, dtype=np.uint8)[::-1], [str(ROWS - 1 - place) for place in range(ROWS)]),
    "texts": (np.array([f"q-{number:04d}" for number in NUMBERS]), [f"q-{number:04d}" for number in NUMBERS]),
    "bytes": (np.array([f"{number:04d}".encode() for number in NUMBERS]), [f"{number:04d}" for number in NUMBERS]),
    "places": (None, [str(place) for place in range(ROWS)]),
}


@pytest.mark.parametrize(("ids", "named"), IDS.values(), ids=IDS)
def test_captions_without_images_are_answered_by_their_own_ids(
    work: Workload, tmp_path: Path, wanted: np.ndarray, ids: Any, named: list[str]
) -> None:
    to = tmp_path / ("submission.parquet" if ids is None else SUBMISSION)
    given = archive(tmp_path, captions(ids))
    assert submit(work, given, to) == {"target": "image", "rows": ROWS, "dimension": DEEP, "to": str(to)}
    told, answers = read_submission(to), predict_file(work, given, tmp_path / "answers.parquet")
    assert told["id"].to_list() == answers["row_id"].to_list() == named
    assert np.array_equal(vectors(told, "embedding"), vectors(answers, "image_vector"))
    assert np.array_equal(vectors(told, "embedding"), wanted)


def test_a_table_of_captions_is_answered_likewise(work: Workload, tmp_path: Path, wanted: np.ndarray) -> None:
    given = captions()
    columns = {"text": given["captions/text"], "text_vector": given["captions/embeddings"].tolist()}
    floats = (NUMBERS.astype(np.float64), IDS["integers"][1])  # as pandas has them that once met a null
    for ids, named in (IDS["integers"], floats, IDS["texts"], IDS["places"]):
        own = {} if ids is None else {"id": ids}
        pl.DataFrame({**own, **columns}).write_parquet(tmp_path / "new.parquet")
        submit(work, tmp_path / "new.parquet", tmp_path / SUBMISSION)
        told = read_submission(tmp_path / SUBMISSION)
        assert told["id"].to_list() == named
        assert np.array_equal(vectors(told, "embedding"), wanted)


def test_two_captions_of_the_same_words_have_an_answer_each(work: Workload, tmp_path: Path, wanted: np.ndarray) -> None:
    given = captions(captions_text=np.array(["a dog by the river"] * ROWS))
    submit(work, archive(tmp_path, given), tmp_path / SUBMISSION)
    assert np.array_equal(vectors(read_submission(tmp_path / SUBMISSION), "embedding"), wanted)


def test_labels_of_an_archive_that_has_them_are_not_read(work: Workload, tmp_path: Path, wanted: np.ndarray) -> None:
    given = arrays(first=50)
    given["images/embeddings"][:] = np.nan
    given["captions/label"] = np.full(ROWS, -1)
    submit(work, archive(tmp_path, {**given, "captions/ids": NUMBERS}), tmp_path / SUBMISSION)
    told = read_submission(tmp_path / SUBMISSION)
    assert told["id"].to_list() == IDS["integers"][1]
    assert np.array_equal(vectors(told, "embedding"), wanted)


def spoilt(value: float) -> np.ndarray:
    given = captions()["captions/embeddings"]
    given[3, 0 if np.isnan(value) else slice(None)] = value
    return given


FAULTS: dict[str, tuple[Arrays, tuple[str, ...]]] = {
    "another dimension": (
        captions(captions_embeddings=np.ones((ROWS, WIDE + 1))),
        (f"text_vector: {ROWS} value(s) are no list of {WIDE} finite numbers", "in row 0"),
    ),
    "not embedded": ({"captions/text": captions()["captions/text"]}, (f"text_vector: {ROWS} value(s) are no list of {WIDE}",)),
    "NaN": (captions(captions_embeddings=spoilt(np.nan)), ("1 vector(s) in captions/embeddings", "rows (from 0): 3")),
    "zeros": (captions(captions_embeddings=spoilt(0.0)), ("1 vector(s) in captions/embeddings", "rows (from 0): 3")),
    "ids that repeat": (
        captions(np.array([*NUMBERS[:-1], NUMBERS[0]])),
        ("the same row_id stands for different rows", str(NUMBERS[0])),
    ),
    "fewer ids": (captions(NUMBERS[1:]), (f"captions/ids of int64 ({ROWS - 1},) beside {ROWS} of captions/text",)),
    "fractions": (captions(NUMBERS / 2), ("captions/ids of float64", "whole numbers or text")),
    "ids in rows": (captions(NUMBERS[:, None]), (f"captions/ids of int64 ({ROWS}, 1)",)),
    "an empty id": (captions(np.array(["", *IDS["texts"][1][1:]])), ("1 id(s) in captions/ids that are empty", "(from 0): 0")),
    "an id with blanks": (captions(np.array([*IDS["texts"][1][1:], "q "])), ("have blanks around", f"(from 0): {ROWS - 1}")),
    "pickled ids": (captions(NUMBERS.astype(object)), ("pickled objects in captions/ids, which are never loaded",)),
    "no texts": ({"captions/embeddings": spoilt(1.0)}, ("lacks captions/text", "found captions/embeddings")),
}


@pytest.mark.parametrize(("given", "told"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_and_nothing_is_written(work: Workload, tmp_path: Path, given: Arrays, told: tuple[str, ...]) -> None:
    with pytest.raises(Refusal) as caught:
        submit(work, archive(tmp_path, given), tmp_path / SUBMISSION)
    assert [part for part in told if part not in str(caught.value)] == []
    assert [path.name for path in tmp_path.iterdir()] == ["more.npz"]


def test_an_archive_that_is_cut_off_is_refused(work: Workload, tmp_path: Path) -> None:
    path = archive(tmp_path, captions(NUMBERS))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(Refusal, match=r"more\.npz cannot be read"):
        submit(work, path, tmp_path / SUBMISSION)


def test_two_rows_of_a_table_with_one_id_are_refused(work: Workload, tmp_path: Path) -> None:
    """Though they say the same."""
    given = captions()
    row = {"id": ["7", "7"], "text": ["a dog"] * 2, "text_vector": [given["captions/embeddings"][0].tolist()] * 2}
    pl.DataFrame(row).write_parquet(tmp_path / "new.parquet")
    with pytest.raises(Refusal, match="stand more than once"):
        submit(work, tmp_path / "new.parquet", tmp_path / SUBMISSION)


def test_a_table_in_which_an_id_is_missing_is_refused(work: Workload, tmp_path: Path) -> None:
    given = captions()["captions/embeddings"][:3].tolist()
    table = pl.DataFrame({"id": [5, None, 7], "text": ["a dog", "a cake", "a lamp"], "text_vector": given})
    table.write_parquet(tmp_path / "new.parquet")
    with pytest.raises(Refusal, match="row_id"):
        submit(work, tmp_path / "new.parquet", tmp_path / SUBMISSION)


@pytest.mark.parametrize("kind", ["names", "places", "one of many"])
def test_ids_that_are_all_that_tells_of_images_are_not_the_captions_own(
    work: Workload, tmp_path: Path, wanted: np.ndarray, kind: str
) -> None:
    given = arrays(first=50)
    of = given.pop("captions/label")
    told = {"names": given["images/names"][of], "places": of, "one of many": np.eye(IMAGES)[of]}
    submit(work, archive(tmp_path, {**given, "captions/ids": told[kind]}), tmp_path / SUBMISSION)
    found = read_submission(tmp_path / SUBMISSION)
    assert found["id"].to_list() == IDS["places"][1]
    assert np.array_equal(vectors(found, "embedding"), wanted)


def test_a_contract_that_says_nothing_of_files_without_labels_reads_them_as_any(work: Workload, tmp_path: Path) -> None:
    place = work.source_folder / "npz.yaml"
    whole = place.read_text(encoding="utf-8")
    declared = yaml.safe_load(whole)
    place.write_text(yaml.safe_dump({**declared, "unlabelled": []}), encoding="utf-8")
    told = rows_of_file(Project(work.project.root).workload(NAME), archive(tmp_path, arrays(first=50)), unlabelled=True)
    place.write_text(whole, encoding="utf-8")
    assert told["image_id"].n_unique() == IMAGES
    assert told["labelled_at"].null_count() == 0
    assert told.equals(rows_of_file(work, tmp_path / "more.npz"))


def command(*arguments: str) -> tuple[int, str]:
    told = CliRunner().invoke(app, list(arguments))
    return told.exit_code, told.stderr


def test_nothing_is_learnt_from_captions_without_images(work: Workload, tmp_path: Path) -> None:
    code, told = command("check", str(archive(tmp_path, captions(NUMBERS))), "--workload", NAME)
    assert code == 1
    assert "lacks images/embeddings, images/names" in told
    assert "next: captions without images are for `watertight predict` and `watertight submit`" in told


def test_rows_of_a_table_without_an_image_are_in_no_group_and_refused(work: Workload, tmp_path: Path) -> None:
    """Were they named by their places, those of the next table would be other versions of them."""
    image = [None, "img900.jpg", "img901.jpg", None]
    held = captions()["captions/embeddings"][:4].tolist()
    deep = np.random.default_rng(5).normal(size=(4, DEEP)).tolist()
    vector = [told if name else None for name, told in zip(image, deep, strict=True)]
    words = ["a dog", "a cake", "a lamp", "a boat"]
    table = {"caption": range(4), "text": words, "image": image, "image_vector": vector, "text_vector": held}
    pl.DataFrame(table).write_parquet(tmp_path / "d1.parquet")
    rows = rows_of_file(work, tmp_path / "d1.parquet")
    assert rows["image_id"].to_list() == image
    assert rows["row_id"].str.starts_with("pair-").all()
    code, told = command("check", str(tmp_path / "d1.parquet"), "--workload", NAME)
    assert code == 1
    assert "group_id" in told


def test_what_a_file_without_labels_has_is_among_what_a_file_has(work: Workload) -> None:
    told = work.declared_contract.model_dump(mode="json")
    with pytest.raises(ValidationError, match="unlabelled names caption_text, which is none of required: caption, text"):
        SourceContract.model_validate(told | {"unlabelled": ["caption_text"]})
    assert "unlabelled" not in SourceContract.model_validate(told | {"unlabelled": []}).model_dump()


def _long(given: Arrays) -> Arrays:
    return {**given, "captions/text": np.array([*given["captions/text"][:-1], "x" * 100_001])}


@pytest.mark.parametrize("hand_in", [captions, lambda: arrays(first=50)], ids=["captions", "pairs"])
def test_a_submission_has_no_holes(work: Workload, tmp_path: Path, hand_in: Callable[[], Arrays]) -> None:
    given = archive(tmp_path, _long(hand_in()))
    code, told = command("submit", NAME, "--from", str(given), "--to", str(tmp_path / SUBMISSION))
    assert code == 1
    assert f"1 of {ROWS} rows cannot be answered" in told
    assert not (tmp_path / SUBMISSION).exists()
