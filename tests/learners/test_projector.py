"""The projector: its losses against plain loops, what it learns that a straight map cannot, and what is held out."""

from __future__ import annotations

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.core.ranks import gallery, ranks
from watertight.learners import projector as family
from watertight.learners.catalogue import build
from watertight.learners.inner_folds import inner_folds
from watertight.learners.matrix import Matrix
from watertight.learners.projector import Projector
from watertight.learners.projector_losses import STEEPEST, cosine, infonce
from watertight.learners.projector_network import Network, forward
from watertight.learners.projector_options import INNER_FOLDS
from watertight.learners.projector_training import Judge, Pairs, _Fit, pace, trained
from watertight.learners.ridge_path import STRENGTHS, ridge_paths

ROOT = Path(__file__).parents[2]
SMALL: dict[str, Any] = {"hidden": [16], "epochs": 3, "batch": 32}
DIMENSION = 8


def matrix(x: np.ndarray, groups: np.ndarray) -> Matrix:
    return Matrix(x.astype(np.float32), tuple(f"v[{at}]" for at in range(x.shape[1])), {}, groups.astype(str))


def bent(images: int, seed: int = 0) -> tuple[Matrix, np.ndarray]:
    """Two captions an image, with a little noise; the image is of products of what they say, so that no straight map helps."""
    chance = np.random.default_rng(seed)
    said = np.repeat(chance.uniform(-1, 1, size=(images, 4)), 2, axis=0)
    turn = np.random.default_rng(9).normal(size=(6, DIMENSION))
    pairs = [(one, other) for one in range(4) for other in range(one)]
    y = np.stack([said[:, one] * said[:, other] for one, other in pairs], axis=1) @ turn
    return matrix(said + 0.02 * chance.normal(size=said.shape), np.arange(len(said)) // 2), 3 * y


def fitted(x: Matrix, y: np.ndarray, weight: np.ndarray | None = None, seed: int = 0, **options: Any) -> Projector:
    made = build("projector", "y", Target(kind="vector", dimension=y.shape[1]), {**SMALL, **options})
    made.fit(x, y, np.ones(len(y)) if weight is None else weight, seed=seed)
    assert isinstance(made, Projector)
    return made


def reciprocal_rank(told: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(1 / ranks(told, gallery(y))))


def some(rows: int = 7, images: int = 3) -> tuple[np.ndarray, ...]:
    """Vectors, true directions, the own one of each row, weights."""
    chance = np.random.default_rng(1)
    true = chance.normal(size=(images, DIMENSION))
    true /= np.linalg.norm(true, axis=1, keepdims=True)
    return chance.normal(size=(rows, DIMENSION)), true, np.arange(rows) % images, chance.uniform(0.5, 2, size=rows)


def slow_infonce(vectors: np.ndarray, true: np.ndarray, own: np.ndarray, weight: np.ndarray, scale: float) -> float:
    """Row by row against row by row: a row of the same image is passed over."""
    total = 0.0
    for i, vector in enumerate(vectors):
        near = lambda j, of=vector: math.exp(scale * float(of @ true[own[j]]) / math.sqrt(of @ of))  # noqa: E731
        below = near(i)
        for j in range(len(vectors)):
            if own[j] != own[i]:
                below += weight[j] * near(j)
        total -= weight[i] * math.log(near(i) / below)
    return total / sum(weight)


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(np.asarray(of)).to(torch.int64 if of.dtype.kind == "i" else torch.float32) for of in arrays]


@pytest.mark.parametrize("scale", [0.5, 5.0, 30.0])
@pytest.mark.parametrize("images", [1, 3, 7])
def test_infonce_is_the_double_loop_and_so_is_its_gradient(scale: float, images: int) -> None:
    vectors, true, own, weight = some(images=images)
    told, *others = tensors(vectors, true, own, weight)
    loss = infonce(told.requires_grad_(True), *others, torch.tensor(math.log(scale)))
    loss.backward()
    assert loss.item() == pytest.approx(slow_infonce(vectors, true, own, weight, scale), rel=1e-4, abs=1e-6)
    step = 1e-5
    for place in ((0, 0), (3, 2)):
        up, down = vectors.copy(), vectors.copy()
        up[place] += step
        down[place] -= step
        slope = (slow_infonce(up, true, own, weight, scale) - slow_infonce(down, true, own, weight, scale)) / (2 * step)
        assert told.grad is not None and told.grad[place].item() == pytest.approx(slope, rel=1e-3, abs=1e-5)


