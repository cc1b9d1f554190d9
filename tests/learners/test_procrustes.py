"""Procrustes finds the very rotation that was planted, into a wider or a narrower space, and nothing that is no rotation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from watertight.core.contract import Target
from watertight.learners.catalogue import build
from watertight.learners.matrix import Matrix

ROWS = 40


def planted(width: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(3)
    x = chance.normal(size=(ROWS, width))
    turn, _ = np.linalg.qr(chance.normal(size=(max(width, dimension),) * 2))
    return x, 2.5 * x @ turn[:width, :dimension] + chance.normal(size=dimension)


def told(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    matrix = Matrix(x.astype(np.float32), tuple(f"v[{place}]" for place in range(x.shape[1])))
    model = build("procrustes", "y", Target(kind="vector", dimension=y.shape[1]), {})
    return model.fit(matrix, y, np.ones(len(x)), seed=0).predict(matrix)["vector"]


@pytest.mark.parametrize("dimension", [4, 7])
def test_a_planted_rotation_is_found(dimension: int) -> None:
    x, y = planted(4, dimension)
    assert np.abs(told(x, y) - y).max() < 1e-5


def test_it_is_scipys_rotation_where_both_spaces_are_as_wide() -> None:
    x, y = planted(5, 5)
    y = y + np.random.default_rng(4).normal(size=y.shape)
    a, b = x.astype(np.float32).astype(np.float64), y
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    turn, size = orthogonal_procrustes(a, b)
    assert told(x, y) == pytest.approx(a @ turn * size / np.square(a).sum() + y.mean(axis=0), abs=1e-9)


def test_what_is_no_rotation_is_not_followed() -> None:
    x, y = planted(4, 4)
    stretched = y * np.array([5.0, 1.0, 1.0, 1.0])
    assert np.abs(told(x, stretched) - stretched).max() > 1
