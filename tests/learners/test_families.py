"""What every family must keep, for every kind of target that it declares. A new family passes without a change here,
unless it has an option without a default, which stands in OPTIONS, or stands over other cells, as many as MEMBERS says."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from watertight.core.contract import Target
from watertight.core.errors import Misuse
from watertight.learners.catalogue import FAMILIES, build, load
from watertight.learners.family import Learner, Outputs
from watertight.learners.matrix import Matrix

OPTIONS: dict[str, dict[str, Any]] = {
    "column": {"column": "v[0]"},
    "lightgbm": {"rounds": 15, "min_data_in_leaf": 5},
    "random_intercept": {"vector": "v", "count": "past_count", "mean": "past_mean", "text": "past_v"},
}
COUNTS_ROWS = {"conformal"}
"""Families in which every row counts the same: figures of coverage count rows."""
MEMBERS = {"blend": 2, "calibrated": 1, "conformal": 1, "selected": 3}
NAMES = (
    "v[0]",
    "v[1]",
    "v[2]",
    "v[3]",
    "f4",
    "f5",
    "past_v[0]",
    "past_v[1]",
    "past_v[2]",
    "past_v[3]",
    "past_count",
    "past_mean",
)
TARGETS = {
    "scalar": Target(kind="scalar", range=(-9, 9)),
    "class": Target(kind="class", classes=("low", "middle", "high")),
    "vector": Target(kind="vector", dimension=4),
}
SHAPES = {"scalar": ("mean", ()), "class": ("probabilities", (3,)), "vector": ("vector", (4,))}
ROWS, TRAINED = 90, 60

PAIRS = [(family, kind) for family, learner in FAMILIES.items() for kind in learner.kinds]
every_pair = pytest.mark.parametrize(("family", "kind"), PAIRS)
every_case = pytest.mark.parametrize(("family", "kind", "seed"), [(*pair, seed) for pair, seed in product(PAIRS, (0, 7))])


def matrix(family: str = "") -> Matrix:
    """Twelve columns, of which the fifth has nulls, the sixth is null; the first row is null altogether, and so is its text.

    A text tells a part of the target, and so does another cell's prediction, which is never null.
    """
    chance = np.random.default_rng(5)
    values = chance.normal(size=(ROWS, len(NAMES)))
    values[:, NAMES.index("past_count")] = np.arange(ROWS) % 4
    values[::3, 4] = np.nan
    values[:, 5] = np.nan
    values[0] = np.nan
    width = 4 if FAMILIES.get(family) and FAMILIES[family].kinds == ("vector",) else 1
    told = np.hstack(
        [np.nan_to_num(values[:, :width]) + chance.normal(size=(ROWS, width)) for _ in range(MEMBERS.get(family, 0))]
        or [values[:, :0]]
    )
    texts = [("bad, so bad", "so so", "good: so good")[int(np.digitize(value, [-0.4, 0.4]))] for value in values[:, 0]]
    groups = np.array([f"g{row // 5}" for row in range(ROWS)])
    parts = [f"[{place}]" for place in range(width)] if width > 1 else [""]
    names = tuple(f"cell__{place}{part}" for place in range(MEMBERS.get(family, 0)) for part in parts) + NAMES
    return Matrix(np.hstack([told, values]).astype(np.float32), names, {"text": [None, *texts[1:]]}, groups)


def truth(kind: str) -> np.ndarray:
    """A target that the features tell a part of; no vector is all zeros, which has no direction."""
    known = np.nan_to_num(matrix().values[:, :4]).astype(np.float64)
    return {"scalar": known[:, 0] * 2, "class": np.digitize(known[:, 0], [-0.4, 0.4]), "vector": known + 0.5}[kind]


def weights() -> np.ndarray:
    return np.random.default_rng(6).uniform(0.5, 2, size=ROWS)


def fitted(family: str, kind: str, seed: int, y: np.ndarray | None = None) -> Learner:
    y = truth(kind) if y is None else y
    learner = build(family, "y", TARGETS[kind], OPTIONS.get(family, {}))
    return learner.fit(matrix(family).at(np.arange(TRAINED)), y[:TRAINED], weights()[:TRAINED], seed=seed)


def saved(learner: Learner, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    learner.save(folder)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def same(one: Outputs, other: Outputs) -> bool:
    """Equal to the last bit."""
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_the_catalogue_is_covered() -> None:
    assert {family for family, _ in PAIRS} == set(FAMILIES)
    assert {kind for _, kind in PAIRS} == set(TARGETS)


@every_case
def test_outputs_have_the_name_and_shape_of_the_kind(family: str, kind: str, seed: int) -> None:
    name, width = SHAPES[kind]
    for rows in (ROWS, 1, 0):
        outputs = fitted(family, kind, seed).predict(matrix(family).at(np.arange(rows)))
        assert next(iter(outputs)) == name
        assert outputs[name].shape == (rows, *width)
        for values in outputs.values():
            assert len(values) == rows
            assert values.dtype == np.float64
            assert np.isfinite(values).all(), "a null feature makes no null prediction"
    if kind == "class":
        probabilities = fitted(family, kind, seed).predict(matrix(family))[name]
        assert (probabilities >= 0).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)


@every_case
def test_the_same_arguments_give_the_same_bytes(family: str, kind: str, seed: int, tmp_path: Path) -> None:
    one, other = (saved(fitted(family, kind, seed), tmp_path / name) for name in ("one", "other"))
    assert one == other
    assert one, "something is saved"


@every_case
def test_a_loaded_model_predicts_the_same_to_the_last_bit(family: str, kind: str, seed: int, tmp_path: Path) -> None:
    learner = fitted(family, kind, seed)
    files = saved(learner, tmp_path / "model")
    loaded = load(family, tmp_path / "model")
    assert same(loaded.predict(matrix(family)), learner.predict(matrix(family)))
    assert saved(loaded, tmp_path / "again") == files


@every_case
def test_a_row_is_predicted_the_same_alone_as_among_others(family: str, kind: str, seed: int) -> None:
    learner, x = fitted(family, kind, seed), matrix(family)
    together = learner.predict(x)
    for place in range(0, ROWS, 7):
        alone = learner.predict(x.at(np.array([place])))
        assert same(alone, {name: values[place : place + 1] for name, values in together.items()})
    backwards = learner.predict(x.at(np.arange(ROWS)[::-1]))
    assert same(backwards, {name: values[::-1] for name, values in together.items()})


@every_pair
def test_fitting_and_predicting_leave_their_arguments_alone(family: str, kind: str) -> None:
    x, y, weight = matrix(family), truth(kind), weights()
    build(family, "y", TARGETS[kind], OPTIONS.get(family, {})).fit(x, y, weight, seed=0).predict(x)
    assert np.array_equal(x.values, matrix(family).values, equal_nan=True)
    assert x.texts == matrix(family).texts
    assert np.array_equal(x.groups, matrix(family).groups)
    assert np.array_equal(y, truth(kind))
    assert np.array_equal(weight, weights())


@every_pair
def test_rows_fitted_on_decide_the_model(family: str, kind: str, tmp_path: Path) -> None:
    other = truth(kind)[::-1].copy()
    other[0] = other[0] if kind == "class" else other[0] + 5
    assert saved(fitted(family, kind, 0), tmp_path / "one") != saved(fitted(family, kind, 0, y=other), tmp_path / "other")


@every_pair
def test_weights_decide_too(family: str, kind: str, tmp_path: Path) -> None:
    learners = [build(family, "y", TARGETS[kind], OPTIONS.get(family, {})) for _ in range(2)]
    one, other = (
        learner.fit(matrix(family), truth(kind), at, seed=0) for learner, at in zip(learners, (weights(), np.ones(ROWS)))
    )
    alike = saved(one, tmp_path / "one") == saved(other, tmp_path / "other")
    assert alike == (family in COUNTS_ROWS)


@every_pair
def test_a_column_that_was_null_in_training_may_be_known_later(family: str, kind: str) -> None:
    learner, x, later = fitted(family, kind, 0), matrix(family), matrix(family)
    later.column("f5")[:] = 3.0
    assert np.isnan(x.column("f5")).all() and not np.isnan(later.column("f5")).any()
    assert same(learner.predict(later), learner.predict(x)), "nothing was learnt of it"


@every_pair
def test_an_unknown_option_is_misuse(family: str, kind: str) -> None:
    with pytest.raises(Misuse, match=f"(?s)the options of family '{family}'.*no_such_option: unknown key"):
        build(family, "y", TARGETS[kind], {**OPTIONS.get(family, {}), "no_such_option": 1})


@pytest.mark.parametrize("family", FAMILIES)
def test_a_kind_that_is_not_declared_is_misuse(family: str) -> None:
    for kind in set(TARGETS) - set(FAMILIES[family].kinds):
        with pytest.raises(Misuse, match=f"family '{family}' does not fit 'y', a {kind}"):
            build(family, "y", TARGETS[kind], OPTIONS.get(family, {}))


@every_pair
def test_what_is_saved_is_text_or_plain_arrays(family: str, kind: str, tmp_path: Path) -> None:
    for name, body in saved(fitted(family, kind, 0), tmp_path / "model").items():
        if name.endswith(".safetensors"):
            assert load_file(tmp_path / "model" / name)
        else:
            assert name.endswith((".txt", ".json"))
            assert body.decode("utf-8").isprintable() or b"\0" not in body


@pytest.mark.parametrize("family", [family for family, kind in PAIRS if kind == "class"])
@pytest.mark.parametrize("seen", [(0, 1), (0, 2), (1, 2), (1,)])
def test_classes_that_training_never_showed_get_nothing(family: str, seen: tuple[int, ...], tmp_path: Path) -> None:
    y = np.array(seen)[np.arange(ROWS) % len(seen)]
    learner = fitted(family, "class", 0, y=y)
    unseen = [place for place in range(3) if place not in seen]
    saved(learner, tmp_path / "model")
    for model in (learner, load(family, tmp_path / "model")):
        probabilities = model.predict(matrix(family))["probabilities"]
        assert probabilities.shape == (ROWS, 3)
        assert (probabilities[:, unseen] < 1e-6).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_a_family_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="no family is called 'lightgmb'; did you mean 'lightgbm'"):
        build("lightgmb", "y", TARGETS["scalar"], {})
    with pytest.raises(Misuse, match="no family is called 'pickle'"):
        load("pickle", tmp_path)


@pytest.mark.parametrize("family", ["lightgbm", "linear", "mlp", "knn"])
def test_a_family_that_needs_features_says_so_where_there_are_none(family: str) -> None:
    nothing = Matrix(np.empty((6, 0), dtype=np.float32), ())
    learner = build(family, "y", Target(kind="scalar", range=(0, 1)), {})
    with pytest.raises(Misuse, match="needs features"):
        learner.fit(nothing, np.linspace(0, 1, 6), np.ones(6), seed=0)
