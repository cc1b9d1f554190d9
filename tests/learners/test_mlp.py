"""The perceptron: what it learns, what it holds out, and that neither threads nor neighbours in a batch change a bit."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.learners import mlp as family
from watertight.learners.catalogue import build
from watertight.learners.inner_folds import inner_folds
from watertight.learners.matrix import Matrix
from watertight.learners.mlp import Mlp
from watertight.learners.mlp_network import Network, forward
from watertight.learners.mlp_options import MlpOptions
from watertight.learners.mlp_training import _Fit, trained

ROOT = Path(__file__).parents[2]
SCALAR = Target(kind="scalar", range=(-60, 60))
SMALL: dict[str, Any] = {"hidden": [16, 8], "epochs": 5, "batch": 32}


def matrix(seed: int, rows: int, columns: int = 6) -> Matrix:
    values = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    return Matrix(values, tuple(f"f{at}" for at in range(columns)), {}, np.array([f"g{row // 4}" for row in range(rows)]))


def noisy(seed: int, rows: int) -> tuple[Matrix, np.ndarray, np.ndarray]:
    """Rows whose mean and variance are functions of their first two columns; the latter's logarithm too."""
    x = matrix(seed, rows)
    one, two = x.values[:, :2].T.astype(np.float64)
    log_variance = 1 + 1.2 * two
    y = 4 * one + 2 * two + np.exp(log_variance / 2) * np.random.default_rng(seed + 1).normal(size=rows)
    return x, y, log_variance


def fitted(x: Matrix, y: np.ndarray, weight: np.ndarray | None = None, seed: int = 0, **options: Any) -> Mlp:
    made = build("mlp", "y", SCALAR, {**SMALL, **options}).fit(x, y, np.ones(len(y)) if weight is None else weight, seed=seed)
    assert isinstance(made, Mlp)
    return made


@pytest.mark.parametrize("loss", ["nll_mae", "beta_nll", "faithful"])
def test_it_recovers_a_variance_that_differs_by_row(loss: str) -> None:
    told = {"loss": loss, "hidden": [32], "epochs": 30, "batch": 64, "dropout": 0.0, "learning_rate": 1e-2}
    x, y, _ = noisy(0, 4000)
    later, truth, log_variance = noisy(10, 2000)
    found = fitted(x, y, **told).predict(later)
    assert np.corrcoef(found["log_variance"], log_variance)[0, 1] > 0.9
    half = 1.6449 * np.exp(found["log_variance"] / 2)
    inside = int(np.sum(np.abs(truth - found["mean"]) <= half))
    low, high = binom.ppf([0.005, 0.995], len(truth), 0.9)
    assert low <= inside <= high, inside / len(truth)
    assert found["log_variance"].mean() == pytest.approx(1, abs=0.2), "in the target's own unit"


@pytest.mark.parametrize("loss", ["mse", "balanced_mse"])
def test_a_loss_without_a_variance_tells_that_of_the_residuals_held_out(loss: str) -> None:
    x, y, _ = noisy(0, 400)
    weight = np.random.default_rng(3).uniform(0.2, 3, size=400)
    learner = fitted(x, y, weight, loss=loss)
    held = next(inner_folds(x, 5))[1]
    residual = learner.predict(x.at(held))["mean"] - y[held]
    (told,) = set(learner.predict(x)["log_variance"])
    assert told == pytest.approx(np.log(np.average(residual**2, weights=weight[held])), abs=1e-4)


def test_balanced_mse_moves_rare_labels_outward() -> None:
    """A label that is mostly low, told with noise: least squares draws the few high ones to the many."""
    chance = np.random.default_rng(5)
    y, later = (chance.exponential(1.0, size=size) for size in (3000, 3000))
    x, new = (
        Matrix((of[:, None] + chance.normal(size=(3000, 1))).astype(np.float32), ("told",), {}, matrix(0, 3000).groups)
        for of in (y, later)
    )
    told = {"hidden": [16], "epochs": 30, "dropout": 0.0, "learning_rate": 1e-2, "batch": 128}
    plain, balanced = (fitted(x, y, loss=loss, **told).predict(new)["mean"] for loss in ("mse", "balanced_mse"))
    rare = later > 3
    assert plain[rare].mean() < later[rare].mean() - 0.5
    assert balanced[rare].mean() > plain[rare].mean() + 0.3
    assert np.mean((balanced - later)[rare] ** 2) < np.mean((plain - later)[rare] ** 2)


