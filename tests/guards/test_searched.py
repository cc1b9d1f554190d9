"""A search answers what a plain product over the materialised vectors does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pairs_project
import polars as pl
import pytest
from pairs_project import EACH, IMAGES, NAME, WIDE, archive, arrays, built, copied_to, without_vectors
from typer.testing import CliRunner

from pipelines.features import Features
from pipelines.materialize import online_store
from pipelines.predict import predict_file
from pipelines.search import lines_of, search_row, search_texts, search_vectors
from watertight.cli import app
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Workload
from watertight.core.tables import read_table
from watertight.stores.online import online_features

VIEW = f"{NAME}_images"
ROWS = IMAGES * EACH
Answers = list[dict[str, Any]]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workload]:
    """A project whose texts were embedded elsewhere."""
    yield from built(tmp_path_factory.mktemp("elsewhere") / "project", arrays())


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workload]:
    """A project whose texts are embedded by its own encoder."""
    yield from built(tmp_path_factory.mktemp("embedded") / "project", without_vectors(arrays()))


@pytest.fixture
def changed(embedded: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workload:
    """A copy to change."""
    return copied_to(tmp_path / "project", embedded, monkeypatch)


def here(work: Workload, monkeypatch: pytest.MonkeyPatch) -> Workload:
    monkeypatch.chdir(work.project.root)
    return work


def materialised(work: Workload) -> dict[str, np.ndarray]:
    """The vector of each image as Feast answers it from the online store."""
    features = Features(work)
    images = sorted(arrays()["images/names"].tolist())
    with features.store(online_store(features)) as store:
        found = online_features(store, [f"{VIEW}:vector"], [{"image_id": image} for image in images])
    return dict(zip(images, map(np.array, found[f"{VIEW}__vector"]), strict=True))


def slowly(work: Workload, queries: np.ndarray) -> list[list[tuple[str, float]]]:
    """Per query every image with its cosine, nearest first, one product at a time."""
    vectors = materialised(work)
    found = []
    for query in queries:
        near = {image: float(query @ own / np.linalg.norm(query) / np.linalg.norm(own)) for image, own in vectors.items()}
        found.append(sorted(near.items(), key=lambda told: -told[1]))
    return found


def predicted(work: Workload, given: pairs_project.Arrays, folder: Path) -> np.ndarray:
    """What the bundle predicts for the rows of an archive."""
    return np.array(predict_file(work, archive(folder, given), folder / "told.parquet")["image_vector"].to_list())


def demand_equal(answers: Answers, wanted: list[list[tuple[str, float]]], top: int) -> None:
    assert len(answers) == len(wanted)
    for answer, near in zip(answers, wanted, strict=True):
        assert [one["rank"] for one in answer["found"]] == list(range(1, top + 1))
        assert [one["image_id"] for one in answer["found"]] == [image for image, _ in near[:top]]
        assert [one["cosine"] for one in answer["found"]] == pytest.approx([cosine for _, cosine in near[:top]], abs=1e-6)


def test_texts_find_what_a_product_with_every_materialised_vector_finds(
    embedded: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, work = without_vectors(arrays()), here(embedded, monkeypatch)
    texts = given["captions/text"].tolist()
    answers = search_texts(work, texts, 7)
    assert [answer["query"] for answer in answers] == texts
    demand_equal(answers, slowly(work, predicted(work, given, tmp_path)), 7)
    alone = search_texts(work, texts[3:4], 7)
    assert [one["image_id"] for one in alone[0]["found"]] == [one["image_id"] for one in answers[3]["found"]]
    shown = dict(read_table(work.data("features", f"{VIEW}.parquet")).select("image_id", "shown").iter_rows())
    assert [one["shown"] for one in answers[0]["found"]] == [shown[one["image_id"]] for one in answers[0]["found"]]


def test_more_than_there_are_answers_all(embedded: Workload, monkeypatch: pytest.MonkeyPatch) -> None:
    [answer] = search_texts(here(embedded, monkeypatch), ["a lamp by the river"], 1000)
    assert len(answer["found"]) == IMAGES


def test_vectors_that_were_embedded_as_the_sources_were_find_likewise(
    elsewhere: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, work = arrays(), here(elsewhere, monkeypatch)
    np.save(tmp_path / "asked.npy", given["captions/embeddings"])
    np.save(tmp_path / "one.npy", given["captions/embeddings"][5])
    wanted = slowly(work, predicted(work, given, tmp_path))
    demand_equal(search_vectors(work, tmp_path / "asked.npy", 4), wanted, 4)
    demand_equal(search_vectors(work, tmp_path / "one.npy", 4), wanted[5:6], 4)


def test_a_row_finds_its_own_at_the_rank_of_a_recount(
    embedded: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, work = without_vectors(arrays()), here(embedded, monkeypatch)
    wanted = slowly(work, predicted(work, given, tmp_path))
    rows = read_table(work.data("rows", "rows.parquet"))
    split = dict(read_table(work.data("split", "split.parquet")).select("row_id", "split").iter_rows())
    ranks = set()
    for row in rows.gather_every(4).iter_rows(named=True):
        place = given["captions/text"].tolist().index(row["text"])
        [answer] = search_row(work, row["row_id"], 3)
        demand_equal([answer], wanted[place : place + 1], 3)
        own = [image for image, _ in wanted[place]].index(row["image_id"])
        assert answer["query"] == row["text"]
        near = pytest.approx(wanted[place][own][1], abs=1e-6)
        known = {"image_id": row["image_id"], "rank": own + 1, "among": IMAGES, "split": split[row["row_id"]]}
        assert answer["own"] == {**known, "cosine": near}
        ranks.add(own)
    assert len(ranks) > 1, "not all are found first, or the rank would prove little"


def test_a_text_is_refused_where_the_vectors_are_of_another_space(elsewhere: Workload, monkeypatch: pytest.MonkeyPatch) -> None:
    work = here(elsewhere, monkeypatch)
    with pytest.raises(Misuse, match=rf"embedded elsewhere: text_vector, of {WIDE} numbers(.|\n)*--vector FILE.npy") as caught:
        search_texts(work, ["red summer dress"], 5)
    row = str(caught.value).split("such as --row ")[1]
    assert search_row(work, row, 5)[0]["own"] is not None


def _save(values: Any) -> Callable[[Path], None]:
    return lambda place: np.save(place, values, allow_pickle=True)


@pytest.mark.parametrize(
    ("lay", "error", "told"),
    [
        (_save(np.ones((2, WIDE + 1))), Refusal, f"no list of {WIDE} finite numbers"),
        (_save(np.array([1.0] * (WIDE - 1) + [np.nan])), Refusal, f"no list of {WIDE} finite numbers"),
        (_save(np.zeros(WIDE)), Refusal, f"no list of {WIDE} finite numbers"),
        (_save(np.ones((1, 1, WIDE))), Misuse, "holds no vectors"),
        (_save(np.array(["a"] * WIDE)), Misuse, "holds no vectors"),
        (_save(np.array([{}], dtype=object)), Misuse, "cannot be read: Object arrays cannot be loaded"),
        (lambda place: place.write_bytes(b"\x93NUMPY\x01"), Misuse, "cannot be read"),
        (lambda place: None, Misuse, "cannot be read"),
    ],
    ids=["other length", "NaN", "zero", "three axes", "texts", "pickled", "cut off", "absent"],
)
def test_what_is_no_vector_of_that_space_is_refused(
    elsewhere: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lay: Callable[[Path], None], error: Any, told: str
) -> None:
    lay(tmp_path / "asked.npy")
    with pytest.raises(error, match=told):
        search_vectors(here(elsewhere, monkeypatch), tmp_path / "asked.npy", 5)


def test_what_cannot_be_searched_is_said_plainly(embedded: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = here(embedded, monkeypatch)
    with pytest.raises(Misuse, match="the text is empty") as caught:
        search_texts(work, ["a dog", " \t", "a cake", ""], 5)
    assert caught.value.rows == ("query 2", "query 4")
    with pytest.raises(Misuse, match="reads texts, and no vectors"):
        search_vectors(work, tmp_path / "asked.npy", 5)
    with pytest.raises(Misuse, match="no row is called 'nobody'"):
        search_row(work, "nobody", 5)


def test_a_text_that_a_check_refuses_is_not_answered(embedded: Workload, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refusal, match="cannot be answered") as caught:
        search_texts(here(embedded, monkeypatch), ["a dog", "x" * 100_001], 5)
    assert caught.value.rows == ("query 2",)


def test_a_workload_without_a_gallery_is_told_to_declare_one(changed: Workload) -> None:
    module = changed.feature_module
    kept = [line for line in module.read_text(encoding="utf-8").splitlines() if not line.startswith("images")]
    module.write_text("\n".join(kept), encoding="utf-8")
    with pytest.raises(Misuse, match=r"no view of this workload can be searched(.|\n)*gallery_view of a vector target"):
        search_texts(changed, ["a dog"], 5)


def test_a_store_that_is_not_there_is_built_and_an_empty_gallery_is_said(changed: Workload) -> None:
    shutil.rmtree(changed.data("online"))
    before = search_texts(changed, ["a dog"], 5)
    assert changed.data("online", "online.db").is_file()
    assert search_texts(changed, ["a dog"], 5) == before
    place = changed.data("features", f"{VIEW}.parquet")
    pl.read_parquet(place).head(0).write_parquet(place)
    with pytest.raises(Refusal, match=f"nothing is in the view '{VIEW}'"):
        search_texts(changed, ["a dog"], 5)


def command(*arguments: str) -> tuple[int, str, str]:
    told = CliRunner().invoke(app, list(arguments))
    return told.exit_code, told.stdout, told.stderr


def test_the_command_answers_a_text_a_file_and_a_row(changed: Workload, tmp_path: Path) -> None:
    (tmp_path / "asked.txt").write_text("a dog\na cake\n", encoding="utf-8")
    code, out, _ = command("search", NAME, "--from", str(tmp_path / "asked.txt"), "--top", "2", "--json")
    assert (code, [(told["query"], len(told["found"])) for told in json.loads(out)]) == (0, [("a dog", 2), ("a cake", 2)])
    code, out, _ = command("search", NAME, "a dog", "--top", "2")
    assert code == 0
    first = search_texts(changed, ["a dog"], 1)[0]["found"][0]["image_id"]
    assert [line.split()[:2] for line in out.splitlines()[2:4]] == [["rank", "image_id"], ["1", first]]
    row = read_table(changed.data("rows", "rows.parquet"))["row_id"][0]
    code, out, _ = command("search", NAME, "--row", row, "--top", "1", "--json")
    assert (code, json.loads(out)[0]["own"]["among"]) == (0, IMAGES)


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n \t\r\n"])
def test_blank_lines_that_end_a_file_are_no_queries(tmp_path: Path, end: str) -> None:
    (tmp_path / "asked.txt").write_bytes(f"a dog\na cake {end}".encode())
    assert lines_of(tmp_path / "asked.txt") == ["a dog", "a cake "]


@pytest.mark.parametrize(
    ("text", "told", "rows"),
    [
        ("a dog\n\na cake\n \na lamp\n\n", "asked.txt has 2 blank line", ("line 2", "line 4")),
        ("\na dog\n", "asked.txt has 1 blank line", ("line 1",)),
        ("", "asked.txt holds no query", ()),
        ("\n \n", "asked.txt holds no query", ()),
    ],
)
def test_a_blank_line_among_queries_is_named_by_its_number(tmp_path: Path, text: str, told: str, rows: tuple[str, ...]) -> None:
    (tmp_path / "asked.txt").write_text(text, encoding="utf-8")
    with pytest.raises(Misuse, match=told) as caught:
        lines_of(tmp_path / "asked.txt")
    assert caught.value.rows == rows


@pytest.mark.parametrize("arguments", [[], ["a dog", "--row", "pair-0"], ["a dog", "--top", "0"], ["--from", "nowhere.txt"]])
def test_the_command_takes_one_query(changed: Workload, arguments: list[str]) -> None:
    assert command("search", NAME, *arguments)[0] == 2
