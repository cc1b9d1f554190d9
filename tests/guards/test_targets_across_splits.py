"""One picture under two names: rows with equal or nearly equal targets are named where one is learnt from and the other asked."""

from __future__ import annotations

import tracemalloc
from itertools import combinations
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pairs_project
import polars as pl
import pytest
import yaml
from pairs_project import archive, arrays, run

from pipelines.drops import check_drop
from pipelines.source import typed_drops
from pipelines.split import APART, assigned, judge_split
from watertight.checks import neighbours_across_splits as module
from watertight.checks.suite import Check, judge
from watertight.checks.verdict import CheckResult
from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Project, Workload
from watertight.core.tables import read_json, read_table

ROOT = Path(__file__).parents[2]
TARGETS = {"v": Target(kind="vector")}
NEAR, ALIKE = 0.992, 0.988


def beside(vector: np.ndarray, cosine: float) -> np.ndarray:
    """A vector at this cosine of another one, in a direction of its own."""
    other = np.random.default_rng(0).normal(size=len(vector))
    other -= vector * (other @ vector) / (vector @ vector)
    length = np.linalg.norm(vector)
    return np.asarray(cosine * vector + np.sqrt(1 - cosine**2) * other / np.linalg.norm(other) * length, dtype=np.float32)


def judged(frame: pl.DataFrame, targets: dict[str, Target] = TARGETS, **kwargs: Any) -> CheckResult:
    check = Check(type=APART, kwargs={"column": "v", **kwargs})
    return judge("split", frame, [check], targets=targets).results[0]


def captions(vectors: np.ndarray, each: int, split: list[str], fold: list[int | None]) -> pl.DataFrame:
    """So many rows of each vector, all of one group."""
    rows = [
        (f"{group}-{place}", f"g{group}", split[group], fold[group]) for group in range(len(vectors)) for place in range(each)
    ]
    told = pl.DataFrame(
        rows, schema={"row_id": pl.String, "group_id": pl.String, "split": pl.String, "fold": pl.Int64}, orient="row"
    )
    return told.with_columns(v=pl.Series(np.repeat(vectors, each, axis=0)).arr.to_list().cast(pl.List(pl.Float32)))


def dealt(chance: np.random.Generator, groups: int) -> tuple[list[str], list[int | None]]:
    split = chance.choice(["train", "test_groups", "test_future", "embargo"], groups, p=[0.6, 0.15, 0.15, 0.1]).tolist()
    return split, [int(chance.integers(3)) if name == "train" else None for name in split]


@pytest.mark.parametrize("seed", range(20))
def test_they_are_those_that_comparing_all_rows_finds(seed: int) -> None:
    chance = np.random.default_rng(seed)
    vectors = chance.normal(size=(40, 3)).astype(np.float32)
    vectors[7] = vectors[3]
    frame = captions(vectors, 3, *dealt(chance, 40))
    rows = frame.with_columns(group_id=pl.when(pl.col("row_id").str.ends_with("-2")).then(pl.lit("g3")).otherwise("group_id"))
    told = judged(rows, least=0.98)
    assert set(told.row_ids) == slowly(rows.to_dicts(), 0.98)
    assert told.row_ids, "the case is not empty"


def slowly(rows: list[dict[str, Any]], least: float) -> set[str]:
    named = set()
    for one, other in combinations(rows, 2):
        trains = "train" in (one["split"], other["split"]) and "embargo" not in (one["split"], other["split"])
        apart = trains and (one["split"], one["fold"]) != (other["split"], other["fold"]) and one["group_id"] != other["group_id"]
        a, b = np.array(one["v"], dtype=float), np.array(other["v"], dtype=float)
        if apart and a @ b / np.linalg.norm(a) / np.linalg.norm(b) >= least:
            named |= {one["row_id"], other["row_id"]}
    return named


def test_vectors_are_compared_once_however_many_captions_tell_of_them() -> None:
    chance = np.random.default_rng(0)
    vectors = chance.normal(size=(400, 256)).astype(np.float32)
    frame = captions(vectors, 100, ["train"] * 400, [group % 5 for group in range(400)])
    judged(frame[:100])  # what is loaded once
    tracemalloc.start()
    told = judged(frame)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (told.status, told.figures["vectors"]) == ("pass", 400)
    assert most < frame.height * 256 * 4 * 0.8, "less than all rows at once"


def test_a_group_may_be_asked_later_for_what_it_was_trained_on_and_no_other_group() -> None:
    """test_future shares groups with train: what a group's own target is, is known by design."""
    one, other = np.random.default_rng(0).normal(size=(2, 8)).astype(np.float32)
    frame = captions(np.stack([one, one, other]), 1, ["train", "test_future", "train"], [0, None, 1])
    own = frame.with_columns(group_id=pl.Series(["g0", "g0", "g2"]))
    assert judged(own).status == "pass"
    assert judged(frame).row_ids == ("0-0", "1-0")
    assert judged(own, targets={}).row_ids == ("0-0", "1-0"), "of a feature, a copy counts"


