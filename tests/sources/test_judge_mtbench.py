"""MT-bench scores through the stages before the encoder: what the contract says is so on the real files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.check import check
from pipelines.ingest import ingest
from pipelines.raw_file import read_raw
from pipelines.source import rows_of_file
from pipelines.stage import execute
from watertight.checks.suite import Check, judge
from watertight.core.contract import Target
from watertight.core.project import Project, Workload
from watertight.core.tables import read_json, read_table

ROOT = Path(__file__).parents[2]
FOLDER = Path("judge") / "mtbench_gpt4_single"
RAW = Path(os.environ.get("WATERTIGHT_RAW", ROOT / "data" / "raw")).resolve()
PARAMS: dict[str, Any] = {
    "workloads": ["judge"],
    "judge": {
        "source": {"name": "mtbench"},
        "split": {"seed": 7, "folds": 5},
        "join": {"service": "judge"},
        "train": {"targets": ["score"], "cells": {"mean": {"family": "mean"}}},
        "register": {"cell": "mean"},
    },
}

pytestmark = pytest.mark.skipif(
    not (RAW / FOLDER / "question.jsonl").is_file(),
    reason=f"no {FOLDER}/question.jsonl under {RAW}; the contract of judge/mtbench names the files",
)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    root = tmp_path_factory.mktemp("mtbench")
    for folder in (Path("pipelines", "sources", "judge"), Path("expectations"), Path("drops", "judge")):
        shutil.copytree(ROOT / folder, root / folder)
    (root / "params.yaml").write_text(yaml.safe_dump(PARAMS), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WATERTIGHT_RAW", str(RAW))
        found = Project(root).workload("judge")
        execute(found, "ingest", ingest, "data/{workload}/rows")
        execute(found, "check", check, "data/{workload}/checked")
    return found


@pytest.fixture(scope="module")
def rows(work: Workload) -> pl.DataFrame:
    return read_table(work.data("rows", "rows.parquet"))


def raw_lines() -> pl.DataFrame:
    """Every judgment of every file, with its file: what the query has to account for."""
    shared = ["question_id", "model", "turn", "user_prompt", "judgment", "score", "tstamp"]
    files = sorted(path for path in (RAW / FOLDER).glob("*.jsonl") if not path.stem.startswith("question"))
    parts = [read_raw(path).select(shared).with_columns(file=pl.lit(path.stem)) for path in files]
    return pl.concat([part.with_columns(pl.col("question_id").cast(pl.String), pl.col("score").cast(float)) for part in parts])


def test_a_judgment_in_two_files_is_one_row_and_one_without_a_score_is_none(work: Workload, rows: pl.DataFrame) -> None:
    told, raw = read_json(work.data("rows", "rows.json")), raw_lines()
    scored = raw.filter(pl.col("score") != -1)
    assert (raw.height, raw.height - scored.height, scored.drop("file").unique().height) == (3934, 4, 3450)
    assert (told["rows"], told["repeats_left_out"], told["superseded"]) == (3450, 480, 0)
    assert (rows["row_id"].n_unique(), rows["score"].min(), rows["score"].max()) == (3450, 1.0, 10.0)
    assert sorted(rows["score"]) == sorted(scored.drop("file").unique()["score"])


def test_what_the_judge_wrote_is_in_no_column(rows: pl.DataFrame) -> None:
    texts = [name for name, kind in rows.schema.items() if kind == pl.String]
    assert "judgment" not in rows.columns
    for name in texts:
        assert rows.filter(pl.col(name).str.contains(r"(?i)(rating|評価)[:：]? *\[\[\d")).is_empty(), name
    told = raw_lines()["judgment"].filter(raw_lines()["judgment"].str.len_chars() > 40).str.strip_chars().unique()
    for name in ("user_prompt", "response"):
        assert set(rows[name].drop_nulls().str.strip_chars()) & set(told) == set()


def test_the_questions_are_those_of_the_list(rows: pl.DataFrame) -> None:
    listed = (
        read_raw(RAW / FOLDER / "question.jsonl")
        .explode("turns")
        .with_columns(turn=pl.int_range(pl.len()).over("question_id") + 1)
    )
    asked = rows.filter(language="en").select("question_id", "turn", "user_prompt", "metric_id").unique()
    wanted = listed.select(
        "question-" + pl.col("question_id").cast(pl.String), "turn", pl.col("turns").str.strip_chars(), "category"
    )
    assert sorted(asked.rows()) == sorted(wanted.rows())


def test_every_row_has_its_text_but_for_three_answers_that_are_empty(work: Workload, rows: pl.DataFrame) -> None:
    microseconds = (pl.col("tstamp") * 1e6).round(mode="half_away_from_zero").cast(int)
    seen = raw_lines().select(pl.col("user_prompt").alias("seen"), "model", asked_at=pl.from_epoch(microseconds, "us"))
    both = rows.with_columns(pl.col("asked_at").dt.replace_time_zone(None)).join(
        seen.unique(), left_on=["asked_at", "model_id"], right_on=["asked_at", "model"]
    )
    assert both.height == 3450
    assert all(
        prompt in seen and answer in seen for prompt, answer, seen in both.select("user_prompt", "response", "seen").rows()
    )
    assert rows.filter(pl.col("user_prompt").str.len_chars() == 0).is_empty()
    assert rows.filter(pl.col("response").str.len_chars() == 0)["score"].to_list() == [1.0, 1.0, 1.0]
    assert read_json(work.data("checked", "verdict.json"))["quarantined"] == 7


def test_a_question_with_its_turns_and_its_japanese_version_is_one_group(rows: pl.DataFrame) -> None:
    kinds = rows.select("group_id", "prompt_id", "language", "turn").unique()
    assert rows["group_id"].n_unique() == 80
    assert kinds.group_by("group_id").agg(pl.struct("language", "turn").sort())["language"].list.len().unique().to_list() == [3]
    assert rows.group_by("group_id").agg(pl.col("metric_id").n_unique())["metric_id"].max() == 1


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("121", "Python"),
        ("131", "映画"),
        ("151", "経済"),
        ("111", "三角形"),
        ("101", "レース"),
        ("100", "木"),
        ("141", "量子"),
        ("90", "誤り"),
    ],
)
def test_the_japanese_version_asks_for_the_same(rows: pl.DataFrame, question: str, said: str) -> None:
    """One question of each category, of the first or the last place in it."""
    asked = rows.filter(language="ja", question_id=f"question-{question}")["user_prompt"].unique().to_list()
    assert len(asked) == 1
    assert said in asked[0]


def test_numbers_are_the_same_in_both_versions_of_the_sums(rows: pl.DataFrame) -> None:
    math = (
        rows.filter(metric_id="math", turn=1)
        .unique("prompt_id")
        .with_columns(numbers=pl.col("user_prompt").str.extract_all(r"\d+"))
    )
    both = math.filter(language="en").join(math.filter(language="ja"), on="question_id")
    shared = [len(set(en) & set(ja)) / max(len(set(en)), 1) for en, ja in both.select("numbers", "numbers_right").rows()]
    assert len(shared) == 10
    assert sum(share >= 0.5 for share in shared) >= 8


def test_a_key_stands_for_one_text(rows: pl.DataFrame) -> None:
    decided = {
        "prompt_id": ["user_prompt", "question_id"],
        "response_id": ["response", "prompt_id"],
        "metric_id": ["metric_name"],
    }
    for key, texts in decided.items():
        most = rows.group_by(key).agg(pl.col(texts).n_unique()).select(pl.max_horizontal(pl.col(texts).max())).item()
        assert most == 1, key


def test_grade_and_words(rows: pl.DataFrame) -> None:
    assert rows.filter(score=8.5)["grade"].unique().to_list() == ["8"]
    assert rows.filter(pl.col("grade").cast(float) != pl.col("score").floor()).is_empty()
    english = rows.filter(language="en")
    ratio = english["words"] / english["response"].str.count_matches(r"\S+")
    assert 0.99 < ratio.drop_nans().mean() < 1.01
    assert rows.filter(language="ja")["words"].median() > 50


def test_a_judgment_that_comes_with_another_score_has_the_same_row_id(work: Workload, tmp_path: Path) -> None:
    """So ingest refuses it, where two rows would have been taken in silence."""
    first = read_raw(RAW / FOLDER / "medusa_05d4ffa.jsonl").head(5)
    made = []
    for name, more in (("once", 0), ("again", 1)):
        first.with_columns(pl.col("score") + more).write_ndjson(tmp_path / f"{name}.jsonl")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("WATERTIGHT_RAW", str(RAW))
            made.append(rows_of_file(work, tmp_path / f"{name}.jsonl"))
    assert made[0]["row_id"].equals(made[1]["row_id"])
    assert not made[0]["score"].equals(made[1]["score"])


def test_what_the_judge_wrote_would_be_caught_as_a_feature(rows: pl.DataFrame) -> None:
    """Planted: the judgment beside the answer, as a text that models may read."""
    kept = raw_lines().filter(pl.col("score") >= 0).unique(["user_prompt", "judgment"], maintain_order=True)
    table = kept.select(
        row_id=pl.int_range(pl.len()).cast(pl.String),
        group_id="question_id",
        split=pl.lit("train"),
        synthetic=pl.lit(False),
        score="score",
        words=pl.col("user_prompt").str.len_chars(),
        judgment="judgment",
        question="user_prompt",
    )
    check = Check(type="expect_no_target_leak", kwargs={"bound": 0.95})
    targets = {"score": Target(kind="scalar", range=(1, 10))}
    for texts, status in ((("judgment", "question"), "fail"), (("question",), "pass")):
        [told] = judge("training_set", table, [check], features=("words",), targets=targets, texts=texts).results
        assert (told.status, list(told.columns)) == (status, ["judgment (last number)"] if status == "fail" else [])
