"""An archive of one's own through the stages: its vectors are taken as they are, and each later row is held to them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pairs_project
import polars as pl
import pytest
from pairs_project import DEEP, WIDE, archive, arrays, copied_to, run, without_vectors

from pipelines.drop import read_drop
from pipelines.drops import check_drop, ingest_drop
from pipelines.predict import predict_file, predict_one
from pipelines.raw_file import read_raw
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Project, Workload
from watertight.core.tables import read_json, read_table
from watertight.features.embedding import embed

ENCODER = "all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def built_pairs(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    root = tmp_path_factory.mktemp("pairs") / "project"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("WATERTIGHT_RAW", raising=False)
        work = pairs_project.lay_out(root, arrays())
        patch.chdir(root)
        run(work, *pairs_project.STAGES)
    return work


@pytest.fixture
def pairs(built_pairs: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workload:
    return copied_to(tmp_path / "project", built_pairs, monkeypatch)


def joined_vectors(work: Workload) -> dict[str, list[float]]:
    table = read_table(work.data("training_set", "training_set.parquet"))
    return dict(table.select("text", f"{work.name}_embedding__vector").iter_rows())


def test_the_vectors_that_came_are_those_that_are_joined_and_no_encoder_is_claimed(built_pairs: Workload) -> None:
    given = arrays()
    found = joined_vectors(built_pairs)
    assert len(found) == 48
    for text, vector in pairs_of(given):
        assert np.array_equal(np.array(found[str(text)], np.float32), vector)
    for place in (("features", "features.json"), ("training_set", "training_set.json")):
        assert read_json(built_pairs.data(*place))["encoders"] == {}
    assert read_json(built_pairs.artifacts("bundle", "manifest.json"))["encoder_fingerprint"] == ""
    assert "no encoder" in built_pairs.artifacts("bundle", "card.md").read_text(encoding="utf-8")


def test_ingest_says_how_long_vectors_are_and_later_stages_read_it(built_pairs: Workload) -> None:
    told = read_json(built_pairs.data("rows", "contract.json"))
    assert (told["targets"]["image"]["dimension"], told["dimensions"]) == (DEEP, {"text_vector": WIDE})
    assert built_pairs.declared_contract.targets["image"].dimension is None
    assert built_pairs.contract.targets["image"].dimension == DEEP
    outputs = read_table(built_pairs.artifacts("train", "predictions.parquet")).filter(cell="linear")["vector"]
    assert outputs.list.len().unique().to_list() == [DEEP]


def test_an_archive_without_vectors_of_its_texts_is_embedded_by_the_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATERTIGHT_RAW", raising=False)
    work = pairs_project.lay_out(tmp_path / "project", without_vectors(arrays(images=12)))
    monkeypatch.chdir(tmp_path / "project")
    run(work, "ingest", "check", "split", "featurize", "join", "guard")
    found = joined_vectors(work)
    texts = pl.Series(sorted(found))
    assert [found[text] for text in texts] == embed(texts, ENCODER)[0].to_list()
    assert list(read_json(work.data("features", "features.json"))["encoders"]) == [ENCODER]
    assert work.contract.dimensions == {"text_vector": 0}
    with pytest.raises(Refusal, match="text_vector is no empty cell, as in all rows before"):
        check_drop(work, archive(tmp_path, arrays(first=50)), None)


def test_a_source_that_names_no_file_says_how_to_name_one(tmp_path: Path) -> None:
    work = pairs_project.lay_out(tmp_path / "project", arrays())
    pairs_project.pin(work.project.root, {})
    with pytest.raises(
        Misuse, match=r"'npz' names no raw file(.|\n)*files: (.|\n)*pin yours in pipelines/sources/alignment/npz\.yaml"
    ):
        run(Project(work.project.root).workload(work.name), "ingest")


def test_it_names_the_file_and_not_a_link_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATERTIGHT_RAW", raising=False)
    work = pairs_project.lay_out(tmp_path / "project", arrays())
    contract = work.source_folder / "npz.yaml"
    contract.rename(tmp_path / "project" / "shared.yaml")
    contract.symlink_to("../../../shared.yaml")
    archive(tmp_path / "project" / "raw", arrays(first=50), "pairs.npz")
    with pytest.raises(Refusal, match=r"not the one that the contract pins(.|\n)*under a name of its own in shared\.yaml"):
        run(work, "ingest")
    pairs_project.pin(work.project.root, {})
    with pytest.raises(Misuse, match=r"'npz' names no raw file(.|\n)*next: pin yours in shared\.yaml"):
        run(Project(work.project.root).workload(work.name), "ingest")


def twice_said(vector: str = "of its own") -> pairs_project.Arrays:
    """An archive in which two captions of one image are of the same words, and so is one of another image."""
    given = arrays()
    given["captions/text"][[1, 2]] = given["captions/text"][0]
    if vector == "the same":
        given["captions/embeddings"][1] = given["captions/embeddings"][0]
    return given


@pytest.mark.parametrize("vector", ["of its own", "the same"])
def test_two_may_say_the_same_of_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vector: str) -> None:
    given = twice_said(vector)
    monkeypatch.delenv("WATERTIGHT_RAW", raising=False)
    work = pairs_project.lay_out(tmp_path / "project", given)
    monkeypatch.chdir(tmp_path / "project")
    run(work, *pairs_project.STAGES)
    rows = read_table(work.data("checked", "rows.parquet"))
    assert (rows.height, rows["row_id"].n_unique(), rows["caption_id"].n_unique()) == (48, 48, 48)
    assert rows["text"].to_list() == given["captions/text"].tolist()
    joined = read_table(work.data("training_set", "training_set.parquet")).select("row_id", f"{work.name}_embedding__vector")
    ordered = rows.select("row_id").join(joined, on="row_id", maintain_order="left")[f"{work.name}_embedding__vector"]
    assert np.array_equal(np.array(ordered.to_list(), np.float32), given["captions/embeddings"])
    assert check_drop(work, archive(tmp_path, given), None)["nothing new"] == "every row of it is known"


def test_the_rows_of_an_archive_are_known_by_their_words_and_images(built_pairs: Workload) -> None:
    """Of what was said twice only the second has another id, so that rows that were let in before keep theirs."""
    given = arrays()
    rows = read_table(built_pairs.data("rows", "rows.parquet"))
    names = given["images/names"][given["captions/label"]]
    told = [f"{image}\x1f{text}" for image, text in zip(names, given["captions/text"], strict=True)]
    assert rows["row_id"].to_list() == [f"pair-{hashlib.md5(one.encode()).hexdigest()}" for one in told]


def test_a_further_archive_is_a_drop(pairs: Workload, tmp_path: Path) -> None:
    told = check_drop(pairs, archive(tmp_path, arrays(first=50, images=4)), None)
    assert (told["new"], told["quarantined"], told["groups"]) == (8, 0, {"known": 0, "new": 4})
    again = check_drop(pairs, archive(tmp_path, arrays(), "again.npz"), None)
    assert again["nothing new"] == "every row of it is known"


def test_a_drop_that_is_let_in_keeps_its_vectors(pairs: Workload, tmp_path: Path) -> None:
    root = pairs.project.root
    for command in (["git", "init", "--quiet"], [sys.executable, "-m", "dvc", "init", "--quiet"]):
        subprocess.run(command, cwd=root, check=True, env={**os.environ, "DVC_NO_ANALYTICS": "1"}, timeout=120)
    given = arrays(first=50, images=4)
    told = ingest_drop(pairs, archive(tmp_path, given), None)
    assert (told["new"], told["quarantined"]) == (8, 0)
    run(pairs, "ingest", "check", "split", "featurize")
    rows = read_table(pairs.data("rows", "rows.parquet"))
    assert rows.group_by("drop").len().sort("len").rows() == [("more", 8), ("pairs", 48)]
    text = read_table(pairs.data("features", f"{pairs.name}_embedding.parquet")).join(
        rows.select("caption_id", "text"), on="caption_id"
    )
    found = dict(text.select("text", "vector").iter_rows())
    assert all(np.array_equal(np.array(found[str(text)], np.float32), vector) for text, vector in pairs_of(given))
    assert read_table(pairs.data("features", f"{pairs.name}_images.parquet")).height == 28


def pairs_of(given: pairs_project.Arrays) -> Iterator[tuple[str, np.ndarray]]:
    return zip(given["captions/text"], given["captions/embeddings"], strict=True)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (arrays(first=50, deep=DEEP + 1), f"image is no list of {DEEP} finite numbers, not all of them 0"),
        (arrays(first=50, wide=WIDE + 1), f"text_vector is no list of {WIDE} finite numbers, not all of them 0"),
        (without_vectors(arrays(first=50)), f"text_vector is no list of {WIDE} finite numbers, not all of them 0"),
    ],
    ids=["another image dimension", "another text dimension", "no text vectors"],
)
def test_a_drop_of_other_vectors_is_refused_with_its_rows(
    pairs: Workload, tmp_path: Path, given: pairs_project.Arrays, told: str
) -> None:
    with pytest.raises(Refusal, match=told) as caught:
        check_drop(pairs, archive(tmp_path, given), None)
    assert caught.value.count == 48
    assert all(row.startswith("pair-") for row in caught.value.rows)


@pytest.mark.parametrize("spoilt", [[float("nan")] * DEEP, [0.0] * DEEP, [1.0] * (DEEP - 1)], ids=["NaN", "zero", "short"])
def test_one_bad_row_of_a_drop_is_set_aside(pairs: Workload, tmp_path: Path, spoilt: list[float]) -> None:
    """An archive with such a vector is refused whole by its reader; other kinds of files bring it this far."""
    rows = read_raw(archive(tmp_path, arrays(first=50, images=6)))
    bad = rows.with_columns(
        image_vector=pl.when(pl.col("caption") == 3).then(pl.lit(spoilt, dtype=pl.List(pl.Float32))).otherwise("image_vector")
    )
    bad.write_parquet(tmp_path / "more.parquet")
    drop = read_drop(pairs, tmp_path / "more.parquet")
    assert (drop.part.height, drop.aside.height) == (11, 1)
    assert drop.aside["text"].to_list() == [rows["text"][3]]
    assert drop.aside["reason"].to_list() == [f"image is no list of {DEEP} finite numbers, not all of them 0"]


def test_an_image_that_comes_again_with_another_vector_is_refused(pairs: Workload, tmp_path: Path) -> None:
    given = arrays(first=50, images=4)
    given["images/names"][0] = "img003.jpg"
    with pytest.raises(Refusal, match=r"1 key\(s\) have more than one vector at one instant") as caught:
        check_drop(pairs, archive(tmp_path, given), None)
    assert caught.value.rows == ("img003.jpg",)


def test_new_rows_are_answered_from_the_vectors_that_they_bring(pairs: Workload, tmp_path: Path) -> None:
    answers = predict_file(pairs, archive(tmp_path, arrays()), tmp_path / "told.parquet")
    assert answers["image_vector"].list.len().unique().to_list() == [DEEP]
    truth = np.repeat(arrays()["images/embeddings"], pairs_project.EACH, axis=0)
    told = np.array(answers["image_vector"].to_list())
    cosines = (truth * told).sum(axis=1) / np.linalg.norm(truth, axis=1) / np.linalg.norm(told, axis=1)
    assert cosines.min() > 0.9


def test_new_rows_that_bring_none_are_refused_since_the_encoders_are_of_another_space(pairs: Workload, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=rf"text_vector: 48 value\(s\) are no list of {WIDE} finite numbers"):
        predict_file(pairs, archive(tmp_path, without_vectors(arrays())), tmp_path / "told.parquet")
    with pytest.raises(Misuse, match=rf"needs text_vector, a list of {WIDE} numbers(.|\n)*--from FILE"):
        predict_one(pairs, {"text": "a dog"}, None)
