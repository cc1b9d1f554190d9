"""Duplicates across splits: exactly the rows with a twin elsewhere, against all pairs counted by hand."""

from __future__ import annotations

import re
import time
import unicodedata
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from watertight.checks.base import Found
from watertight.checks.duplicates_across_splits import ExpectNoDuplicatesAcrossSplits
from watertight.checks.neighbours_across_splits import ExpectNoNeighboursAcrossSplits
from watertight.checks.setting import Setting, judging

TALE = "the quick brown fox jumps over the lazy dog while seven grey wolves watch it from afar and say nothing at all"
WORDS = [f"word{number}" for number in range(2000)]


def table(texts: list[str | None], split: list[str], fold: list[int | None]) -> pd.DataFrame:
    ids = [f"r{number}" for number in range(len(texts))]
    columns = {"row_id": ids, "split": split, "fold": pl.Series(fold, dtype=pl.Int64), "text": pl.Series(texts, dtype=pl.String)}
    return pl.DataFrame(columns).to_pandas()


def found(frame: pd.DataFrame, **kwargs: Any) -> Found:
    return ExpectNoDuplicatesAcrossSplits(column="text", **kwargs).find(frame)


def sentence(chance: np.random.Generator, length: int = 60) -> list[str]:
    return [WORDS[number] for number in chance.integers(0, len(WORDS), length)]


@pytest.mark.parametrize(
    ("split", "fold", "named"),
    [
        (["train", "train"], [0, 1], True),
        (["train", "test_groups"], [0, None], True),
        (["test_future", "train"], [None, 4], True),
        (["train", "train"], [2, 2], False),
        (["test_groups", "test_future"], [None, None], False),
        (["train", "embargo"], [0, None], False),
        (["unlabelled", "train"], [None, 0], False),
    ],
)
def test_which_places_must_be_apart(split: list[str], fold: list[int | None], named: bool) -> None:
    told = found(table([TALE, TALE], split, fold))
    assert (told.ok, list(told.rows)) == (not named, ["r0", "r1"] if named else [])


@pytest.mark.parametrize(
    "twin",
    [
        TALE.upper(),
        f"  {TALE.replace(' ', '   ')}\n",
        unicodedata.normalize("NFD", TALE.replace("nothing", "café")),
        TALE.replace("fox", "ﬁx"),
        TALE.replace("lazy", "very lazy"),
        f"{TALE} !!!",
    ],
    ids=["case", "blanks", "decomposed", "ligature", "a word more", "marks"],
)
def test_the_same_text_in_another_form(twin: str) -> None:
    own = TALE.replace("nothing", "café") if "cafe\u0301" in twin else TALE.replace("fox", "fix") if "ﬁ" in twin else TALE
    told = found(table([own, "something else that nobody wrote before but now it is here", twin], ["train"] * 3, [0, 1, 2]))
    assert list(told.rows) == ["r0", "r2"]


def test_texts_without_blanks_between_words_and_in_other_scripts() -> None:
    texts = [
        "昨日は雨が降ったので家にいました",
        "昨日は雨が降ったので家にいました。",
        "मैं आज बहुत खुश हूँ क्योंकि मेरी बहन घर आई",
        "明日は晴れるといいですねと母が言った",
    ]
    told = found(table([*texts, texts[2]], ["train"] * 4 + ["test_groups"], [0, 1, 0, 2, None]))
    assert list(told.rows) == ["r0", "r1", "r2", "r4"]


def test_short_and_null_texts_match_nothing() -> None:
    frame = table(["Happy, calm", "happy calm", None, None, "", "", "a b c d e f g", "a b c d e f g"], ["train"] * 8, [0, 1] * 4)
    assert found(frame).ok
    assert list(found(frame, least_words=7).rows) == ["r6", "r7"]
    assert list(found(frame, least_words=1).rows) == ["r0", "r1", "r6", "r7"]


def test_what_is_told_of_pairs() -> None:
    near = TALE.replace("lazy", "very lazy")
    told = found(table([TALE, TALE, near, TALE], ["train", "train", "test_future", "embargo"], [0, 1, None, None]))
    assert list(told.rows) == ["r0", "r1", "r2"]
    assert told.figures == {"rows": 3, "pairs": 3, "exact": 1, "first": [["r0", "r1", 1.0], ["r0", "r2", 0.87]]}


def test_the_threshold_means_what_it_says() -> None:
    frame = table([TALE, TALE.replace("lazy", "very lazy")], ["train", "train"], [0, 1])
    assert not found(frame, threshold=20 / 23).ok
    assert found(frame, threshold=20 / 23 + 1e-9).ok


