"""The random intercept on simulated authors whose intercepts are known, and its fit against a ridge with a column per author."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.learners.catalogue import build
from watertight.learners.matrix import Matrix
from watertight.learners.random_intercept import RandomIntercept, _fixed_effects, _Known, _mean_vector, _Rows

SCALAR = Target(kind="scalar", range=(-99, 99))
OPTIONS = {"vector": "v", "count": "{target}_count", "mean": "{target}_mean", "text": "{target}_text"}
SLOPES = np.array([1.5, -1.0, 0.5])


def past(values: np.ndarray) -> np.ndarray:
    """The mean of what came before, row by row; NaN in the first."""
    return np.array([values[:row].mean(axis=0) if row else np.full(values.shape[1:], np.nan) for row in range(len(values))])


def authors(seed: int, ratio: float, number: int = 120, pull: float = 0.0, idle: int = 0) -> tuple[Matrix, np.ndarray]:
    """Rows of authors with 1 to 30 texts each, in their order; an intercept's variance is 1 / ratio, the noise's is 1.

    ``pull``: how much an author's intercept goes with what the author writes about. ``idle``: further components of the
    vectors, which mean nothing and tell authors apart.
    """
    parts = range(3 + idle)
    names = (*(f"v[{part}]" for part in parts), *(f"y_text[{part}]" for part in parts), "y_count", "y_mean")
    chance = np.random.default_rng(seed)
    tables, labels, groups = [], [], []
    for author in range(number):
        topic = chance.normal(size=3 + idle)
        texts = (topic + chance.normal(size=(chance.integers(1, 31), 3 + idle))).astype(np.float32)
        own = chance.normal(scale=1 / np.sqrt(ratio)) + pull * topic[0]
        y = 0.3 + texts[:, :3] @ SLOPES + own + chance.normal(size=len(texts))
        tables.append(np.column_stack([texts, past(texts), np.arange(len(texts)), past(y)]))
        labels.append(y)
        groups += [f"a{author}"] * len(texts)
    return Matrix(np.vstack(tables).astype(np.float32), names, {}, np.array(groups)), np.concatenate(labels)


def fitted(x: Matrix, y: np.ndarray, **options: Any) -> RandomIntercept:
    learner = build("random_intercept", "y", SCALAR, OPTIONS | options)
    assert isinstance(learner, RandomIntercept)
    return learner.fit(x, y, np.ones(len(y)), seed=0)


def rmse(found: np.ndarray, y: np.ndarray) -> float:
    return float(np.sqrt(np.mean((found - y) ** 2)))


@pytest.mark.parametrize("ratio", [0.5, 2.0, 8.0])
def test_the_ratio_of_variances_is_recovered(ratio: float) -> None:
    found = [fitted(*authors(seed, ratio)).ratio for seed in range(6)]
    assert 0.7 * ratio < np.median(found) < 1.4 * ratio, found


def test_slopes_that_know_the_authors_do_not_judge_their_past() -> None:
    """With components enough to know each author by, a fit that saw them finds little left to tell: λ of 4 to 24, not 1."""
    found = [fitted(*authors(seed, 1.0, number=60, idle=120)).ratio for seed in range(4)]
    assert 0.6 < np.median(found) < 1.6, found


def test_the_past_tells_of_authors_that_were_never_seen() -> None:
    gains, losses = [], []
    for seed in range(4):
        (x, y), (later, truth) = authors(seed, 1.0), authors(seed + 50, 1.0)
        seen, mean, text = later.column("y_count"), later.column("y_mean"), later.block("y_text")
        alone = Ridge(alpha=3.0).fit(x.block("v"), y).predict(later.block("v"))
        known = np.nan_to_num(seen / (seen + 1.0) * (mean - 0.3 - text @ SLOPES))
        best = rmse(0.3 + later.block("v") @ SLOPES + known, truth)
        found = rmse(fitted(x, y).predict(later)["mean"], truth)
        gains.append(found / rmse(alone, truth))
        losses.append(found / best)
    assert max(gains) < 0.85, "an intercept as wide as the noise is worth a lot"
    assert max(losses) < 1.03, "next to the best linear unbiased prediction by the true parameters"


def test_where_authors_do_not_differ_their_past_is_not_believed() -> None:
    x, y = authors(1, 1e6)
    learner = fitted(x, y)
    assert learner.ratio > 50
    assert rmse(learner.predict(x)["mean"], 0.3 + x.block("v") @ SLOPES) < 0.1


def test_slopes_are_not_those_of_what_authors_like_to_write_about() -> None:
    """An intercept that goes with the topic would be read as the topic's meaning."""
    x, y = authors(3, 4.0, pull=2.0)
    plain = Ridge(alpha=3.0).fit(x.block("v"), y).coef_
    found = fitted(x, y).arrays["slopes"]
    assert abs(plain[0] - SLOPES[0]) > 0.5
    assert abs(found[0] - SLOPES[0]) < 0.4 * abs(plain[0] - SLOPES[0])


@pytest.mark.parametrize("ratio", [0.3, 5.0, np.inf])
def test_the_fit_is_a_ridge_with_a_column_per_author(ratio: float) -> None:
    x, y = authors(2, 1.0, number=25)
    weight = np.random.default_rng(4).uniform(0.2, 3, size=len(y))
    codes = np.unique(x.groups, return_inverse=True)[1]
    vectors = x.block("v").astype(np.float64)
    beside = np.eye(codes.max() + 1)[codes] * np.sqrt(2.0 / ratio)
    oracle = Ridge(alpha=2.0).fit(np.hstack([vectors, beside]), y, sample_weight=weight)
    nothing = np.zeros(len(y))
    slopes, intercept = _fixed_effects(_Known(_Rows(vectors, vectors, nothing, nothing), y, weight, codes), 2.0, ratio)
    np.testing.assert_allclose(slopes, oracle.coef_[:3], rtol=1e-8)
    assert intercept == pytest.approx(oracle.intercept_, rel=1e-8)


def test_a_prediction_by_hand() -> None:
    learner = RandomIntercept.declared(SCALAR, {"vector": "v", "count": "n", "mean": "m", "text": "t"})
    learner.arrays = {name: np.array([value]) for name, value in (("slopes", 2.0), ("intercept", 1.0), ("ratio", 3.0))}
    learner.arrays["centre"] = np.array([10.0])
    nan = np.nan
    rows = [[4, 1, 7, 2], [4, 0, 7, 2], [4, nan, 7, 2], [4, 1, nan, 2], [nan, 9, 7, 2], [4, 9, 7, nan]]
    found = learner.predict(Matrix(np.array(rows, dtype=np.float32), ("v", "n", "m", "t")))["mean"]
    assert found.tolist() == [9 + 0.25 * 2, 9, 9, 9, 21 + 0.75 * 2, 9 + 0.75 * -14]


def test_the_mean_vector_is_of_the_rows_that_have_one() -> None:
    assert _mean_vector(np.float32([[1, np.nan], [3, np.nan]])).tolist() == [2, 0]


def test_rows_without_groups_are_misuse() -> None:
    x, y = authors(0, 1.0)
    with pytest.raises(Misuse, match="given no groups"):
        fitted(Matrix(x.values, x.names), y)


def test_one_author_is_refused() -> None:
    x, y = authors(0, 1.0)
    with pytest.raises(Refusal, match="the training rows are of 1 group"):
        fitted(Matrix(x.values, x.names, {}, np.full(len(y), "a")), y)


def test_options_that_are_not_given_are_misuse() -> None:
    with pytest.raises(Misuse, match="has 4 error"):
        build("random_intercept", "y", SCALAR, {})
