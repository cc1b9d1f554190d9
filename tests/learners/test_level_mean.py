from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from watertight.core.contract import Target
from watertight.core.errors import Misuse
from watertight.learners.catalogue import build, load
from watertight.learners.family import Learner
from watertight.learners.matrix import Matrix

LEVELS = ["a", "b", None, "a", "c"]
Y = np.array([1.0, 4.0, 10.0, 3.0, 7.0])
WEIGHT = np.array([3.0, 1.0, 2.0, 1.0, 0.0])
OVERALL = (3 * 1 + 4 + 2 * 10 + 3) / 7


def matrix(levels: list[str | None], **texts: Any) -> Matrix:
    return Matrix(np.empty((len(levels), 0), dtype=np.float32), (), {"system": levels, **texts})


def fitted(**options: Any) -> Learner:
    return build("level_mean", "y", Target(kind="scalar", range=(0, 10)), options).fit(matrix(LEVELS), Y, WEIGHT, seed=0)


def test_each_level_has_its_weighted_mean_and_others_the_overall() -> None:
    found = fitted().predict(matrix(["b", "a", "never seen", None, "c"]))["mean"]
    assert found == pytest.approx([4.0, 1.5, OVERALL, OVERALL, OVERALL]), "c has no weight"


def test_a_mean_of_few_rows_is_drawn_to_the_overall_one() -> None:
    found = fitted(strength=2.0).predict(matrix(["a", "b", "c"]))["mean"]
    assert found == pytest.approx([(6 + 2 * OVERALL) / 6, (4 + 2 * OVERALL) / 3, OVERALL])


def test_saved_and_loaded_it_answers_the_same(tmp_path: Path) -> None:
    fitted(strength=1 / 3).save(tmp_path)
    asked = matrix(["a", "b", "d"])
    assert np.array_equal(load("level_mean", tmp_path).predict(asked)["mean"], fitted(strength=1 / 3).predict(asked)["mean"])


def test_a_level_called_as_null_is_written_is_a_level_of_its_own() -> None:
    learner = build("level_mean", "y", Target(kind="scalar", range=(0, 10)), {})
    learner.fit(matrix(["None", None, "None"]), np.array([2.0, 8.0, 2.0]), np.ones(3), seed=0)
    assert learner.predict(matrix([None, "None"]))["mean"].tolist() == [4.0, 2.0]


@pytest.mark.parametrize("texts", [{}, {"a": ["x"], "b": ["y"]}])
def test_it_reads_one_text(texts: dict[str, Any]) -> None:
    with pytest.raises(Misuse, match=f"reads one text, not {len(texts)}"):
        fitted().predict(Matrix(np.empty((1, 0), dtype=np.float32), (), texts))
