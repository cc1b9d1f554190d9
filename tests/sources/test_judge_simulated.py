from __future__ import annotations

import re
import shutil
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy.stats import spearmanr

from pipelines.check import check
from pipelines.ingest import ingest
from pipelines.sources.judge.grammar.metrics import LANGUAGES, METRICS
from pipelines.sources.judge.grammar.scores import TEST, TRAIN, by_rank, scores_of
from pipelines.sources.judge.grammar.topics import TOPICS
from pipelines.sources.judge.grammar.wording import WORDING
from pipelines.sources.judge.simulated import COLUMNS, simulate, simulate_with_truth
from pipelines.split import split
from pipelines.stage import execute
from watertight.checks.near_duplicates import similar_pairs
from watertight.checks.shingles import normalised, shingles, words
from watertight.core.contract import SourceContract
from watertight.core.declare import parse, read_yaml
from watertight.core.project import Project
from watertight.core.rows import typed_rows
from watertight.core.tables import read_json

COUNTS = {10: 1442, 9.5: 1, 9: 3123, 8: 259, 7: 95, 6: 45, 5: 1, 4: 3, 3: 7, 2: 5, 1: 6, 0: 13}
GAPS = {"openings": {"topic"}, "questions": {"a", "b"}, "wishes": {"c"}, "content": {"a", "b", "when"}}
GAPS |= {"shown": {"aspect"}, "violated": {"aspect"}, "filler_start": set(), "filler_end": set()}
ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "pipelines" / "sources" / "judge" / "simulated.yaml"
PARAMS = {
    "workloads": ["judge"],
    "judge": {
        "source": {"name": "simulated", "options": {"simulated": {"seed": 5, "rows": 250, "test_rows": 100}}},
        "split": {"seed": 7, "folds": 5, "test_drops": ["test"]},
        "join": {"service": "judge"},
        "train": {"targets": ["score"], "cells": {"mean": {"family": "mean"}}},
        "register": {"cell": "mean"},
    },
}


@pytest.fixture(scope="module")
def truth() -> pl.DataFrame:
    return simulate_with_truth(seed=11, rows=5000, test_rows=3638)


@pytest.fixture(scope="module")
def rows(truth: pl.DataFrame) -> pl.DataFrame:
    return truth.select(COLUMNS)


@pytest.fixture(scope="module", params=["train", "test"])
def drop(request: pytest.FixtureRequest, truth: pl.DataFrame) -> pl.DataFrame:
    return truth.filter(drop=request.param)


def test_the_scores_of_train_are_those_of_the_real_file(rows: pl.DataFrame) -> None:
    assert Counter(rows.filter(drop="train")["score"]) == COUNTS
    assert sum(COUNTS.values()) == 5000


def test_who_answers_the_mean_of_train_is_far_off_on_test(rows: pl.DataFrame) -> None:
    train, test = (rows.filter(drop=name)["score"] for name in ("train", "test"))
    assert len(test) == 3638
    assert 3.7 < ((test - train.mean()) ** 2).mean() ** 0.5 < 3.9
    assert test.value_counts()["count"].max() < 0.2 * len(test)


def test_the_contract_takes_the_rows_as_they_are(rows: pl.DataFrame) -> None:
    typed = typed_rows(rows, parse(SourceContract, read_yaml(CONTRACT), CONTRACT.name), "simulated")
    assert_frame_equal(typed.select(COLUMNS), rows)
    assert Counter(typed["drop"]) == {"train": 5000, "test": 3638}
    assert {name: count for name, count in zip(rows.columns, rows.null_count().row(0)) if count} == {
        "system_prompt": rows["system_prompt"].null_count()
    }
    assert rows["row_id"][0] == "judge-000001"
    assert rows["row_id"].n_unique() == 8638


def test_the_stages_take_it_as_a_source(tmp_path: Path) -> None:
    """The simulator is loaded from its file, and every row passes what is declared of judge's rows."""
    for folder in (Path("pipelines", "sources", "judge"), Path("expectations"), Path("drops", "judge")):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(PARAMS), encoding="utf-8")
    work = Project(tmp_path).workload("judge")
    execute(work, "ingest", ingest, "data/{workload}/rows")
    execute(work, "check", check, "data/{workload}/checked")
    execute(work, "split", split, "data/{workload}/split")
    verdict = read_json(work.data("checked", "verdict.json"))
    assert (verdict["status"], verdict["quarantined"]) == ("pass", 0)
    assert {each["status"] for each in verdict["checks"]} == {"pass"}
    parts = read_json(work.data("split", "split.json"))["parts"]
    assert parts["test_drops"]["rows"] == 100
    assert sum(part["rows"] for name, part in parts.items() if name.startswith("train")) == 250