def test_faithful_keeps_the_variance_from_the_trunk() -> None:
    import torch

    for faithful in (True, False):
        network = Network((3, 4), 2, faithful, torch.Generator().manual_seed(0))
        with torch.no_grad():
            network.weights[-1] += 1
        network(torch.ones(5, 3))[1].sum().backward()
        assert (network.weights[0].grad is None) == faithful
        assert network.weights[1].grad[:, 1].abs().sum() > 0


def test_fits_side_by_side_give_what_they_give_alone() -> None:
    import torch

    x, y, _ = noisy(0, 600)
    alone = [fitted(x, y, seed=seed).arrays for seed in (0, 1)]
    torch.manual_seed(99)
    before = torch.get_rng_state()
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda seed: fitted(x, y, seed=seed % 2).arrays, range(6)))
    for place, found in enumerate(together):
        assert all(np.array_equal(found[name], alone[place % 2][name]) for name in found)
    assert not np.array_equal(alone[0]["0.weight0"], alone[1]["0.weight0"]), "the seed decides"
    assert torch.equal(torch.get_rng_state(), before), "nothing is drawn from the generator that all share"


@pytest.mark.parametrize("columns", [7, 401, 1600])
def test_a_row_is_predicted_to_the_same_bit_alone_in_a_batch_and_shuffled(columns: int) -> None:
    chance = np.random.default_rng(columns)
    widths = (columns, 128, 33, 2)
    arrays = {f"weight{at}": chance.normal(size=widths[at : at + 2]).astype(np.float32) for at in range(3)}
    arrays |= {f"bias{at}": chance.normal(size=widths[at + 1]).astype(np.float32) for at in range(3)}
    x = chance.normal(size=(300, columns)).astype(np.float32)
    together, order = forward(x, arrays), chance.permutation(300)
    assert np.array_equal(forward(x[order], arrays), together[order])
    for size in (1, 2, 7, 64):
        parts = [forward(x[start : start + size], arrays) for start in range(0, 300, size)]
        assert np.array_equal(np.vstack(parts), together)
    slow = np.maximum(x.astype(float) @ arrays["weight0"] + arrays["bias0"], 0)
    slow = np.maximum(slow @ arrays["weight1"] + arrays["bias1"], 0) @ arrays["weight2"] + arrays["bias2"]
    np.testing.assert_allclose(together, slow, rtol=1e-3, atol=1e-2 * columns**0.5)


