"""ShopSphere through the stages before the encoder: what the contract says is so on the real files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from pipelines.check import check
from pipelines.ingest import ingest
from pipelines.raw_file import read_raw
from pipelines.source import rows_of_file
from pipelines.split import split
from pipelines.stage import execute
from watertight.core.errors import Refusal
from watertight.core.project import Project, Workload
from watertight.core.tables import read_json, read_table

ROOT = Path(__file__).parents[2]
FOLDER = Path("alignment") / "shopsphere_clip"
RAW = Path(os.environ.get("WATERTIGHT_RAW", ROOT / "data" / "raw")).resolve()
NAMES = ("alignment", "retrieval")
SECTION: dict[str, Any] = {
    "source": {"name": "shopsphere"},
    "split": {"seed": 7, "folds": 5, "test_groups": {"share": 0.15}},
    "train": {"targets": ["image"], "cells": {"mean": {"family": "mean"}}},
    "register": {"cell": "mean"},
}
PARAMS = {"workloads": list(NAMES), **{name: {**SECTION, "join": {"service": name}} for name in NAMES}}

pytestmark = pytest.mark.skipif(
    not (RAW / FOLDER / "metadata2.csv").is_file(),
    reason=f"no {FOLDER}/metadata2.csv under {RAW}; the contract of alignment/shopsphere names the files",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("shopsphere")
    for name in NAMES:
        for folder in (Path("pipelines", "sources", name), Path("expectations"), Path("drops", name)):
            shutil.copytree(ROOT / folder, root / folder, dirs_exist_ok=True, symlinks=True)
    (root / "params.yaml").write_text(yaml.safe_dump(PARAMS), encoding="utf-8")
    return Project(root)


@pytest.fixture(scope="module")
def work(project: Project) -> Workload:
    found = project.workload("alignment")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WATERTIGHT_RAW", str(RAW))
        execute(found, "ingest", ingest, "data/{workload}/rows")
        execute(found, "check", check, "data/{workload}/checked")
        execute(found, "split", split, "data/{workload}/split")
    return found


@pytest.fixture(scope="module")
def rows(work: Workload) -> pl.DataFrame:
    return read_table(work.data("rows", "rows.parquet"))


def vectors(name: str) -> np.ndarray:
    return np.load(RAW / FOLDER / name, allow_pickle=False).astype(np.float64)


def test_each_product_has_its_own_words_and_its_own_picture(rows: pl.DataFrame) -> None:
    listed = read_raw(RAW / FOLDER / "metadata2.csv")
    assert rows.height == listed.height == 1126
    assert rows["image_id"].to_list() == [f"image-{Path(path).stem}" for path in listed["image_path"]]
    assert rows["text"].to_list() == [text.strip() for text in listed["description"]]
    assert np.array_equal(np.array(rows["image"].to_list()), vectors("image_embeddings.npy"))


def test_no_two_pictures_and_no_two_descriptions_are_the_same(rows: pl.DataFrame) -> None:
    """So each picture is a group of its own; were there doubles, they would have to share one."""
    unit = np.array(rows["image"].to_list())
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    nearest = (unit @ unit.T - 2 * np.eye(len(unit))).max()
    assert 0.97 < nearest < 0.98
    assert rows["text"].n_unique() == rows["image_id"].n_unique() == rows["group_id"].n_unique() == 1126


def test_products_in_several_colours_look_alike_and_are_told_apart(rows: pl.DataFrame) -> None:
    """What the contract says of them: they are no doubles, and figures on other groups are told with them in mind."""
    product = rows["image_id"].str.slice(len("image-"), 6)
    assert product.is_duplicated().sum() == 837
    unit = np.array(rows["image"].to_list())
    nearest = (unit @ unit.T - 2 * np.eye(len(unit))).argmax(axis=1)
    assert (product.to_numpy() == product.to_numpy()[nearest]).mean() == pytest.approx(0.44, abs=0.005)


def test_similarity_is_the_cosine_of_clips_vectors(rows: pl.DataFrame) -> None:
    said, shown = vectors("text_embeddings.npy"), vectors("image_embeddings.npy")
    cosines = (said * shown).sum(axis=1) / np.linalg.norm(said, axis=1) / np.linalg.norm(shown, axis=1)
    assert rows["similarity"].to_numpy() == pytest.approx(cosines, abs=6e-6)
    assert 0.26 < rows["similarity"].min() < rows["similarity"].max() < 0.45


def test_every_row_is_kept_and_its_vector_is_512_numbers(work: Workload) -> None:
    assert read_json(work.data("checked", "verdict.json"))["quarantined"] == 0
    assert work.contract.targets["image"].dimension == 512
    assert "dimensions" not in read_json(work.data("rows", "contract.json")), "the source has no vectors of its texts"
    assert set(read_table(work.data("split", "split.parquet"))["split"]) == {"train", "test_groups"}


def test_no_picture_is_taken_for_another_in_another_colour(work: Workload) -> None:
    checks = read_json(work.data("split", "split.json"))["checks"]
    [told] = [check for check in checks if check["type"] == "expect_no_neighbours_across_splits"]
    assert (told["status"], told["severity"], told["figures"]["vectors"]) == ("pass", "critical", 1126)
    assert told["kwargs"]["least"] > 0.98, "the nearest two pictures are nearer than 0.97"


def test_other_products_or_another_order_would_get_the_vectors_of_these(
    work: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATERTIGHT_RAW", str(RAW))
    listed = read_raw(RAW / FOLDER / "metadata2.csv")
    assert rows_of_file(work, RAW / FOLDER / "metadata2.csv").height == 1126
    for name, other in (("part", listed.head(100)), ("order", listed.reverse())):
        other.write_csv(tmp_path / f"{name}.csv")
        with pytest.raises(Refusal, match="the vectors of shopsphere are of other products than these"):
            rows_of_file(work, tmp_path / f"{name}.csv")


def test_the_other_workload_reads_the_same_rows_by_links(
    project: Project, rows: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATERTIGHT_RAW", str(RAW))
    other = project.workload("retrieval")
    execute(other, "ingest", ingest, "data/{workload}/rows")
    assert read_table(other.data("rows", "rows.parquet")).equals(rows)