def test_captions_of_one_image_are_no_negatives_of_one_another() -> None:
    """The clean twin of a loss that takes them for such, which is never 0."""
    vectors = tensors(np.tile(np.eye(DIMENSION)[0], (4, 1)))[0]
    true, weight = torch.eye(DIMENSION), torch.ones(4)
    steep = torch.tensor(math.log(50.0))
    assert infonce(vectors, true[:1], torch.zeros(4, dtype=torch.int64), weight, steep).item() == pytest.approx(0, abs=1e-6)
    mistaken = torch.nn.functional.cross_entropy(50 * vectors @ true[[0, 0, 0, 0]].T, torch.arange(4))
    assert mistaken.item() == pytest.approx(math.log(4))


def test_a_row_of_weight_two_is_that_row_twice() -> None:
    vectors, true, own, weight = some()
    weight = np.array([1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 2.0])
    again = np.repeat(np.arange(7), weight.astype(int))
    for loss, more in ((infonce, (torch.tensor(1.0),)), (cosine, ())):
        once = loss(*tensors(vectors, true, own, weight), *more)
        twice = loss(*tensors(vectors[again], true, own[again], np.ones(len(again))), *more)
        assert once.item() == pytest.approx(twice.item(), rel=1e-5)


def test_the_scale_learns_until_it_is_as_steep_as_may_be() -> None:
    for steep, moves in ((0.5, True), (2.0, False)):
        log_scale = torch.tensor(math.log(steep * STEEPEST), requires_grad=True)
        infonce(*tensors(*some()), log_scale).backward()
        assert log_scale.grad is not None and (log_scale.grad.item() != 0) == moves


def test_a_vector_of_zeros_is_as_near_to_everything() -> None:
    vectors, true, own, weight = tensors(*some())
    vectors[0] = 0
    loss = infonce(vectors.requires_grad_(True), true, own, weight, torch.tensor(1.0))
    loss.backward()
    assert loss.isfinite() and vectors.grad is not None and vectors.grad.isfinite().all()


def test_cosine_is_what_it_says() -> None:
    vectors, true, own, weight = some()
    cosines = [1 - v @ true[o] / np.linalg.norm(v) for v, o in zip(vectors, own)]
    assert cosine(*tensors(vectors, true, own, weight)).item() == pytest.approx(np.average(cosines, weights=weight), rel=1e-5)


def test_it_learns_what_no_straight_map_can() -> None:
    (x, y), (later, truth) = bent(300), bent(60, seed=1)
    straight = build("linear", "y", Target(kind="vector", dimension=DIMENSION), {"strength": 1.0})
    found = straight.fit(x, y, np.ones(len(y)), seed=0).predict(later)["vector"]
    assert reciprocal_rank(found, truth) < 0.2
    told = {"hidden": [64], "epochs": 30, "batch": 64, "learning_rate": 5e-3, "dropout": 0.0}
    for options in ({"loss": "infonce"}, {"loss": "cosine"}, {"loss": "infonce", "residual": False}):
        answer = fitted(x, y, **told, **options).predict(later)["vector"]
        assert reciprocal_rank(answer, truth) > 0.6, options


def test_vectors_are_as_long_as_the_true_ones_are_on_average() -> None:
    x, y = bent(60)
    weight = np.random.default_rng(2).uniform(0.5, 2, size=len(y))
    told = fitted(x, y, weight).predict(x)["vector"]
    mean = np.average(np.linalg.norm(y, axis=1), weights=weight)
    np.testing.assert_allclose(np.linalg.norm(told, axis=1), mean, rtol=1e-6)


def test_beside_a_path_the_network_starts_as_the_ridge_that_ranks_best() -> None:
    x, y = bent(60)
    rows = gallery(y)
    pairs = Pairs(x.values, rows.vectors, rows.own, np.ones(len(y), dtype=np.float32))
    fold = next(inner_folds(x, 5))
    options = build_options(hidden=[16])
    fit = _Fit(options, *(pairs.at(places) for places in fold), seed=0)
    judge, starts = Judge(pairs.at(fold[1])), list(ridge_paths(x.values[fold[0]], rows.vectors[rows.own[fold[0]]], np.ones(96)))
    assert fit.judged() == pytest.approx(max(judge(x.values[fold[1]] @ path + bias) for path, bias in starts))
    assert len(starts) == len(STRENGTHS)


def build_options(**options: Any) -> Any:
    return family.ProjectorOptions.of("projector", {**SMALL, **options})


