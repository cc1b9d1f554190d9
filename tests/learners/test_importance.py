"""What a model says it rests on, where it is known what it should."""

from __future__ import annotations

import numpy as np
import pytest

from watertight.core.contract import Target
from watertight.learners.catalogue import build
from watertight.learners.importance import importance
from watertight.learners.matrix import Matrix

NAMES = ("noise", "vector[0]", "vector[1]", "signal")


@pytest.mark.parametrize("family", ["lightgbm", "linear"])
def test_the_signal_stands_first_and_a_vector_is_one(family: str) -> None:
    values = np.random.default_rng(0).normal(size=(400, 4)).astype(np.float32)
    y = 3 * values[:, 3] + values[:, 1].astype(np.float64)
    model = build(family, "y", Target(kind="scalar", range=(-9, 9)), {}).fit(Matrix(values, NAMES), y, np.ones(400), seed=0)
    shares = importance(model, NAMES)
    assert list(shares) == ["signal", "vector", "noise"]
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["signal"] > 0.6
    assert shares["noise"] < 0.1


def test_a_model_that_cannot_say_says_nothing() -> None:
    model = build("mean", "y", Target(kind="scalar", range=(0, 1)), {})
    assert importance(model.fit(Matrix(np.empty((3, 0)), ()), np.zeros(3), np.ones(3), seed=0), ()) == {}