def test_grade_is_the_score_rounded_down(rows: pl.DataFrame) -> None:
    assert rows.filter(score=9.5)["grade"].to_list() == ["9"]
    assert rows["grade"].cast(pl.Float64).equals(rows["score"].floor().rename("grade"))


def test_there_are_145_metrics_and_each_judges(rows: pl.DataFrame) -> None:
    judged = rows.filter(drop="train")["metric_name"].value_counts()
    assert (len(METRICS), judged.height) == (145, 145)
    assert judged["count"].min() >= 10
    assert rows.filter(pl.col("metric_name").str.split("/").list.first() != pl.col("metric_family")).is_empty()
    assert all(re.fullmatch(r"[a-z]+/[a-z_]+", metric.name) for metric in METRICS)
    assert all(len({metric.called[language] for metric in METRICS}) == 145 for language in LANGUAGES)


def test_four_languages_are_spoken_english_most(drop: pl.DataFrame) -> None:
    shares = drop["language"].value_counts(normalize=True, sort=True)
    assert shares["language"].to_list()[0] == "en"
    assert set(shares["language"]) == set(LANGUAGES)
    assert shares["proportion"].min() > 0.05


def test_topics_and_patterns_are_whole() -> None:
    assert len(TOPICS["en"]) >= 60
    for language, topics in TOPICS.items():
        terms = [term for topic in topics for term in topic.terms]
        assert len(terms) == len(set(terms)) == 7 * len(topics)
        for part, gaps in GAPS.items():
            assert {frozenset(re.findall(r"{(\w+)}", pattern)) for pattern in getattr(WORDING[language], part)} == {
                frozenset(gaps)
            }


def test_a_key_stands_for_one_text(rows: pl.DataFrame) -> None:
    prompt = ["drop", "language", "system_prompt", "user_prompt"]
    decided = {"prompt_id": prompt, "response_id": ["response", "prompt_id"], "metric_id": ["metric_name"]}
    for key, texts in decided.items():
        assert rows.group_by(key).agg(pl.col(texts).n_unique()).select(pl.max_horizontal(pl.col(texts).max())).item() == 1, key
    assert rows.select("response_id", "metric_id").is_unique().all()


def test_prompts_have_one_to_six_rows_and_many_responses_two_metrics(drop: pl.DataFrame) -> None:
    per_prompt = drop["prompt_id"].value_counts()["count"]
    per_response = drop["response_id"].value_counts()["count"]
    assert per_prompt.n_unique() == per_prompt.max() == 6
    assert len(per_prompt) == round(0.3 * drop.height)
    assert 2 <= per_response.max() <= 3
    assert 0.15 < (per_response > 1).mean() < 0.9


def test_texts_are_short_but_for_a_few_windows_full(drop: pl.DataFrame) -> None:
    asked, answered = (drop[name].str.count_matches(r"\S+") for name in ("user_prompt", "response"))
    assert asked.min() >= 10 and asked.mean() < 25
    assert drop["words"].equals(answered.cast(pl.Int64).rename("words"))
    assert 25 < answered.median() < 65
    assert 0.002 < (answered > 400).mean() < 0.01


def test_no_text_of_one_prompt_is_nearly_that_of_another(rows: pl.DataFrame) -> None:
    """As the split's gate would see it if every prompt stood in a fold of its own."""
    group = rows["prompt_id"].rank("dense")
    for name in ("user_prompt", "response"):
        listed = words(normalised(rows[name]))
        judged = (listed.list.len() >= 8).arg_true()
        of = group.gather(judged).to_numpy()
        pairs = similar_pairs(shingles(listed.gather(judged)), 0.8, lambda one, other, of=of: of[one] != of[other])
        assert len({*pairs.first.tolist(), *pairs.second.tolist()}) < 0.005 * rows.height, name


def test_a_response_speaks_of_its_topic_as_far_as_is_told(truth: pl.DataFrame) -> None:
    """Counted in the text itself, by the terms of the prompt's topic and of all others."""
    english = truth.filter(language="en").filter(pl.col("words") < 100).unique("response_id", maintain_order=True).head(400)
    for row in english.iter_rows(named=True):
        own = next(
            topic for topic in TOPICS["en"] if topic.name in row["user_prompt"] and _spoken(topic.terms, row["user_prompt"])
        )
        others = [term for topic in TOPICS["en"] if topic != own for term in topic.terms]
        assert (_spoken(own.terms, row["response"]) > 0) == (row["on_topic"] > 0)
        if row["on_topic"] == 1:
            assert _spoken(others, row["response"]) == 0


