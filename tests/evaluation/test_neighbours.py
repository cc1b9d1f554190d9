from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watertight.core.errors import Refusal
from watertight.evaluation.neighbours import NEIGHBOURS, by_mean, by_neighbours, judged


def _slowly(vectors: np.ndarray, truth: np.ndarray, folds: np.ndarray) -> list[float]:
    told = []
    for row in range(len(truth)):
        others = [other for other in range(len(truth)) if folds[other] != folds[row]]
        near = sorted(others, key=lambda other: float(((vectors[row] - vectors[other]) ** 2).sum()))[:NEIGHBOURS]
        told.append(sum(truth[near]) / len(near))
    return told


@settings(deadline=None)
@given(st.integers(2, 60), st.integers(2, 5), st.integers(0, 99))
def test_neighbours_are_the_nearest_rows_of_other_folds(rows: int, folds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, truth = rng.standard_normal((rows, 3)).astype(np.float32), rng.standard_normal(rows)
    of = np.arange(rows) % folds
    assert by_neighbours(vectors, truth, of) == pytest.approx(_slowly(vectors, truth, of))


def test_a_copy_in_the_same_fold_tells_nothing() -> None:
    """Each row has 15 copies that know its truth, all of its own fold; of the other fold nothing can be learnt."""
    group = np.repeat(np.arange(8), 16)
    vectors = np.random.default_rng(0).standard_normal((8, 4)).astype(np.float32)[group]
    truth = np.random.default_rng(1).standard_normal(8)[group]
    blind = judged(truth, by_neighbours(vectors, truth, group % 2))["r2"]
    assert blind is not None
    assert blind < 0.5
    leaked = judged(truth, by_neighbours(vectors, truth, np.arange(128) % 16))["r2"]
    assert leaked == pytest.approx(1)


def test_the_mean_is_that_of_the_other_folds() -> None:
    assert by_mean(np.array([1.0, 3.0, 10.0]), np.array([0, 0, 1])).tolist() == [10.0, 10.0, 2.0]


def test_one_fold_has_no_others() -> None:
    with pytest.raises(Refusal, match="rows of 1 fold"):
        by_mean(np.ones(3), np.zeros(3, dtype=np.int64))


def test_figures_by_hand() -> None:
    told = judged(np.array([1.0, 2.0, 6.0]), np.array([2.0, 2.0, 3.0]))
    assert told == pytest.approx({"r2": 1 - 10 / 14, "spearman": np.sqrt(3) / 2, "mae": 4 / 3, "rmse": np.sqrt(10 / 3)})
    assert judged(np.ones(3), np.array([1.0, 2.0, 3.0])) == {"r2": None, "spearman": None, "mae": 1.0, "rmse": np.sqrt(5 / 3)}
    assert judged(np.arange(3.0), np.ones(3))["spearman"] is None
