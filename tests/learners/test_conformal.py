"""Intervals around a prediction that is left alone: their level on new groups, and the variance that they follow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from watertight.core.contract import Target
from watertight.core.errors import Misuse
from watertight.learners.catalogue import build
from watertight.learners.matrix import Matrix

TARGET = Target(kind="scalar", range=(-100, 100))


def made(seed: int, rows: int, shift: float = 2.0) -> tuple[Matrix, np.ndarray]:
    """A member that is off by ``shift`` and knows the variance of its noise, which differs from row to row."""
    chance = np.random.default_rng(seed)
    truth, log_variance = chance.normal(size=rows), chance.uniform(-2, 2, rows)
    told = truth + shift + chance.normal(size=rows) * np.exp(log_variance / 2)
    values = np.stack([told, log_variance], axis=1).astype(np.float32)
    groups = np.array([f"g{place // 3}" for place in range(rows)])
    return Matrix(values, ("cell__net", "log_variance__net"), {}, groups), truth


@pytest.mark.parametrize("shift", [0.0, 2.0])
def test_intervals_cover_rows_of_new_groups_at_their_level_and_the_mean_is_the_members(shift: float) -> None:
    x, y = made(0, 6000, shift)
    model = build("conformal", "y", TARGET, {}).fit(x, y, np.ones(len(y)), seed=0)
    new, truth = made(1, 6000, shift)
    told = model.predict(new)
    assert np.array_equal(told["mean"], new.column("cell__net").astype(np.float64))
    inside = int(((told["lower"] <= truth) & (truth <= told["upper"])).sum())
    low, high = binom.ppf([0.0005, 0.9995], 6000, 0.9)
    assert low - 60 <= inside <= high + 60, "the quantile itself is of 6,000 rows"
    width = told["upper"] - told["lower"]
    np.testing.assert_allclose(
        width / np.exp(new.column("log_variance__net").astype(np.float64) / 2), width[0] / np.exp(new.values[0, 1] / 2), rtol=1e-5
    )


def test_a_member_that_tells_no_variance_has_intervals_of_one_width() -> None:
    x, y = made(0, 300)
    plain = Matrix(x.values[:, :1], x.names[:1], {}, x.groups)
    told = build("conformal", "y", TARGET, {}).fit(plain, y, np.ones(len(y)), seed=0).predict(plain)
    widths = np.unique((told["upper"] - told["lower"]).round(9))
    assert len(widths) == 1
    exact = np.sort(np.abs(y - plain.column("cell__net")))[int(np.ceil(0.9 * 101 / 100 * 301)) - 1]
    assert widths[0] == pytest.approx(2 * exact, rel=1e-5)


def test_it_stands_over_one_cell() -> None:
    x, y = made(0, 30)
    none = Matrix(x.values[:, 1:], x.names[1:], {}, x.groups)
    with pytest.raises(Misuse, match="stands over one cell, not 0"):
        build("conformal", "y", TARGET, {}).fit(none, y, np.ones(len(y)), seed=0)
