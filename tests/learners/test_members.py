"""What a cell says of its own uncertainty reaches the cells over it: in training, out of fold, and where it serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from watertight.core.contract import Target
from watertight.inference.answers import answers, fitted
from watertight.learners import conformal
from watertight.learners.catalogue import build
from watertight.learners.cross_fit import CrossFit, Task
from watertight.learners.matrix import Matrix, feature_matrix
from watertight.learners.members import beside, read_of
from watertight.learners.out_of_fold import out_of_fold
from watertight.registry.bundle import Model

SCALAR = Target(kind="scalar", range=(-60, 60))
MLP: dict[str, Any] = {"hidden": [32], "epochs": 12, "batch": 64, "learning_rate": 1e-2, "dropout": 0.0}
FAMILIES = {"sure": ("mlp", ("a", "b"), ()), "plain": ("linear", ("a",), ()), "top": ("conformal", ("c",), ("sure",))}
OPTIONS: dict[str, dict[str, Any]] = {"mlp": MLP}
READ = ("cell__sure", "log_variance__sure", "c")


def table(rows: int = 2400, seed: int = 0) -> pl.DataFrame:
    """Labels whose noise is told by ``b``, which the calibrator does not read."""
    chance = np.random.default_rng(seed)
    a, b, c = chance.normal(size=(3, rows))
    group = np.arange(rows) % 80
    return pl.DataFrame(
        {
            "row_id": [f"r{row}" for row in range(rows)],
            "group_id": [f"g{of}" for of in group],
            "parent_id": pl.Series([None] * rows, dtype=pl.String),
            "synthetic": False,
            "weight": 1.0,
            "split": "train",
            "fold": group % 4,
            "score": 3 * a + np.exp(b) * chance.normal(size=rows),
            **{"a": a, "b": b, "c": c},
        }
    )


def grid(**more: tuple[str, tuple[str, ...], tuple[str, ...]]) -> CrossFit:
    def task(cell: str, family: str, columns: tuple[str, ...], over: tuple[str, ...]) -> Task:
        made = lambda chosen: build(family, "score", SCALAR, OPTIONS.get(family, {}))  # noqa: E731
        return Task(cell, columns, made, over=over)

    return CrossFit(table(), "score", SCALAR, [task(cell, *told) for cell, told in {**FAMILIES, **more}.items()], 0)


@pytest.fixture(scope="module")
def models() -> CrossFit:
    return grid()


def model(models: CrossFit, cell: str, folder: Path) -> tuple[Model, Path]:
    fit, task = out_of_fold(models, cell), models.tasks[cell]
    fit.final.save(folder)
    told = {"target": "score", "kind": "scalar", "cell": cell, "seed": 0, "family": FAMILIES[cell][0], "folder": cell}
    return Model(**told, columns=task.columns, over=task.over, widths=fit.widths, fitted_on=fit.fitted_on), folder


def test_training_and_serving_see_the_same_columns(models: CrossFit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Matrix] = []
    told = conformal.Conformal.predict
    monkeypatch.setattr(conformal.Conformal, "predict", lambda self, x: [seen.append(x), told(self, x)][1])
    assert models.model("top").names == READ
    assert models.model("top", frozenset([1])).names == READ
    held = models.held("top", frozenset([1]), 1)
    places = [model(models, cell, tmp_path / cell) for cell in ("sure", "top") if not (tmp_path / cell).mkdir()]
    rows = models.rows_of(1)
    seen.clear()
    found = [outputs for _, outputs in answers(fitted(places), rows)]
    assert [x.names for x in seen] == [READ]
    assert seen[0].members == ("cell__sure",), "a log-variance is context"
    said = models.model("sure").learner.predict(feature_matrix(rows, ("a", "b")))
    assert np.array_equal(seen[0].values[:, 0], said["mean"].astype(np.float32))
    assert np.array_equal(seen[0].values[:, 1], said["log_variance"].astype(np.float32))
    assert np.array_equal(found[1]["mean"], said["mean"].astype(np.float32)), "as it is"
    assert held.outputs["mean"].shape == found[1]["mean"].shape


def test_out_of_fold_it_is_what_the_member_that_left_the_fold_out_says(models: CrossFit) -> None:
    x, _ = models._inputs(models.tasks["top"], frozenset([2]), models.rows["fold"].to_numpy() != 2)
    kept = models.rows.filter(pl.col("fold") != 2)
    for fold in (0, 1, 3):
        mine = (kept["fold"] == fold).to_numpy()
        said = models.model("sure", frozenset([2, fold])).learner.predict(feature_matrix(kept.filter(mine), ("a", "b")))
        assert np.array_equal(x.column("log_variance__sure")[mine], said["log_variance"].astype(np.float32))
        assert np.array_equal(x.column("cell__sure")[mine], said["mean"].astype(np.float32))


def test_intervals_are_wide_where_the_member_is_unsure(models: CrossFit) -> None:
    held = [models.held("top", frozenset([fold]), fold).outputs for fold in models.folds]
    width = np.concatenate([one["upper"] - one["lower"] for one in held])
    noise = np.concatenate([models.rows_of(fold)["b"].to_numpy() for fold in models.folds])
    wide, narrow = width[noise > 1].mean(), width[noise < -1].mean()
    assert wide > 3 * narrow, "the noise is twenty times as large"
    later = table(2000, seed=1)
    said = models.model("sure").learner.predict(feature_matrix(later, ("a", "b")))
    x = beside(feature_matrix(later, ("c",)), read_of("sure", said, "mean"))
    found = models.model("top").learner.predict(x)
    error, hard = np.abs(found["mean"] - later["score"].to_numpy()), (later["b"] > 1).to_numpy()
    inside = error <= (found["upper"] - found["lower"]) / 2
    assert 0.86 < inside.mean() < 0.94
    assert inside[hard].mean() > (error <= np.quantile(error, 0.9))[hard].mean() + 0.2, "than by intervals all equally wide"


def test_a_member_that_says_nothing_of_it_is_read_as_ever() -> None:
    over = grid(both=("linear", ("c",), ("plain", "sure")))
    assert over.model("both").names == ("cell__plain", "cell__sure", "log_variance__sure", "c")


def test_what_is_read_stands_before_the_features_and_all_else_stays() -> None:
    x = Matrix(np.zeros((2, 1), dtype=np.float32), ("f",), {"t": ["a", "b"]}, np.array(["g", "h"]), np.array([0, 1]))
    told = read_of("one", {"probabilities": np.array([[0.1, 0.9], [0.3, 0.7]])}, "probabilities")
    found = beside(
        x, {**told, **read_of("two", {"mean": np.ones(2), "log_variance": np.full(2, -1.0), "lower": np.zeros(2)}, "mean")}
    )
    assert found.names == ("cell__one[0]", "cell__one[1]", "cell__two", "log_variance__two", "f")
    np.testing.assert_allclose(found.values, [[0.1, 0.9, 1, -1, 0], [0.3, 0.7, 1, -1, 0]], rtol=1e-6)
    assert (found.texts, found.groups, found.blocks) == (x.texts, x.groups, x.blocks)
    assert beside(x, {}) is x
