"""A bundle of several seeds answers as one: means of what they say, and the variance of their mixture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipelines.predict import predictions
from watertight.core.contract import Target
from watertight.learners.catalogue import build
from watertight.learners.family import Outputs
from watertight.learners.matrix import feature_matrix
from watertight.registry.bundle import Bundle, Manifest, Model

SCALAR = Target(kind="scalar", range=(-9, 9))
SMALL: dict[str, Any] = {"hidden": [8], "epochs": 3, "batch": 32}


def table(rows: int = 80) -> pl.DataFrame:
    a, b = np.random.default_rng(0).normal(size=(2, rows))
    return pl.DataFrame(
        {"row_id": [f"r{row}" for row in range(rows)], "group_id": [f"g{row % 9}" for row in range(rows)], "a": a, "b": b}
    )


def bundle(root: Path, family: str, options: dict[str, Any], seeds: int) -> tuple[Bundle, list[Outputs]]:
    """Models of every seed, and what each says of the table."""
    x, y, models, said = feature_matrix(table(), ("a", "b")), table()["a"].to_numpy(), [], []
    for seed in range(seeds):
        (root / str(seed)).mkdir(parents=True)
        learner = build(family, "mood", SCALAR, options).fit(x, y, np.ones(len(y)), seed=seed)
        learner.save(root / str(seed))
        said.append(learner.predict(x))
        told = {"target": "mood", "kind": "scalar", "cell": "one", "seed": seed, "family": family, "folder": str(seed)}
        models.append(Model(**told, columns=("a", "b"), widths={}, fitted_on=""))
    names = dict.fromkeys(("workload", "source", "runtime", "encoder", "service"), "")
    return Bundle(root, Manifest(**names, cell="one", signature={}, models=tuple(models))), said


def test_a_log_variance_is_that_of_the_mixture(tmp_path: Path) -> None:
    made, said = bundle(tmp_path, "mlp", SMALL, 3)
    found = predictions(made, table())
    assert found.columns == ["row_id", "mood", "mood_log_variance"]
    means, variances = np.array([one["mean"] for one in said]), np.exp([one["log_variance"] for one in said])
    assert np.array_equal(found["mood"].to_numpy(), np.mean(means, axis=0))
    np.testing.assert_allclose(np.exp(found["mood_log_variance"]), variances.mean(axis=0) + means.var(axis=0), rtol=1e-9)


def test_outputs_without_one_are_their_means_to_the_last_bit(tmp_path: Path) -> None:
    for seeds in (1, 3):
        made, said = bundle(tmp_path / str(seeds), "lightgbm", {"rounds": 5}, seeds)
        found = predictions(made, table())
        assert found.columns == ["row_id", "mood"]
        assert np.array_equal(found["mood"].to_numpy(), np.mean([one["mean"] for one in said], axis=0))
