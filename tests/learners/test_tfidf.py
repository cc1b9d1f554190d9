"""TF-IDF against scikit-learn's own vectorisers, and what a fit may know of texts that it was not given."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.core.tables import read_json
from watertight.learners.catalogue import build
from watertight.learners.family import Learner
from watertight.learners.matrix import Matrix
from watertight.learners.ngrams import NGrams, ngrams

SCALAR = Target(kind="scalar", range=(-9, 9))
CLASSES = Target(kind="class", classes=("low", "high", "other"))
WORDS = ["calm", "glad", "weary", "angry", "tea", "rain", "Émigré", "😀", "walk", "home", "so", "not", "very", "a", "night"]


def texts(seed: int, rows: int = 120) -> list[str | None]:
    chance = np.random.default_rng(seed)
    said: list[str | None] = [" ".join(chance.choice(WORDS, size=chance.integers(1, 9))) for _ in range(rows)]
    return [None, "", *said[2:]]


def matrix(**columns: list[str | None]) -> Matrix:
    return Matrix(np.empty((len(next(iter(columns.values()))), 0), dtype=np.float32), (), columns)


def mood(said: list[str | None]) -> np.ndarray:
    return np.array([(text or "").count("glad") - (text or "").count("angry") for text in said], dtype=np.float64)


def weights(rows: int = 120) -> np.ndarray:
    return np.random.default_rng(9).uniform(0.1, 3, size=rows)


def fitted(x: Matrix, y: np.ndarray, target: Target = SCALAR, **options: Any) -> Learner:
    return build("tfidf", "y", target, options).fit(x, y, weights(len(y)), seed=0)


def vectorised(train: Matrix, later: Matrix, min_df: int = 2, spans: tuple[Any, Any] = ((1, 2), (2, 4))) -> tuple[Any, Any]:
    """The oracle: scikit-learn's TfidfVectorizer per column and kind of n-gram."""
    parts = []
    for column in sorted(train.texts):
        for analyzer, span in zip(("word", "char_wb"), spans):
            told = TfidfVectorizer(analyzer=analyzer, ngram_range=span, sublinear_tf=True, min_df=min_df)
            seen, new = ([text or "" for text in x.texts[column]] for x in (train, later))
            parts.append((told.fit_transform(seen), told.transform(new)))
    one, other = ([part[side] for part in parts] for side in (0, 1))
    return hstack(one, format="csr"), hstack(other, format="csr")


@pytest.mark.parametrize(
    ("options", "told"),
    [({}, {}), ({"min_df": 5}, {"min_df": 5}), ({"words": (1, 1), "characters": (3, 3)}, {"spans": ((1, 1), (3, 3))})],
)
def test_ridge_over_tfidf_is_that_of_scikit_learn(options: dict[str, Any], told: dict[str, Any]) -> None:
    train, later = matrix(text=texts(0), reply=texts(1)), matrix(text=texts(2), reply=texts(3))
    y = mood(texts(0))
    seen, new = vectorised(train, later, **told)
    expected = Ridge(alpha=2.0).fit(seen, y, sample_weight=weights()).predict(new)
    found = fitted(train, y, strength=2.0, **options).predict(later)["mean"]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_classes_over_tfidf_are_those_of_scikit_learn() -> None:
    train, later = matrix(text=texts(0)), matrix(text=texts(2))
    y = np.digitize(mood(texts(0)), [0, 1])
    seen, new = vectorised(train, later)
    expected = LogisticRegression(C=1 / 2.0, max_iter=1000).fit(seen, y, sample_weight=weights()).predict_proba(new)
    found = fitted(train, y, CLASSES, strength=2.0).predict(later)["probabilities"]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_words_tell_what_they_mean() -> None:
    found = fitted(matrix(text=texts(0)), mood(texts(0))).predict(matrix(text=texts(2)))["mean"]
    assert np.corrcoef(found, mood(texts(2)))[0, 1] > 0.9


def test_a_fit_knows_its_own_texts_alone_whatever_the_process_has_counted(tmp_path: Path) -> None:
    """The counter keeps texts between fits; nothing of that may show."""
    saved = []
    for name, others in (("fresh", []), ("after", [texts(7), ["zebra zebra", "zebra", *texts(5)]])):
        ngrams.cache_clear()
        for other in others:
            fitted(matrix(text=other), mood(other))
        (tmp_path / name).mkdir()
        fitted(matrix(text=texts(0)), mood(texts(0))).save(tmp_path / name)
        saved.append([(tmp_path / name / file).read_bytes() for file in ("model.safetensors", "vocabulary.json")])
    assert saved[0] == saved[1]
    assert b"zebra" not in saved[1][1]


def test_an_ngram_stands_in_the_vocabulary_if_enough_texts_have_it(tmp_path: Path) -> None:
    said = ["tea tea tea", "rain walk", "walk rain", "home"]
    fitted(matrix(text=said), np.arange(4.0), min_df=2).save(tmp_path)
    words, _ = read_json(tmp_path / "vocabulary.json")["blocks"]
    assert words["grams"] == ["rain", "walk"], "in the order of the alphabet; tea is in one text"


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads that are switched as often as can be."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("restless")
def test_counting_from_several_threads_counts_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watertight.learners.ngrams.KEPT_AT_MOST", 1000)
    said = [[text or "" for text in texts(seed)] for seed in range(12)]
    alone = [NGrams("char_wb", (2, 4)).count(part, 2) for part in said]
    shared = NGrams("char_wb", (2, 4))
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda part: shared.count(part, 2), said))
    for (one, grams), (other, names) in zip(alone, together):
        assert grams == names
        assert (one != other).nnz == 0


def test_a_counter_that_knows_too_much_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watertight.learners.ngrams.KEPT_AT_MOST", 10)
    counter = NGrams("word", (1, 1))
    for seed in (0, 1, 0):
        said = [text or "" for text in texts(seed)]
        found, grams = counter.count(said, 1)
        fresh, names = NGrams("word", (1, 1)).count(said, 1)
        assert grams == names
        assert (found != fresh).nnz == 0
    counter.count(["tea"], 1)
    assert len(counter._rows) == 1


def test_a_cell_without_texts_is_misuse() -> None:
    with pytest.raises(Misuse, match="'tfidf' needs texts"):
        fitted(Matrix(np.ones((3, 1), dtype=np.float32), ("f",)), np.ones(3))


def test_texts_that_have_nothing_in_common_are_refused() -> None:
    with pytest.raises(Refusal, match=r"(?s)no n-gram stands in 2 of 3 texts.*text.*min_df"):
        fitted(matrix(text=[None, "", "tea"]), np.ones(3))


def test_a_column_in_which_nothing_is_shared_leaves_the_others() -> None:
    alone = fitted(matrix(text=texts(0)), mood(texts(0))).predict(matrix(text=texts(2)))
    beside = fitted(matrix(text=texts(0), reply=[None] * 120), mood(texts(0)))
    assert np.array_equal(beside.predict(matrix(text=texts(2), reply=["tea"] * 120))["mean"], alone["mean"])


@pytest.mark.parametrize("options", [{"words": (2, 1)}, {"characters": (0, 3)}, {"min_df": 0}, {"strength": 0}])
def test_options_out_of_range_are_misuse(options: dict[str, Any]) -> None:
    with pytest.raises(Misuse, match="has 1 error"):
        build("tfidf", "y", SCALAR, options)