def test_a_path_is_scikit_learns_ridge() -> None:
    from sklearn.linear_model import Ridge

    x, y = bent(40)
    weight = np.random.default_rng(3).uniform(0.5, 2, size=len(y))
    share = weight / weight.sum()
    moved = x.values - share @ x.values
    size = float(np.trace(moved.T @ (share[:, None] * moved))) / x.values.shape[1]
    for strength, (path, bias) in zip(STRENGTHS, ridge_paths(x.values, y.astype(np.float32), weight.astype(np.float32))):
        model = Ridge(alpha=strength * size).fit(x.values, y, sample_weight=share)
        np.testing.assert_allclose(path, model.coef_.T, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(bias, model.intercept_, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("path", [False, True])
def test_numpy_predicts_what_torch_was_fitted_to(path: bool) -> None:
    chance = np.random.default_rng(3)
    straight = chance.normal(size=(9, 5)).astype(np.float32) if path else None
    network = Network((9, 16, 7, 5), straight, np.ones(5, dtype=np.float32), 0.5, 3)
    with torch.no_grad():
        for of in network.parameters.values():
            of.add_(0.1 * torch.randn(of.shape, generator=torch.Generator().manual_seed(4)))
        x = torch.randn(20, 9, generator=torch.Generator().manual_seed(5))
        np.testing.assert_allclose(forward(x.numpy(), network.arrays()), network(x), rtol=1e-4, atol=1e-5)


def test_dropout_leaves_out_its_share_and_keeps_the_mean() -> None:
    network = Network((3, 400, 2), None, np.zeros(2, dtype=np.float32), 0.2, 0)
    [kept] = network.drawn(500)
    assert 1 - kept.mean() == pytest.approx(51 / 256, abs=0.005)
    x = torch.ones(500, 3)
    with torch.no_grad():
        assert network(x, [kept]).mean(dim=0).numpy() == pytest.approx(network(x)[0].numpy(), abs=0.02)
    assert Network((3, 4, 2), None, np.zeros(2, dtype=np.float32), 0.0, 0).drawn(5) == []


def test_fits_side_by_side_give_what_they_give_alone() -> None:
    x, y = bent(80)
    alone = [fitted(x, y, seed=seed).arrays for seed in (0, 1)]
    torch.manual_seed(99)
    before = torch.get_rng_state()
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda seed: fitted(x, y, seed=seed % 2).arrays, range(6)))
    for place, found in enumerate(together):
        assert all(np.array_equal(found[name], alone[place % 2][name]) for name in found)
    assert not np.array_equal(alone[0]["weight0"], alone[1]["weight0"]), "the seed decides"
    assert torch.equal(torch.get_rng_state(), before), "nothing is drawn from the generator that all share"