def _spoken(terms: tuple[str, ...] | list[str], text: str) -> int:
    return sum(len(re.findall(rf"\b{re.escape(term)}\b", text, re.IGNORECASE)) for term in terms)


def test_an_aspect_that_is_shown_is_named_and_one_that_is_absent_is_not(truth: pl.DataFrame) -> None:
    called = {metric.metric_id: metric.called for metric in METRICS}
    named = [
        called[metric][language].lower() in response.lower()
        for metric, language, response in truth.select("metric_id", "language", "response").rows()
    ]
    told = truth.with_columns(named=pl.Series(named)).group_by("aspect").agg(pl.col("named").mean())
    shares = dict(told.rows())
    assert shares["shown"] == shares["violated"] == 1
    assert shares["absent"] < 0.05


def test_the_score_is_in_the_text(truth: pl.DataFrame) -> None:
    test = truth.filter(drop="test")
    worth = test["on_topic"] * test["aspect"].replace_strict({"shown": 1.0, "absent": 0.6, "violated": 0.3})
    assert spearmanr(test["on_topic"], test["score"]).statistic > 0.55
    assert spearmanr(worth, test["score"]).statistic > 0.9
    assert abs(spearmanr(test["words"], test["score"]).statistic) < 0.3
    whole = dict(test.filter(pl.col("on_topic") == 1).group_by("aspect").agg(pl.col("score").mean()).rows())
    assert whole["shown"] > 8
    assert 7 > whole["absent"] > 5
    assert 4 > whole["violated"] > 2


def test_texts_of_a_score_are_alike_in_both_drops(truth: pl.DataFrame) -> None:
    """How many there are of each differs, and little else."""
    good = truth.filter(pl.col("score").is_in([7.0, 8.0, 9.0, 10.0]))
    mean = good.group_by("score", "drop").agg(pl.col("impression").mean()).pivot("drop", index="score", values="impression")
    assert mean.height == 4
    assert (mean["train"] - mean["test"]).abs().max() < 0.12


def test_times_are_in_order(rows: pl.DataFrame) -> None:
    assert_frame_equal(rows, rows.sort("asked_at", "row_id"))
    delay = rows["labelled_at"] - rows["asked_at"]
    assert timedelta(minutes=2) <= delay.min() < delay.max() <= timedelta(days=10)
    train, test = (rows.filter(drop=name) for name in ("train", "test"))
    assert max(train["asked_at"].max(), train["labelled_at"].max()) < test["asked_at"].min()


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(rows: pl.DataFrame) -> None:
    started = time.process_time()
    again = simulate(seed=11)
    assert time.process_time() - started < 10
    assert_frame_equal(again, rows)
    other = simulate(seed=12)
    assert Counter(other.filter(drop="train")["score"]) == COUNTS
    assert set(other["response"]) & set(rows["response"]) == set()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), size=st.integers(1, 60), test_rows=st.integers(1, 60))
def test_small_sizes_are_whole(seed: int, size: int, test_rows: int) -> None:
    found = simulate(seed=seed, rows=size, test_rows=test_rows)
    assert Counter(found["drop"]) == {"train": size, "test": test_rows}
    assert found["prompt_id"].value_counts()["count"].max() <= 6


def test_fewer_rows_keep_the_proportions() -> None:
    found = simulate(seed=3, rows=500, test_rows=100)
    assert Counter(found.filter(drop="test")["score"]) == dict(TEST)
    train = Counter(found.filter(drop="train")["score"])
    assert (train[9], train[10], train[8]) == (312, 144, 26)
    assert train.total() == 500


@pytest.mark.parametrize("sizes", [{"rows": 0}, {"test_rows": 0}])
def test_a_size_that_is_not_positive_is_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected rows and test_rows >= 1"):
        simulate(seed=1, **sizes)


def test_the_best_impression_gets_the_highest_score() -> None:
    assert by_rank([0.2, 0.9, 0.5], [10, 9, 0]) == [0, 10, 9]
    assert scores_of({9: 2, 1: 1}, 4) == [9, 9, 9, 1]
    assert len(scores_of(TRAIN, 4999)) == 4999


def test_the_simulator_draws_from_its_own_generators(rows: pl.DataFrame) -> None:
    Random(0).random()
    assert simulate(seed=11, rows=5000, test_rows=50).filter(drop="train").equals(rows.filter(drop="train"))
