from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from watertight.core.contract import Target
from watertight.core.errors import Misuse
from watertight.learners.baselines import Column, Mean
from watertight.learners.catalogue import build
from watertight.learners.matrix import Matrix

NONE = Matrix(np.empty((4, 0), dtype=np.float32), ())
PAST = Matrix(np.array([[1, 2], [np.nan, 3], [0.25, 4], [np.nan, 5]], dtype=np.float32), ("valence_mean", "arousal_mean"))
WEIGHT = np.array([1.0, 1.0, 2.0, 0.0])
SCALAR = Target(kind="scalar", range=(0, 9))


def test_the_mean_of_a_scalar_is_weighted() -> None:
    learner = Mean.declared(SCALAR, {}).fit(NONE, np.array([1.0, 2.0, 3.0, 99.0]), WEIGHT, seed=0)
    assert learner.predict(NONE)["mean"].tolist() == [2.25] * 4


def test_the_mean_of_classes_is_their_weighted_share() -> None:
    learner = Mean.declared(Target(kind="class", classes=("a", "b", "c")), {}).fit(NONE, np.array([0, 1, 0, 2]), WEIGHT, seed=0)
    assert learner.predict(NONE)["probabilities"].tolist() == [[0.75, 0.25, 0.0]] * 4


def test_the_mean_of_vectors_is_a_vector() -> None:
    y = np.array([[1.0, 0.0], [1.0, 4.0], [0.0, 0.0], [9.0, 9.0]])
    learner = Mean.declared(Target(kind="vector", dimension=2), {}).fit(NONE, y, WEIGHT, seed=0)
    assert learner.predict(NONE)["vector"].tolist() == [[0.5, 1.0]] * 4


def test_a_column_is_itself_and_the_training_mean_where_it_is_null(tmp_path: Path) -> None:
    learner = build("column", "valence", SCALAR, {"column": "{target}_mean"})
    learner.fit(PAST, np.array([1.0, 2.0, 3.0, 99.0]), WEIGHT, seed=0)
    learner.save(tmp_path)
    for model in (learner, Column.load(tmp_path)):
        assert model.predict(PAST)["mean"].tolist() == [1.0, 2.25, 0.25, 2.25]


def test_a_column_that_is_not_there_is_answered_with_the_nearest() -> None:
    learner = build("column", "valence", SCALAR, {"column": "valense_mean"}).fit(PAST, np.ones(4), WEIGHT, seed=0)
    with pytest.raises(Misuse, match="'valense_mean'; did you mean 'valence_mean'"):
        learner.predict(PAST)