def test_where_all_are_alike_it_ends_and_is_red() -> None:
    frame = captions(np.ones((600, 4), dtype=np.float32), 1, ["train"] * 600, [group % 2 for group in range(600)])
    with patch.object(module, "ENOUGH", 1000), patch.object(module, "ROWS", 16), patch.object(module, "COLUMNS", 64):
        told = judged(frame)
    assert told.status == "fail"
    assert 1000 <= told.figures["pairs"] < 90_000


def test_null_and_zero_are_no_twins() -> None:
    vectors = np.eye(6, dtype=np.float32)
    vectors[[2, 3]] = 0
    frame = captions(vectors, 1, ["train"] * 6, [0, 1, 0, 1, 0, 1])
    none = frame.with_columns(v=pl.when(pl.col("group_id").is_in(["g4", "g5"])).then(None).otherwise("v"))
    assert (judged(none).status, judged(none).figures["vectors"]) == ("pass", 2)


@pytest.mark.parametrize("without", [pl.col("fold") == 1, pl.lit(True)])
def test_with_vectors_in_one_place_nothing_is_judged(without: pl.Expr) -> None:
    frame = captions(np.ones((4, 3), dtype=np.float32), 1, ["train"] * 4, [0, 1, 0, 1])
    for instead in (None, [0.0, 0.0, 0.0]):
        told = judged(frame.with_columns(v=pl.when(without).then(pl.lit(instead, pl.List(pl.Float32))).otherwise("v")))
        assert (told.status, told.row_ids) == ("skipped", ())


@pytest.mark.parametrize("size", [1e-30, 1e-12, 1.0, 1e30])
def test_equal_ones_are_found_whatever_their_size(size: float) -> None:
    frame = captions(np.full((2, 3), size, dtype=np.float32), 1, ["train"] * 2, [0, 1])
    assert judged(frame).row_ids == ("0-0", "1-0")


@pytest.mark.parametrize("least", [0, -0.5, 1.5, 99])
def test_a_bound_that_no_cosine_reaches_or_each_does_is_refused(least: float) -> None:
    frame = captions(np.ones((2, 3), dtype=np.float32), 1, ["train"] * 2, [0, 1])
    with pytest.raises(Misuse, match="least"):
        judged(frame, least=least)


@pytest.fixture(scope="module", params=["alignment", "retrieval"])
def declared(request: pytest.FixtureRequest) -> tuple[Workload, pl.DataFrame]:
    """A workload of the repository and the rows of its source, in their places."""
    work = Project(ROOT).workload(request.param)
    [rows] = typed_drops(work)
    return work, rows.join(assigned(work, rows, rows.clear()).rows, on="row_id", how="left", maintain_order="left")


def verdict_on(work: Workload, rows: pl.DataFrame) -> CheckResult:
    [told] = [result for result in judge_split(work, rows).results if result.type == APART]
    return told


def images_in(rows: pl.DataFrame, split: str, fold: int | None) -> list[str]:
    return rows.filter(split=split, **{} if fold is None else {"fold": fold})["image_id"].unique(maintain_order=True).to_list()


def with_vector(rows: pl.DataFrame, image: str, vector: np.ndarray) -> pl.DataFrame:
    put = pl.lit(pl.Series([vector.tolist()], dtype=pl.List(pl.Float32)))
    return rows.with_columns(image=pl.when(image_id=image).then(put).otherwise("image"))


def vector_of(rows: pl.DataFrame, image: str) -> np.ndarray:
    return np.array(rows.filter(image_id=image)["image"][0].to_list())


def test_the_simulated_source_as_declared_raises_no_alarm(declared: tuple[Workload, pl.DataFrame]) -> None:
    """Wrong pairs are captions of another image: the images, and so the targets, are their own."""
    work, rows = declared
    assert (rows["written_for"] == "another").any() == (work.name == "retrieval")
    told = verdict_on(work, rows)
    assert (told.status, told.severity, told.figures["vectors"]) == ("pass", "critical", 1000)


