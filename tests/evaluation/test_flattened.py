from __future__ import annotations

import numpy as np
import pytest

from watertight.evaluation.flattened import COMPONENTS, LEAST_DISTINCT, by_components, by_umap


def test_components_are_those_of_the_covariance() -> None:
    scales = np.array([5.0, 3.0, *[0.1] * 12])
    vectors = (np.random.default_rng(0).standard_normal((60, 14)) * scales + 2).astype(np.float32)
    points, shares = by_components(vectors)
    values, axes = np.linalg.eigh(np.cov(vectors.astype(np.float64).T))
    along = (vectors - vectors.mean(axis=0)) @ axes[:, ::-1][:, :2]
    assert np.abs(points) == pytest.approx(np.abs(along), abs=1e-4)
    assert shares == pytest.approx((values[::-1] / values.sum())[:COMPONENTS])


@pytest.mark.parametrize("vectors", [np.ones((5, 3)), np.ones((2, 1))])
def test_vectors_that_are_all_alike_lie_in_one_point(vectors: np.ndarray) -> None:
    points, shares = by_components(vectors.astype(np.float32))
    assert points.tolist() == [[0, 0]] * len(vectors)
    assert set(shares) == {0.0}


def test_too_few_distinct_vectors_make_no_map() -> None:
    few = np.arange(LEAST_DISTINCT - 1, dtype=np.float32)[:, None]
    assert by_umap(np.repeat(few, 40, axis=0)) is None