def test_numpy_predicts_what_torch_was_fitted_to() -> None:
    import torch

    network = Network((9, 8, 4), 2, False, torch.Generator().manual_seed(3))
    with torch.no_grad():
        network.weights[-1] += 0.1
        x = torch.randn(20, 9, generator=torch.Generator().manual_seed(4))
        mean, log_variance = network(x)
    found = forward(x.numpy(), network.arrays())
    np.testing.assert_allclose(found, np.column_stack([mean, log_variance]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("blocks", [False, True])
def test_what_is_held_out_is_whole(blocks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, _ = noisy(0, 200)
    of = np.arange(200) % 11
    x = Matrix(x.values, x.names, {}, of.astype(str) if not blocks else x.groups, of if blocks else None)
    seen = []

    def spied(*given: Any) -> dict[str, np.ndarray]:
        seen.append(given[3])
        return trained(*given)

    monkeypatch.setattr(family, "trained", spied)
    fitted(x, y)
    [(rest, held)] = seen
    assert not set(of[rest]) & set(of[held])
    assert len(rest) + len(held) == 200 and 20 < len(held) < 60


def of_fold(options: dict[str, Any], y: np.ndarray) -> dict[str, np.ndarray]:
    x = matrix(0, 200)
    told = MlpOptions.of("mlp", {**SMALL, **options})
    return trained(x.values, y.astype(np.float32), np.ones(200, dtype=np.float32), (np.arange(150), np.arange(150, 200)), told, 0)


def test_rows_held_out_choose_the_epoch_and_nothing_else() -> None:
    y = np.random.default_rng(0).normal(size=200)
    other = np.where(np.arange(200) < 150, y, -3 * y)
    one, two = (of_fold({"epochs": 1}, of) for of in (y, other))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_noise_ends_a_fit_early_and_its_best_epoch_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    losses: list[float] = []
    kept: list[dict[str, np.ndarray]] = []
    judged = _Fit.judged

    def spied(self: _Fit, held: Any) -> float:
        losses.append(judged(self, held))
        kept.append(self.network.arrays())
        return losses[-1]

    monkeypatch.setattr(_Fit, "judged", spied)
    y = np.random.default_rng(7).normal(size=200)
    found = of_fold({"epochs": 60, "patience": 4, "learning_rate": 0.03, "dropout": 0.0}, y)
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 4 < 60
    assert all(np.array_equal(found[name], kept[best][name]) for name in found)


def test_heavy_rows_pull_and_rows_of_no_weight_do_not_count() -> None:
    x, y, _ = noisy(0, 400)
    late = np.arange(400) >= 200
    y = np.where(late, 5.0, -5.0)
    heavy = fitted(x, y, np.where(late, 100.0, 1.0)).predict(x)["mean"]
    assert heavy.mean() > 4
    assert abs(fitted(x, y, np.ones(400)).predict(x)["mean"].mean()) < 2
    none, gone = fitted(x, y, late * 1.0), fitted(x.at(late), y[late])
    assert all(np.array_equal(none.arrays[name], gone.arrays[name]) for name in gone.arrays)


def test_a_null_is_the_mean_and_a_column_of_one_value_has_no_say() -> None:
    x, y, _ = noisy(0, 300)
    values = x.values.copy()
    values[::3, 2], values[:, 3], values[:, 4] = np.nan, 0.1, np.nan
    learner = fitted(Matrix(values, x.names, {}, x.groups), y)
    null, known = values.copy(), values.copy()
    null[:, 2], known[:, 2] = np.nan, np.nanmean(values[:, 2], dtype=float)
    known[:, 3], known[:, 4] = 7.0, -7.0
    one, other = (learner.predict(Matrix(of, x.names)) for of in (null, known))
    np.testing.assert_allclose(one["mean"], other["mean"], atol=1e-5)


def test_a_mean_stays_in_the_range_of_the_target() -> None:
    x = matrix(0, 300)
    y = 60 * np.tanh(x.values[:, 0].astype(float) * 5)
    learner = fitted(x, y, epochs=60, patience=60, dropout=0.0, learning_rate=0.02)
    found = learner.predict(Matrix(x.values * 5, x.names))["mean"]
    assert found.min() == -60 and found.max() == 60


@pytest.mark.parametrize(
    ("options", "fault"),
    [({"loss": "mae"}, "loss"), ({"hidden": [0]}, "hidden"), ({"dropout": 1}, "dropout"), ({"nll_share": 1.1}, "nll_share")],
)
def test_options_out_of_range_are_misuse(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(Misuse, match=fault):
        build("mlp", "y", SCALAR, options)


def test_a_fit_that_runs_away_is_refused() -> None:
    x, y, _ = noisy(0, 200)
    with pytest.raises(Refusal, match=r"(?s)the loss of family 'mlp' is no number.*next: a smaller learning_rate"):
        fitted(x, y, loss="mse", learning_rate=1e30)


def test_to_predict_takes_no_torch(tmp_path: Path) -> None:
    x, y, _ = noisy(0, 60)
    fitted(x, y).save(tmp_path)
    code = (
        "import sys, numpy as np\nfrom pathlib import Path\nfrom watertight.learners.catalogue import load\n"
        "from watertight.learners.matrix import Matrix\n"
        "x = Matrix(np.ones((2, 6), dtype=np.float32), tuple('abcdef'))\n"
        "print(load('mlp', Path(sys.argv[1])).predict(x)['mean'].shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split("\n")[0] == "(2,) False"


def test_members_answer_as_the_mixture_of_their_normal_distributions() -> None:
    """Each is the network of its own seed and of its own fifth held out; what they disagree on makes them less sure."""
    x, y, _ = noisy(0, 400)
    together = fitted(x, y, members=3)
    told = together.predict(x)
    each = []
    for member in range(3):
        one = fitted(x, y)
        one.arrays |= {name.replace(f"{member}.", "0."): of for name, of in together.arrays.items() if name[0] == str(member)}
        each.append(one.predict(x))
    means = np.array([one["mean"] for one in each])
    np.testing.assert_allclose(told["mean"], means.mean(axis=0))
    variance = np.mean([np.exp(one["log_variance"]) for one in each], axis=0) + means.var(axis=0)
    np.testing.assert_allclose(told["log_variance"], np.log(variance))
    assert min(np.abs(means[0] - means[1]).mean(), np.abs(means[1] - means[2]).mean()) > 1e-3
