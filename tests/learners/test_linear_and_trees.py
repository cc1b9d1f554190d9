"""Linear and boosted models against the libraries behind them, and against the mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from watertight.core.contract import Target
from watertight.core.errors import Misuse
from watertight.learners.boosting import Boosting
from watertight.learners.catalogue import build
from watertight.learners.family import Learner
from watertight.learners.inner_folds import inner_folds
from watertight.learners.linear import Linear
from watertight.learners.matrix import Matrix

SCALAR = Target(kind="scalar", range=(-9, 9))
VECTOR = Target(kind="vector", dimension=3)
CLASSES = Target(kind="class", classes=("a", "b", "c", "d"))
ROWS = 150


def matrix(seed: int = 0, rows: int = ROWS) -> Matrix:
    """Columns of very different scales."""
    values = np.random.default_rng(seed).normal(size=(rows, 5)) * [1, 10, 0.1, 1, 100] + [0, 5, 0, 0, 1000]
    return Matrix(values.astype(np.float32), ("a", "b", "c", "d", "e"))


def weights() -> np.ndarray:
    return np.random.default_rng(9).uniform(0.1, 3, size=ROWS)


def fitted(family: str, target: Target, y: np.ndarray, **options: Any) -> Learner:
    return build(family, "y", target, options).fit(matrix(), y, weights(), seed=0)


@pytest.mark.parametrize("strength", [0.1, 10.0, 500.0])
@pytest.mark.parametrize("target", [SCALAR, VECTOR], ids=lambda target: target.kind)
def test_ridge_is_that_of_scikit_learn(target: Target, strength: float) -> None:
    y = matrix().values[:, :3].astype(np.float64) @ np.diag([1, 0.2, 3]) + 4
    y = y if target.kind == "vector" else y[:, 0]
    scaler = StandardScaler().fit(matrix().values.astype(np.float64))
    ridge = Ridge(alpha=strength).fit(scaler.transform(matrix().values.astype(np.float64)), y, sample_weight=weights())
    expected = ridge.predict(scaler.transform(matrix(1).values.astype(np.float64)))
    (found,) = fitted("linear", target, y, strength=strength).predict(matrix(1)).values()
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("seen", [(0, 1, 2, 3), (0, 3), (1, 2, 3), (3, 1)])
def test_logistic_regression_is_that_of_scikit_learn(seen: tuple[int, ...]) -> None:
    score = matrix().values[:, 0] + np.random.default_rng(4).normal(size=ROWS)
    y = np.array(seen)[np.digitize(score, np.quantile(score, np.arange(1, len(seen)) / len(seen)))]
    scaler = StandardScaler().fit(matrix().values.astype(np.float64))
    model = LogisticRegression(C=1 / 2.0, max_iter=1000)
    model.fit(scaler.transform(matrix().values.astype(np.float64)), y, sample_weight=weights())
    expected = np.zeros((ROWS, 4))
    expected[:, sorted(seen)] = model.predict_proba(scaler.transform(matrix(1).values.astype(np.float64)))
    found = fitted("linear", CLASSES, y, strength=2.0).predict(matrix(1))["probabilities"]
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    assert (found[:, [place for place in range(4) if place not in seen]] == 0).all()


@pytest.mark.parametrize(("family", "options"), [("linear", {}), ("lightgbm", {"rounds": 30}), ("mean", {})])
def test_heavy_rows_pull_predictions_to_them(family: str, options: dict[str, Any]) -> None:
    y = np.where(np.arange(ROWS) < ROWS // 2, 0.0, 1.0)
    late = np.where(y > 0, 100.0, 1.0)
    heavy, even = (
        build(family, "y", SCALAR, options).fit(matrix(), y, at, seed=0).predict(matrix())["mean"] for at in (late, np.ones(ROWS))
    )
    assert heavy.mean() > 0.9
    assert even.mean() < 0.6


def test_a_null_is_the_training_mean_of_its_column() -> None:
    learner = fitted("linear", SCALAR, matrix().values[:, 0].astype(np.float64))
    known, null = matrix(1).values.copy(), matrix(1).values.copy()
    known[:, 1], null[:, 1] = matrix().values[:, 1].astype(np.float64).mean(), np.nan
    np.testing.assert_allclose(
        learner.predict(Matrix(null, matrix().names))["mean"], learner.predict(Matrix(known, matrix().names))["mean"], atol=1e-6
    )


def test_a_column_that_never_varied_has_no_say() -> None:
    values, later = matrix().values.copy(), matrix().values.copy()
    values[:, 2], later[:, 2] = 0.1, 7.0
    learner = Linear.declared(SCALAR, {}).fit(Matrix(values, matrix().names), values[:, 0].astype(float), weights(), seed=0)
    one, other = (learner.predict(Matrix(at, matrix().names))["mean"] for at in (values, later))
    np.testing.assert_allclose(one, other, atol=1e-9)


@pytest.mark.parametrize("objective", ["regression", "regression_l1", "huber"])
def test_trees_learn_what_the_mean_cannot(objective: str) -> None:
    truth = {seed: np.sin(matrix(seed).values[:, 0] * 2) * 3.0 for seed in (0, 1)}
    told = {"objective": objective, "rounds": 60, "min_data_in_leaf": 5, "feature_fraction": 1.0}
    trees = fitted("lightgbm", SCALAR, truth[0], **told).predict(matrix(1))["mean"]
    mean = fitted("mean", SCALAR, truth[0]).predict(matrix(1))["mean"]
    assert np.mean((trees - truth[1]) ** 2) < 0.4 * np.mean((mean - truth[1]) ** 2)


def test_trees_learn_classes_that_no_line_parts() -> None:
    inside = {seed: (np.abs(matrix(seed).values[:, 0]) < 0.7).astype(int) for seed in (0, 1)}
    found = {
        family: fitted(family, CLASSES, inside[0], **options).predict(matrix(1))["probabilities"].argmax(axis=1)
        for family, options in {"lightgbm": {"rounds": 60, "min_data_in_leaf": 5}, "linear": {}}.items()
    }
    shares = {family: np.mean(answers == inside[1]) for family, answers in found.items()}
    assert shares["lightgbm"] > 0.85
    assert shares["linear"] < 0.7


def test_the_seed_decides_what_trees_draw(tmp_path: Path) -> None:
    y = matrix().values[:, 0].astype(np.float64)
    texts = [Boosting.declared(SCALAR, {"rounds": 5}).fit(matrix(), y, weights(), seed=seed).text for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_two_classes_stay_two_after_loading(tmp_path: Path) -> None:
    two = Target(kind="class", classes=("no", "yes"))
    y = (matrix().values[:, 0] > 0).astype(int)
    learner = Boosting.declared(two, {"rounds": 5}).fit(matrix(), y, weights(), seed=0)
    learner.save(tmp_path)
    assert Boosting.load(tmp_path).predict(matrix())["probabilities"].shape == (ROWS, 2)


@pytest.mark.parametrize(
    ("family", "options"),
    [("linear", {"strength": 0}), ("lightgbm", {"rounds": 0}), ("lightgbm", {"objective": "poisson"}), ("column", {})],
)
def test_options_out_of_range_are_misuse(family: str, options: dict[str, Any]) -> None:
    with pytest.raises(Misuse, match="has 1 error"):
        build(family, "y", SCALAR, options)


def grouped(seed: int, noise: int) -> tuple[Matrix, np.ndarray]:
    """Groups of ten rows that are known by a mark of their own, and differ by what no other group tells; and noise."""
    chance = np.random.default_rng(seed)
    group = np.repeat(np.arange(40), 10)
    mark = chance.normal(size=40)[group]
    values = np.column_stack([mark, chance.normal(size=(400, 1 + noise))]).astype(np.float32)
    y = 3 * chance.normal(size=40)[group] + values[:, 1] + 0.1 * chance.normal(size=400)
    return Matrix(values, tuple(f"f{at}" for at in range(2 + noise)), {}, np.array([f"g{of}" for of in group])), y


PATIENT = {"rounds": 150, "min_data_in_leaf": 5, "learning_rate": 0.1}


def trees(learner: Learner) -> int:
    assert isinstance(learner, Boosting)
    return learner.text.count("\nTree=")


@pytest.mark.parametrize("objective", ["regression", "regression_l1", "huber"])
def test_noise_ends_the_growing_and_all_rows_are_grown_on(objective: str) -> None:
    x, y = grouped(0, 20)
    weight = np.random.default_rng(1).uniform(0.5, 2, size=400)
    told = {**PATIENT, "objective": objective}
    found = build("lightgbm", "y", SCALAR, {**told, "patience": 5}).fit(x, y, weight, seed=0)
    assert 0 < trees(found) < 100 < trees(build("lightgbm", "y", SCALAR, told).fit(x, y, weight, seed=0)) == 150
    again = build("lightgbm", "y", SCALAR, {**told, "rounds": trees(found)}).fit(x, y, weight, seed=0)
    assert isinstance(found, Boosting) and isinstance(again, Boosting)
    assert found.text == again.text


def test_the_best_round_is_that_of_rows_of_other_groups() -> None:
    """Of the rounds that LightGBM is told, one by one, the one with the least squared error there."""
    x, y = grouped(2, 3)
    weight = np.exp(2 * np.random.default_rng(3).normal(size=400))
    learner = build("lightgbm", "y", SCALAR, {**PATIENT, "patience": 150}).fit(x, y, weight, seed=0)
    rest, held = next(inner_folds(x, 5))
    assert not set(x.groups[rest]) & set(x.groups[held])
    plain = build("lightgbm", "y", SCALAR, PATIENT).fit(x.at(rest), y[rest], weight[rest], seed=0)
    assert isinstance(plain, Boosting)
    at = lambda rounds: plain._loaded().predict(x.values[held], num_iteration=rounds, num_threads=1)  # noqa: E731
    losses = [np.average((y[held] - at(rounds)) ** 2, weights=weight[held]) for rounds in range(1, 151)]
    assert trees(learner) == 1 + int(np.argmin(losses))
    assert np.argmin(losses) != np.argmin([np.mean((y[held] - at(rounds)) ** 2) for rounds in range(1, 151)]), "weights count"


def test_trees_of_classes_may_stop_early_too() -> None:
    x, y = grouped(0, 20)
    kinds = np.digitize(y, [-2, 0, 2])
    found = build("lightgbm", "y", CLASSES, {**PATIENT, "patience": 3}).fit(x, kinds, np.ones(400), seed=0)
    assert trees(found) < 4 * 100 and trees(found) % 4 == 0
    assert found.predict(x)["probabilities"].shape == (400, 4)


def test_patience_needs_groups() -> None:
    with pytest.raises(Misuse, match="given no groups"):
        fitted("lightgbm", SCALAR, matrix().values[:, 0].astype(float), patience=5)
