"""Nearest neighbours against a loop that is written out, and what ties, nulls and weights do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from watertight.core.contract import Target
from watertight.core.errors import Misuse
from watertight.learners.catalogue import build
from watertight.learners.matrix import Matrix

SCALAR = Target(kind="scalar", range=(-9, 9))
CLASSES = Target(kind="class", classes=("a", "b", "c"))
VECTOR = Target(kind="vector", dimension=2)


def matrix(values: Any) -> Matrix:
    values = np.asarray(values, dtype=np.float32)
    return Matrix(values, tuple(f"v[{at}]" for at in range(values.shape[1])))


def told(target: Target, x: Any, y: Any, asked: Any, k: int, weight: Any = None) -> np.ndarray:
    y = np.asarray(y)
    learner = build("knn", "y", target, {"k": k}).fit(matrix(x), y, np.ones(len(y)) if weight is None else weight, seed=0)
    return learner.predict(matrix(asked))[target.output]


@pytest.mark.parametrize("target", [SCALAR, CLASSES, VECTOR], ids=lambda target: target.kind)
@pytest.mark.parametrize("k", [1, 7, 500])
def test_it_is_the_weighted_mean_of_the_nearest_by_cosine(target: Target, k: int) -> None:
    chance = np.random.default_rng(k)
    x, asked, weight = chance.normal(size=(120, 5)), chance.normal(size=(30, 5)), chance.uniform(0.1, 3, size=120)
    y = {"scalar": chance.normal(size=120), "class": chance.integers(0, 3, 120), "vector": chance.normal(size=(120, 2))}[
        target.kind
    ]
    places = NearestNeighbors(n_neighbors=min(k, 120), metric="cosine").fit(x).kneighbors(asked, return_distance=False)
    known = np.eye(3)[y] if target.kind == "class" else y
    expected = [np.average(known[those], axis=0, weights=weight[those]) for those in places]
    np.testing.assert_allclose(told(target, x, y, asked, k, weight), expected, rtol=1e-9, atol=1e-12)


def test_all_that_tie_with_the_last_count_in_whatever_order() -> None:
    x, y = [[1, 0], [2, 0], [0.1, 0.0], [0, 1], [1, 1]], np.array([1.0, 2.0, 6.0, 100.0, 50.0])
    for order in ([0, 1, 2, 3, 4], [4, 2, 3, 1, 0]):
        assert told(SCALAR, np.array(x)[order], y[order], [[3, 0]], 2) == pytest.approx([3.0])


def test_equal_vectors_tie_however_long_they_are() -> None:
    """Their products are summed in another order by place, and may differ in the last bit."""
    chance = np.random.default_rng(0)
    one, y = chance.normal(size=384), np.arange(37.0)
    x = np.tile(one, (37, 1)) * chance.uniform(0.5, 2, size=(37, 1))
    assert told(SCALAR, x, y, [one + 0.1 * chance.normal(size=384)], 3) == pytest.approx([18.0])


def test_a_row_without_a_number_has_the_mean_of_all() -> None:
    found = told(SCALAR, [[1, 0], [0, 1], [1, 1]], [1.0, 2.0, 6.0], [[np.nan, np.nan], [0, 0]], 1)
    assert found == pytest.approx([3.0, 3.0])


def test_rows_of_no_weight_are_no_neighbours() -> None:
    assert told(SCALAR, [[1, 0], [1, 0.1], [0, 1]], [1.0, 2.0, 6.0], [[1, 0]], 1, np.array([0.0, 1.0, 1.0])) == pytest.approx(
        [2.0]
    )


def test_it_needs_a_neighbour() -> None:
    with pytest.raises(Misuse, match="has 1 error"):
        build("knn", "y", SCALAR, {"k": 0})