def test_chunks_change_the_model_by_rounding_alone() -> None:
    x, y = bent(80)
    whole, parts = (fitted(x, y, chunk=chunk, dropout=0.3).predict(x)["vector"] for chunk in (None, 5))
    np.testing.assert_allclose(parts, whole, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("blocks", [False, True])
def test_what_is_held_out_is_whole_and_another_part_with_another_seed(blocks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = bent(100)
    of = np.arange(200) % 11
    x = Matrix(x.values, x.names, {}, of.astype(str) if not blocks else x.groups, of if blocks else None)
    seen = []

    def spied(*given: Any) -> dict[str, np.ndarray]:
        seen.append(given[1])
        return trained(*given)

    monkeypatch.setattr(family, "trained", spied)
    for seed in range(INNER_FOLDS):
        fitted(x, y, seed=seed)
    for rest, held in seen:
        assert not set(of[rest]) & set(of[held])
    assert sorted(np.concatenate([held for _, held in seen])) == list(range(200))


def test_noise_ends_a_fit_early_and_its_best_epoch_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[float] = []
    kept: list[dict[str, np.ndarray]] = []
    judged = _Fit.judged

    def spied(self: _Fit) -> float:
        found.append(judged(self))
        kept.append(self.network.arrays())
        return found[-1]

    monkeypatch.setattr(_Fit, "judged", spied)
    x, _ = bent(100)
    noise = np.repeat(np.random.default_rng(7).normal(size=(100, DIMENSION)), 2, axis=0)
    model = fitted(x, noise, epochs=60, patience=4, learning_rate=0.03)
    best = int(np.argmax(found))
    assert len(found) == best + 1 + 4 < 60
    assert all(np.array_equal(model.arrays[name], kept[best][name]) for name in kept[best])


def test_the_judge_weighs_rows_and_knows_no_rank_of_what_is_no_number() -> None:
    vectors, true, own, weight = some(images=5)
    held = Pairs(None, np.vstack([true, true + 1]).astype(np.float32), own, weight)
    expected = np.average(1 / ranks(vectors, gallery(true[own])), weights=weight)
    assert Judge(held)(vectors) == pytest.approx(expected), "only what is held out is in the gallery"
    vectors[0, 0] = np.nan
    assert math.isnan(Judge(held)(vectors))


def test_heavy_rows_pull_and_rows_of_no_weight_do_not_count() -> None:
    x, _ = bent(100)
    late = np.arange(200) >= 100
    y = np.where(late[:, None], np.eye(DIMENSION)[0], np.eye(DIMENSION)[1])
    heavy = fitted(x, y, np.where(late, 100.0, 1.0), loss="cosine", learning_rate=0.05).predict(x)["vector"]
    even = fitted(x, y, loss="cosine", learning_rate=0.05).predict(x)["vector"]
    assert heavy[:, 0].min() > 0.9 and even[:, 0].min() < 0.8
    bad = y.copy()
    bad[~late] = np.nan
    none, gone = fitted(x, bad, late * 1.0), fitted(x.at(late), y[late])
    assert all(np.array_equal(none.arrays[name], gone.arrays[name]) for name in gone.arrays)


def test_a_null_is_the_mean_and_a_column_of_one_value_has_no_say() -> None:
    x, y = bent(100)
    values = np.column_stack([x.values, np.full(200, 0.1), np.full(200, np.nan)]).astype(np.float32)
    values[::3, 2] = np.nan
    learner = fitted(matrix(values, np.asarray(x.groups)), y)
    null, known = values.copy(), values.copy()
    null[:, 2], known[:, 2] = np.nan, np.nanmean(values[:, 2], dtype=float)
    known[:, 4], known[:, 5] = 7.0, -7.0
    one, other = (learner.predict(matrix(of, np.asarray(x.groups)))["vector"] for of in (null, known))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_pace_rises_in_a_line_and_falls_to_nothing() -> None:
    paces = [pace(step, 100, 0.1) for step in range(101)]
    assert np.allclose(np.diff(paces[:10]), 1 / 11) and paces[10] == 1
    assert (np.diff(paces[10:]) < 0).all() and paces[100] == pytest.approx(0) and paces[55] == pytest.approx(0.5)
    assert pace(0, 1, 0.0) == 1


@pytest.mark.parametrize(
    ("options", "fault"),
    [({"loss": "mse"}, "loss"), ({"hidden": [0]}, "hidden"), ({"dropout": 1}, "dropout"), ({"chunk": 0}, "chunk")],
)
def test_options_out_of_range_are_misuse(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(Misuse, match=fault):
        build("projector", "y", Target(kind="vector", dimension=2), options)


@pytest.mark.parametrize("loss", ["cosine", "infonce"])
def test_a_fit_that_runs_away_is_refused(loss: str) -> None:
    x, y = bent(60)
    with pytest.raises(Refusal, match=r"(?s)the loss of family 'projector' is no number.*next: a smaller learning_rate"):
        fitted(x, y, loss=loss, learning_rate=1e30)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_vector_without_a_direction_is_refused(value: float) -> None:
    x, y = bent(60)
    y[5] = value
    with pytest.raises(Refusal, match=r"(?s)'projector': 1 true vector\(s\) have no direction, first at place 5"):
        fitted(x, y)


def test_vectors_of_another_width_are_refused() -> None:
    x, y = bent(60)
    model = build("projector", "y", Target(kind="vector", dimension=3), SMALL)
    with pytest.raises(Refusal, match=r"(?s)vectors of shape \(8,\).*3 numbers each"):
        model.fit(x, y, np.ones(len(y)), seed=0)


def test_to_predict_takes_no_torch(tmp_path: Path) -> None:
    x, y = bent(60)
    fitted(x, y).save(tmp_path)
    code = (
        "import sys, numpy as np\nfrom pathlib import Path\nfrom watertight.learners.catalogue import load\n"
        "from watertight.learners.matrix import Matrix\n"
        "x = Matrix(np.ones((2, 4), dtype=np.float32), tuple('abcd'))\n"
        "print(load('projector', Path(sys.argv[1])).predict(x)['vector'].shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split("\n")[0] == "(2, 8) False"
