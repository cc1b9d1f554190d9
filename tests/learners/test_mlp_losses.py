"""Each loss of the perceptron against its formula, written out row by row; its gradient against differences of the formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest

from watertight.learners.mlp_losses import loss_of
from watertight.learners.mlp_options import WITH_VARIANCE, Loss, MlpOptions

Formula = Callable[..., float]


def gauss(y: float, mean: float, log_variance: float) -> float:
    """−log of the normal density, without its constant."""
    return -math.log(math.exp(-((y - mean) ** 2) / (2 * math.exp(log_variance))) / math.exp(log_variance / 2))


def nll_mae(m: Any, s: Any, y: Any, w: Any, fixed: tuple[Any, Any], i: int) -> float:
    return 0.45 * gauss(y[i], m[i], s[i]) + 0.55 * abs(y[i] - m[i])


def beta_nll(m: Any, s: Any, y: Any, w: Any, fixed: tuple[Any, Any], i: int) -> float:
    return math.exp(fixed[1][i]) ** 0.5 * gauss(y[i], m[i], s[i])


def faithful(m: Any, s: Any, y: Any, w: Any, fixed: tuple[Any, Any], i: int) -> float:
    return 0.5 * (y[i] - m[i]) ** 2 + gauss(y[i], fixed[0][i], s[i])


def mse(m: Any, s: Any, y: Any, w: Any, fixed: tuple[Any, Any], i: int) -> float:
    return (y[i] - m[i]) ** 2


def balanced_mse(m: Any, s: Any, y: Any, w: Any, fixed: tuple[Any, Any], i: int) -> float:
    density = [math.exp(-gauss(other, m[i], s[0])) for other in y]
    return -math.log(density[i] / sum(weight * one for weight, one in zip(w, density, strict=True)))


FORMULAS: dict[str, Formula] = {of.__name__: of for of in (nll_mae, beta_nll, faithful, mse, balanced_mse)}
"""What each row adds; ``fixed`` are the mean and the log-variance as they are where no gradient goes through."""
every_loss = pytest.mark.parametrize("name", FORMULAS)


def slow(name: str, m: Any, s: Any, y: Any, w: Any, fixed: tuple[Any, Any]) -> float:
    return sum(weight * FORMULAS[name](m, s, y, w, fixed, i) for i, weight in enumerate(w)) / sum(w)


def made(name: str, rows: int = 6) -> list[np.ndarray]:
    chance = np.random.default_rng(1)
    spread = chance.normal(size=rows if name in WITH_VARIANCE else 1) * 0.5
    return [chance.normal(size=rows), spread, chance.normal(size=rows), chance.uniform(0.5, 2, size=rows)]


def fast(name: str, m: Any, s: Any, y: Any, w: Any) -> tuple[float, list[np.ndarray]]:
    """The loss, and its gradient by the mean and the log-variance."""
    import torch

    mean, spread = (torch.tensor(of, requires_grad=True) for of in (m, s if name in WITH_VARIANCE else s[0]))
    loss = loss_of(MlpOptions.of("mlp", {"loss": name}), mean, spread, torch.tensor(y), torch.tensor(w))
    loss.backward()
    return loss.item(), [
        np.zeros_like(of) if t.grad is None else t.grad.numpy().reshape(of.shape) for t, of in ((mean, m), (spread, s))
    ]


def test_all_losses_have_a_formula() -> None:
    assert set(FORMULAS) == set(get_args(Loss))


@every_loss
def test_a_loss_is_what_its_formula_says(name: str) -> None:
    m, s, y, w = made(name)
    assert fast(name, m, s, y, w)[0] == pytest.approx(slow(name, m, s, y, w, (m, s)), rel=1e-9)


@every_loss
def test_its_gradient_is_the_slope_of_the_formula(name: str) -> None:
    """Which is also: no gradient goes where the paper stops it."""
    m, s, y, w = made(name)
    for place, found in enumerate(fast(name, m, s, y, w)[1]):
        for i in range(len(found)):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [m.copy(), s.copy()]
                moved[place][i] += step
                ends.append(slow(name, *moved, y, w, (m, s)))
            assert found[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-6)


@every_loss
def test_a_row_of_weight_two_counts_as_the_row_twice(name: str) -> None:
    m, s, y, _ = made(name)
    twice = [*range(6), 3]
    heavy = fast(name, m, s, y, np.where(np.arange(6) == 3, 2.0, 1.0))[0]
    again = fast(name, m[twice], s[twice] if name in WITH_VARIANCE else s, y[twice], np.ones(7))[0]
    assert heavy == pytest.approx(again, rel=1e-12)
    assert heavy != pytest.approx(fast(name, m, s, y, np.ones(6))[0], rel=1e-3)


def test_the_share_of_the_likelihood_is_declared() -> None:
    import torch

    m, s, y, w = (torch.tensor(of) for of in made("nll_mae"))
    at = lambda share: loss_of(MlpOptions.of("mlp", {"nll_share": share}), m, s, y, w).item()  # noqa: E731
    assert at(0.0) == pytest.approx(float((w * (y - m).abs()).sum() / w.sum()))
    assert at(0.3) == pytest.approx(0.3 * at(1.0) + 0.7 * at(0.0))
