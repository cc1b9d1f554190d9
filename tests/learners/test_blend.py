"""Blend: its weights against a grid search, and that they follow the context which decides who is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.learners.blend import Blend, _loss
from watertight.learners.catalogue import build, load
from watertight.learners.matrix import Matrix

SCALAR = Target(kind="scalar", range=(-9, 9))
ROWS = 1_500


def fitted(values: np.ndarray, names: tuple[str, ...], y: np.ndarray, **options: object) -> Blend:
    model = build("blend", "y", SCALAR, dict(options))
    assert isinstance(model, Blend)
    return model.fit(Matrix(values.astype(np.float32), names), y, np.ones(len(y)), seed=0)


def told(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, and two members of which the second is the better by far where the context is high."""
    chance = np.random.default_rng(seed)
    truth, context = chance.normal(size=ROWS), chance.uniform(0, 20, size=ROWS)
    one = truth + chance.normal(scale=0.5, size=ROWS)
    other = truth + chance.normal(size=ROWS) * np.where(context > 10, 0.1, 2.0)
    return truth, np.column_stack([one, other]), context


def test_without_context_the_weights_are_those_of_a_grid() -> None:
    truth, members, _ = told()
    blend = fitted(members, ("cell__one", "cell__other"), truth)
    out = blend.predict(Matrix(members.astype(np.float32), ("cell__one", "cell__other")))
    shares = np.linspace(0, 1, 2001)
    errors = [np.mean((share * members[:, 0] + (1 - share) * members[:, 1] - truth) ** 2) for share in shares]
    assert out["weights"].shape == (ROWS, 2)
    assert abs(out["weights"][0, 0] - shares[int(np.argmin(errors))]) < 2e-3
    assert np.ptp(out["weights"], axis=0).max() == 0, "one vector of weights for all rows"


@pytest.mark.parametrize("options", [{"strength": 0.01}, {"strength": 0.01, "edges": {"context": [10.0]}}])
def test_weights_are_convex_in_each_row_and_move_to_who_is_right(options: dict[str, object]) -> None:
    truth, members, context = told()
    names = ("cell__one", "cell__other", "context")
    values = np.column_stack([members, context])
    out = fitted(values, names, truth, **options).predict(Matrix(values.astype(np.float32), names))
    assert (out["weights"] >= 0).all()
    np.testing.assert_allclose(out["weights"].sum(axis=1), 1)
    np.testing.assert_allclose(out["mean"], (out["weights"] * values[:, :2].astype(np.float32)).sum(axis=1), rtol=1e-6)
    assert out["weights"][context > 15, 1].mean() > 0.75
    assert out["weights"][context < 5, 1].mean() < 0.25
    plain = fitted(members, names[:2], truth).predict(Matrix(members.astype(np.float32), names[:2]))["mean"]
    assert np.mean((out["mean"] - truth) ** 2) < 0.8 * np.mean((plain - truth) ** 2)


def test_a_strong_penalty_leaves_the_plain_convex_blend() -> None:
    truth, members, context = told()
    names = ("cell__one", "cell__other", "context")
    values = np.column_stack([members, context])
    weights = fitted(values, names, truth, strength=1e3).predict(Matrix(values.astype(np.float32), names))["weights"]
    plain = fitted(members, names[:2], truth).predict(Matrix(members.astype(np.float32), names[:2]))["weights"]
    np.testing.assert_allclose(weights, plain, atol=1e-3)


def test_a_null_in_the_context_counts_as_its_mean_and_in_no_bucket() -> None:
    truth, members, context = told()
    names = ("cell__one", "cell__other", "context")
    values = np.column_stack([members, context])
    plain = fitted(values, names, truth)
    known, null = values[:1].copy(), values[:1].copy()
    known[0, 2], null[0, 2] = values[:, 2].astype(np.float32).astype(float).mean(), np.nan
    one, other = (plain.predict(Matrix(at.astype(np.float32), names))["weights"] for at in (known, null))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_gradient_is_that_of_finite_differences() -> None:
    chance = np.random.default_rng(2)
    members, context, y = (
        chance.normal(size=(40, 3)),
        np.hstack([np.ones((40, 1)), chance.normal(size=(40, 2))]),
        chance.normal(size=40),
    )
    share, gate = np.full(40, 1 / 40), chance.normal(size=9)
    _, gradient = _loss(gate, members, context, y, share, 0.3)
    for place in range(9):
        step = np.eye(9)[place] * 1e-6
        ends = [_loss(gate + way * step, members, context, y, share, 0.3)[0] for way in (1, -1)]
        assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-8)


def test_a_saved_blend_answers_with_the_same_bits(tmp_path: Path) -> None:
    truth, members, context = told()
    names = ("cell__one", "cell__other", "context")
    x = Matrix(np.column_stack([members, context]).astype(np.float32), names)
    blend = fitted(x.values, names, truth, edges={"context": [3.0, 10.0]})
    blend.save(tmp_path)
    for name, values in load("blend", tmp_path).predict(x).items():
        assert np.array_equal(values, blend.predict(x)[name])
    alone = [blend.predict(x.at(np.array([row])))["mean"][0] for row in range(20)]
    assert np.array_equal(alone, blend.predict(x)["mean"][:20])


def test_a_blend_of_one_is_misuse_and_so_are_edges_that_fall() -> None:
    with pytest.raises(Misuse, match="at least two members"):
        fitted(np.zeros((4, 1)), ("cell__one",), np.zeros(4))
    with pytest.raises(Misuse, match="edges of context do not rise"):
        build("blend", "y", SCALAR, {"edges": {"context": [3, 1]}})


def test_a_member_that_is_no_number_is_refused_by_name() -> None:
    truth, members, _ = told()
    members[3, 1] = np.nan
    with pytest.raises(Refusal, match="predictions of cell__other are not finite"):
        fitted(members, ("cell__one", "cell__other"), truth)
