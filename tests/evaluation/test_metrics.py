"""Metrics against scikit-learn and SciPy."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr
from sklearn import metrics as sk

from watertight.core.contract import Target
from watertight.core.digests import row_set_digest
from watertight.evaluation.metrics import METRICS, OUTPUT, accuracy, as_array, cosine, log_loss, mae, pearson, rmse, scores

SCALAR = Target(kind="scalar", range=(-9, 9))
CLASSES = Target(kind="class", classes=("low", "middle", "high"))
VECTOR = Target(kind="vector", dimension=3)

numbers = st.floats(-100, 100).map(lambda value: round(value, 3))
pairs = st.integers(2, 20).flatmap(lambda rows: st.tuples(*[arrays(float, rows, elements=numbers)] * 2))
vectors = st.integers(1, 8).flatmap(lambda rows: st.tuples(*[arrays(float, (rows, 3), elements=numbers)] * 2))
chances = st.integers(1, 20).flatmap(lambda rows: arrays(float, (rows, 3), elements=st.floats(0.01, 1)))


@given(pairs)
def test_scalar_metrics(both: tuple[np.ndarray, np.ndarray]) -> None:
    truth, predicted = both
    assert rmse(truth, predicted) == pytest.approx(sk.root_mean_squared_error(truth, predicted))
    assert mae(truth, predicted) == pytest.approx(sk.mean_absolute_error(truth, predicted))
    if np.ptp(truth) > 0.01 and np.ptp(predicted) > 0.01:
        assert pearson(truth, predicted) == pytest.approx(pearsonr(truth, predicted).statistic, abs=1e-9)


@pytest.mark.parametrize("truth", [[1.0, 1.0], [1.0]])
def test_correlation_with_what_does_not_vary_is_not_a_number(truth: list[float]) -> None:
    assert math.isnan(pearson(np.array(truth), np.arange(len(truth), dtype=float)))
    assert math.isnan(pearson(np.arange(len(truth), dtype=float), np.array(truth)))


@given(vectors)
def test_vector_metrics(both: tuple[np.ndarray, np.ndarray]) -> None:
    truth, predicted = both
    assert rmse(truth, predicted) == pytest.approx(math.sqrt(sk.mean_squared_error(truth.ravel(), predicted.ravel())))
    expected = [sk.pairwise.cosine_similarity(one[None], other[None])[0, 0] for one, other in zip(truth, predicted, strict=True)]
    assert cosine(truth, predicted) == pytest.approx(np.mean(expected), abs=1e-9)


def test_a_zero_vector_is_like_nothing() -> None:
    assert cosine(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])) == 0.5


@given(chances, st.randoms(use_true_random=False))
def test_class_metrics(raw: np.ndarray, chance) -> None:
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    truth = np.array([chance.randrange(3) for _ in raw])
    assert log_loss(truth, probabilities) == pytest.approx(sk.log_loss(truth, probabilities, labels=[0, 1, 2]))
    assert accuracy(truth, probabilities) == pytest.approx(sk.accuracy_score(truth, probabilities.argmax(axis=1)))


def test_a_true_class_that_was_held_impossible_costs_much_but_not_everything() -> None:
    assert log_loss(np.array([0]), np.array([[0.0, 1.0]])) == pytest.approx(-math.log(1e-12))


@pytest.mark.parametrize("kind", [pl.List(pl.Float32), pl.Array(pl.Float64, 2)])
def test_columns_as_numbers(kind: pl.DataType) -> None:
    assert as_array(pl.Series(["high", "low"]), CLASSES).tolist() == [2, 0]
    assert as_array(pl.Series([1, 2]), SCALAR).tolist() == [1.0, 2.0]
    assert as_array(pl.Series([[1.0, 2.0], [3.0, 4.0]]).cast(kind), None).tolist() == [[1.0, 2.0], [3.0, 4.0]]


def beside(target: Target) -> pl.DataFrame:
    """Four rows of three groups with truth ``y`` and the output of the target's kind."""
    columns = {
        "scalar": ([1.0, 2.0, 3.0, 5.0], [1.0, 2.5, 3.0, 4.0]),
        "class": (["low", "high", "low", "middle"], [[0.8, 0.1, 0.1], [0.2, 0.2, 0.6], [0.3, 0.4, 0.3], [0.1, 0.8, 0.1]]),
        "vector": ([[1.0, 0.0, 0.0]] * 4, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [2.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]),
    }
    truth, predicted = columns[target.kind]
    roles = {"row_id": ["a", "b", "c", "d"], "group_id": ["g", "g", "h", "i"]}
    return pl.DataFrame({**roles, "y": truth, OUTPUT[target.kind]: predicted})


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (SCALAR, {"rmse": math.sqrt(1.25 / 4), "mae": 1.5 / 4, "r": pearsonr([1, 2, 3, 5], [1, 2.5, 3, 4]).statistic}),
        (CLASSES, {"log_loss": -np.mean(np.log([0.8, 0.6, 0.3, 0.8])), "accuracy": 0.75}),
        (VECTOR, {"rmse": math.sqrt((0 + 2 + 1 + 4) / 12), "cosine": 0.25}),
    ],
    ids=lambda value: value.kind if isinstance(value, Target) else "",
)
def test_scores_carry_the_rows_that_they_are_of(target: Target, expected: dict[str, float]) -> None:
    rows = beside(target)
    found = scores(rows, "y", target)
    assert {name: found.pop(name) for name in expected} == pytest.approx(expected)
    assert found == {"rows": 4, "groups": 3, "row_set": row_set_digest(rows, "y")}
    assert set(expected) == set(METRICS[target.kind])


def test_scores_of_other_rows_or_labels_have_another_row_set() -> None:
    rows = beside(SCALAR)
    sets = {
        scores(part, "y", SCALAR)["row_set"]
        for part in (rows, rows.reverse(), rows[:3], rows.with_columns(pl.col("y") * 2), rows.with_columns(pl.col("mean") * 2))
    }
    assert len(sets) == 3, "neither the order nor the predictions belong to it"
