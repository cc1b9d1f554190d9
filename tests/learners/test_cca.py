"""Canonical correlations: scikit-learn's where it can find them, the planted map, and a clear word where there is nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA

from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.learners.catalogue import build
from watertight.learners.cca import Cca
from watertight.learners.matrix import Matrix

NEARLY_NONE = 1e-9


def matrix(x: np.ndarray) -> Matrix:
    return Matrix(x.astype(np.float32), tuple(f"v[{place}]" for place in range(x.shape[1])))


def fitted(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **options: Any) -> Cca:
    model = build("cca", "y", Target(kind="vector", dimension=y.shape[1]), options)
    model.fit(matrix(x), y, np.ones(len(x)) if weight is None else weight, seed=0)
    assert isinstance(model, Cca)
    return model


def told(model: Cca, x: np.ndarray) -> np.ndarray:
    return model.predict(matrix(x))["vector"]


def shared(rows: int, columns: int, dimension: int, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Two sides that say three numbers alike, each amid its own noise."""
    chance = np.random.default_rng(2)
    alike = chance.normal(size=(rows, 3)) * [3.0, 2.0, 1.0]
    sides = (alike @ chance.normal(size=(3, width)) + noise * chance.normal(size=(rows, width)) for width in (columns, dimension))
    x, y = sides
    return x.astype(np.float32).astype(np.float64), y + 5


def test_the_correlations_are_those_that_scikit_learn_finds_one_by_one() -> None:
    x, y = shared(400, 5, 4)
    found = fitted(x, y, shrinkage=NEARLY_NONE, components=3).arrays["correlations"]
    one, other = CCA(n_components=3, max_iter=5000, tol=1e-12).fit(x, y).transform(x, y)
    expected = [np.corrcoef(one[:, place], other[:, place])[0, 1] for place in range(3)]
    assert found == pytest.approx(expected, abs=1e-5)


def test_with_all_components_it_is_least_squares_and_with_fewer_of_that_rank() -> None:
    x, y = shared(200, 6, 4)
    design = np.column_stack([np.ones(200), x])
    expected = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    assert told(fitted(x, y, shrinkage=NEARLY_NONE), x) == pytest.approx(expected, abs=1e-5)
    two = told(fitted(x, y, shrinkage=NEARLY_NONE, components=2), x)
    assert np.linalg.matrix_rank(two - y.mean(axis=0), tol=1e-6) == 2
    assert np.abs(two - expected).max() > 0.1


def test_with_more_columns_than_rows_shrinkage_finds_what_is_shared() -> None:
    x, y = shared(160, 100, 80, noise=3)
    new = slice(80, 160)
    fine, wild = (told(fitted(x[:80], y[:80], shrinkage=share), x[new]) for share in (0.1, NEARLY_NONE))
    left = [np.square(of - y[new]).sum() / np.square(y[new] - y[:80].mean(axis=0)).sum() for of in (fine, wild)]
    assert left[0] < 0.8 * left[1] and left[0] < 0.9, left


def test_a_row_of_weight_two_is_that_row_twice_and_of_none_is_left_out() -> None:
    x, y = shared(60, 5, 4)
    weight = np.array([0.0, 1.0, 2.0])[np.arange(60) % 3]
    again = np.repeat(np.arange(60), weight.astype(int))
    assert told(fitted(x, y, weight), x) == pytest.approx(told(fitted(x[again], y[again]), x), abs=1e-9)


def test_a_null_is_the_mean_of_its_column() -> None:
    x, y = shared(60, 5, 4)
    x[::7, 2] = np.nan
    model, new = fitted(x, y), x.copy()
    new[::7, 2] = np.nanmean(x[:, 2])
    assert told(model, new) == pytest.approx(told(model, x), abs=1e-5)


def test_vectors_that_are_all_alike_are_answered_with_themselves() -> None:
    x, _ = shared(20, 5, 4)
    assert told(fitted(x, np.ones((20, 4))), x) == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_vector_without_a_direction_is_refused_unless_it_does_not_count(value: float) -> None:
    x, y = shared(20, 5, 4)
    y[3] = value
    with pytest.raises(Refusal, match=r"(?s)family 'cca': 1 true vector\(s\) have no direction, first at place 3"):
        fitted(x, y)
    assert np.isfinite(told(fitted(x, y, (np.arange(20) != 3) * 1.0), x)).all()


def test_vectors_of_another_width_and_options_out_of_range_are_told() -> None:
    x, y = shared(20, 5, 4)
    model = build("cca", "y", Target(kind="vector", dimension=7), {})
    with pytest.raises(Refusal, match=r"(?s)vectors of shape \(4,\).*7 numbers each"):
        model.fit(matrix(x), y, np.ones(20), seed=0)
    for name, value in (("shrinkage", 0), ("components", 0)):
        with pytest.raises(Misuse, match=name):
            fitted(x, y, **{name: value})