def shingled(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return set(pairwise(words))


def drawn(seed: int) -> pd.DataFrame:
    """Texts of which some are others with a few words changed, in random places."""
    chance = np.random.default_rng(seed)
    texts = [sentence(chance, int(chance.integers(20, 80))) for _ in range(60)]
    for _ in range(60):
        copy = list(texts[chance.integers(len(texts))])
        for _ in range(chance.integers(0, 8)):
            copy[chance.integers(len(copy))] = WORDS[chance.integers(len(WORDS))]
        texts.append(copy)
    split = chance.choice(["train", "test_groups", "test_future", "embargo"], len(texts), p=[0.6, 0.2, 0.1, 0.1])
    fold = [int(chance.integers(3)) if name == "train" else None for name in split]
    return table([" ".join(text) for text in texts], split.tolist(), fold)


def twins(frame: pd.DataFrame, threshold: float) -> set[str]:
    """By comparing each row with each other."""
    rows = frame.to_dict("records")
    sets = [shingled(row["text"]) for row in rows]
    named = set()
    for one, other in combinations(range(len(rows)), 2):
        place = [(rows[at]["split"], rows[at]["fold"] if rows[at]["split"] == "train" else None) for at in (one, other)]
        trains = any(split == "train" for split, _ in place) and not {"embargo"} & {split for split, _ in place}
        alike = len(sets[one] & sets[other]) / len(sets[one] | sets[other]) >= threshold
        if trains and place[0] != place[1] and alike:
            named |= {rows[one]["row_id"], rows[other]["row_id"]}
    return named


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9])
def test_it_finds_what_comparing_all_pairs_finds(threshold: float) -> None:
    """Nothing is named that is not alike; of what is alike by a margin all but one in a hundred, of the rest nearly all."""
    clear = hit = all_alike = all_hit = 0
    for seed in range(25):
        frame = drawn(seed)
        named = set(found(frame, threshold=threshold).rows)
        assert named <= twins(frame, threshold)
        by_a_margin = twins(frame, min(threshold + 0.05, 1.0))
        clear, hit = clear + len(by_a_margin), hit + len(by_a_margin & named)
        all_alike, all_hit = all_alike + len(twins(frame, threshold)), all_hit + len(named)
    assert clear > 200
    assert hit / clear >= 0.99
    assert all_hit / all_alike >= 0.98


@pytest.mark.parametrize("seed", range(200))
def test_no_false_alarm_on_clean_texts(seed: int) -> None:
    chance = np.random.default_rng(seed)
    common = 1 / np.arange(1, len(WORDS) + 1)
    texts = [" ".join(chance.choice(WORDS, chance.integers(1, 60), p=common / common.sum())) for _ in range(150)]
    told = found(table(texts, ["train"] * 120 + ["test_groups"] * 30, [number % 5 for number in range(120)] + [None] * 30))
    assert (told.ok, told.figures["pairs"]) == (True, 0)


def test_a_hundred_thousand_texts_take_seconds() -> None:
    chance = np.random.default_rng(0)
    texts = [" ".join(words) for words in np.array(WORDS)[chance.integers(0, len(WORDS), (100_000, 60))]]
    texts[7] = texts[70_000] = TALE
    frame = table(texts, ["train"] * 100_000, [number // 20_000 for number in range(100_000)])
    began = time.process_time()
    assert list(found(frame).rows) == ["r7", "r70000"]
    assert time.process_time() - began < 30


def test_texts_cut_from_one_pattern_do_not_take_for_ever() -> None:
    chance = np.random.default_rng(0)
    texts = [f"{TALE} {sentence(chance, 1)[0]}{number}" for number in range(4000)]
    began = time.process_time()
    told = found(table(texts, ["train"] * 4000, [number % 5 for number in range(4000)]))
    assert len(told.rows) == 4000
    assert time.process_time() - began < 20


def neighbours(vectors: np.ndarray, split: list[str], fold: list[int | None], **kwargs: Any) -> Found:
    frame = table([""] * len(vectors), split, fold)
    lists = [None if np.isnan(vector).all() else vector.tolist() for vector in vectors]
    judged = pl.DataFrame({"row_id": frame["row_id"].tolist(), "v": pl.Series(lists, dtype=pl.List(pl.Float32))})
    with judging(Setting(judged)):
        return ExpectNoNeighboursAcrossSplits(column="v", **{"least": 0.97} | kwargs).find(frame)


@pytest.mark.parametrize("seed", range(20))
def test_neighbours_are_those_that_comparing_all_pairs_finds(seed: int) -> None:
    chance = np.random.default_rng(seed)
    vectors = chance.normal(size=(80, 4)).astype(np.float32)
    vectors[3], vectors[4] = np.nan, 0
    split = chance.choice(["train", "test_groups", "test_future", "embargo"], 80, p=[0.5, 0.2, 0.2, 0.1]).tolist()
    fold = [int(chance.integers(3)) if name == "train" else None for name in split]
    with np.errstate(invalid="ignore"):
        unit = vectors.astype(float) / np.linalg.norm(vectors.astype(float), axis=1, keepdims=True)
    named = set()
    for one, other in combinations(range(80), 2):
        trains = "train" in (split[one], split[other]) and "embargo" not in (split[one], split[other])
        if trains and (split[one], fold[one]) != (split[other], fold[other]) and unit[one] @ unit[other] >= 0.97:
            named |= {f"r{one}", f"r{other}"}
    told = neighbours(vectors, split, fold)
    assert set(told.rows) == named
    assert named, "the case is not empty"


@pytest.mark.parametrize("seed", range(200))
def test_vectors_of_many_dimensions_have_no_neighbours_by_chance(seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(60, 64)).astype(np.float32)
    assert neighbours(vectors, ["train"] * 60, [number % 5 for number in range(60)]).ok


def test_equal_and_scaled_vectors_are_neighbours_at_cosine_one() -> None:
    one = np.random.default_rng(0).normal(size=384).astype(np.float32)
    told = neighbours(np.stack([one, 2 * one, -one]), ["train", "test_groups", "test_groups"], [0, None, None], least=1.0 - 1e-6)
    assert list(told.rows) == ["r0", "r1"]
    assert told.figures == {"rows": 2, "vectors": 3, "pairs": 1, "first": [["r0", "r1", 1.0]]}