@pytest.mark.parametrize(
    ("one", "other", "cosine", "red"),
    [
        (("train", 0), ("train", 1), 1.0, True),
        (("train", 2), ("test_groups", None), 1.0, True),
        (("train", 0), ("train", 2), NEAR, True),
        (("test_groups", None), ("train", 1), NEAR, True),
        (("train", 1), ("train", 1), 1.0, False),
        (("test_groups", None), ("test_groups", None), 1.0, False),
        (("train", 0), ("train", 1), ALIKE, False),
        (("train", 0), ("test_groups", None), ALIKE, False),
    ],
)
def test_a_picture_under_two_names_is_named_with_all_its_captions(
    declared: tuple[Workload, pl.DataFrame], one: tuple[str, int], other: tuple[str, int], cosine: float, red: bool
) -> None:
    work, rows = declared
    first, second = images_in(rows, *one)[0], images_in(rows, *other)[-1]
    own = vector_of(rows, first)
    told = verdict_on(work, with_vector(rows, second, own if cosine == 1 else beside(own, cosine)))
    named = rows.filter(pl.col("image_id").is_in([first, second]))["row_id"].to_list()
    assert list(told.row_ids) == (named if red else [])
    assert (told.status, told.figures["pairs"]) == ("fail" if red else "pass", int(red))
    assert (f"cosine {round(cosine, 4)}" in told.told()) == red


def test_a_target_that_no_suite_speaks_of_has_no_equals(declared: tuple[Workload, pl.DataFrame], tmp_path: Path) -> None:
    """At another length or at half precision it is the same one; what is near is for the workload to say."""
    work, rows = declared
    quiet = Workload(_with_suite(tmp_path, work.name, []), work.name, work.params)
    [first, second] = (images_in(rows, "train", fold)[0] for fold in (0, 1))
    own = vector_of(rows, first)
    for twin in (own, 3 * own, own.astype(np.float16)):
        told = verdict_on(quiet, with_vector(rows, second, twin))
        assert (told.status, told.severity, told.count) == ("fail", "warning", 10)
    assert verdict_on(quiet, with_vector(rows, second, beside(own, NEAR))).status == "pass"
    told = verdict_on(quiet, rows)
    assert (told.status, told.kwargs) == ("pass", {"column": "image", "least": 1 - 1e-6})


def _with_suite(root: Path, name: str, checks: list[dict[str, Any]]) -> Project:
    """The repository's declarations, of which the suite says this of the split."""
    (root / "expectations").mkdir()
    (root / "pipelines").symlink_to(ROOT / "pipelines")
    (root / "params.yaml").symlink_to(ROOT / "params.yaml")
    suites = yaml.safe_load((ROOT / "expectations" / f"{name}.yaml").read_text(encoding="utf-8"))
    (root / "expectations" / f"{name}.yaml").write_text(yaml.safe_dump({**suites, "split": checks}), encoding="utf-8")
    return Project(root)


@pytest.fixture(scope="module")
def own_pairs(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """An archive of one's own as far as the drop gates read it."""
    root = tmp_path_factory.mktemp("own") / "project"
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("WATERTIGHT_RAW", raising=False)
        work = pairs_project.lay_out(root, arrays())
        patched.chdir(root)
        run(work, "ingest", "check", "split", "featurize", "join", "guard")
    return work


def test_the_stage_refuses_an_archive_with_a_picture_under_two_names(
    own_pairs: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATERTIGHT_RAW", raising=False)
    told = read_json(own_pairs.data("split", "split.json"))["checks"]
    assert [check["figures"]["vectors"] for check in told if check["type"] == APART] == [24]
    rows = read_table(own_pairs.data("checked", "rows.parquet")).join(
        read_table(own_pairs.data("split", "split.parquet")), on="row_id", maintain_order="left"
    )
    one, other = images_in(rows, "train", 0)[0], images_in(rows, "test_groups", None)[0]
    given = arrays()
    names = given["images/names"].tolist()
    given["images/embeddings"][names.index(other)] = given["images/embeddings"][names.index(one)]
    work = pairs_project.lay_out(tmp_path / "project", given)
    monkeypatch.chdir(tmp_path / "project")
    run(work, "ingest", "check")
    with pytest.raises(Refusal, match=APART) as caught:
        run(work, "split")
    assert sorted(caught.value.rows) == sorted(rows.filter(pl.col("image_id").is_in([one, other]))["row_id"])
    assert not work.data("split").exists()


def test_a_drop_that_brings_a_known_picture_under_another_name_is_refused(
    own_pairs: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own_pairs.project.root)
    monkeypatch.delenv("WATERTIGHT_RAW", raising=False)
    new = arrays(first=50, images=4)
    assert check_drop(own_pairs, archive(tmp_path, new), None)["new"] == 8
    new["images/embeddings"][:] = arrays()["images/embeddings"][:1]
    with pytest.raises(Refusal, match=APART) as caught:
        check_drop(own_pairs, archive(tmp_path, new), None)
    assert any(row in caught.value.rows for row in read_table(own_pairs.data("checked", "rows.parquet"))["row_id"])
