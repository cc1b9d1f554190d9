"""Calibrated predictions and their intervals on simulated authors: coverage is over all rows of authors never seen."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.learners.calibrated import Calibrated, conformal_quantile
from watertight.learners.catalogue import build
from watertight.learners.family import Learner, Outputs
from watertight.learners.inner_folds import inner_folds
from watertight.learners.matrix import Matrix

SCALAR = Target(kind="scalar", range=(-30, 30))
LEVEL = 0.9


def sizes(chance: np.random.Generator, authors: int) -> np.ndarray:
    """Rows per author, most with a few and some with a hundred."""
    return np.maximum(1, np.exp(chance.normal(2.0, 1.1, size=authors))).astype(int)


def rows(seed: int, authors: int, bent: bool = False, shared: float = 1.0) -> tuple[Matrix, np.ndarray]:
    """Authors with offsets (standard deviation ``shared``), and a context that says how noisy a row is: 0.4 or 1.6."""
    chance = np.random.default_rng(seed)
    author = np.repeat(np.arange(authors), sizes(chance, authors))
    told, hard = chance.uniform(-2, 2, size=len(author)), chance.integers(0, 2, size=len(author))
    noise = np.where(hard, 1.6, 0.4) * chance.normal(size=len(author))
    truth = (told**3 if bent else told) + shared * chance.normal(size=authors)[author] + noise
    values = np.column_stack([told, hard, chance.normal(size=len(author))]).astype(np.float32)
    return Matrix(values, ("cell__all", "hard", "unrelated"), {}, np.array([f"a{name}" for name in author])), truth


def fitted(x: Matrix, y: np.ndarray, target: Target = SCALAR, **options: Any) -> Learner:
    return build("calibrated", "y", target, options).fit(x, y, np.ones(len(y)), seed=0)


def covered(outputs: Outputs, y: np.ndarray) -> float:
    return float(np.mean((outputs["lower"] <= y) & (y <= outputs["upper"])))


@pytest.mark.parametrize(("authors", "level"), [(25, 0.9), (60, 0.9), (60, 0.5), (150, 0.8)])
def test_intervals_cover_rows_of_new_authors(authors: int, level: float) -> None:
    found = []
    for seed in range(20):
        x, y = rows(seed, authors)
        later, truth = rows(seed + 500, 300)
        found.append(covered(fitted(x, y, level=level).predict(later), truth))
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert level - 3 * error < np.mean(found) < level + 1.5 * level / authors + 3 * error
    assert error < 0.015, "the bound above says something"


def test_residuals_of_rows_fitted_on_would_promise_too_much() -> None:
    """The contrast: an isotonic fit judged on its own rows, their quantile taken as if each were an author."""
    ours, naive = [], []
    for seed in range(30):
        x, y = rows(seed, 12, shared=2.0)
        later, truth = rows(seed + 500, 300, shared=2.0)
        told, new = x.column("cell__all"), later.column("cell__all")
        plain = IsotonicRegression(out_of_bounds="clip").fit(told, y)
        half = np.quantile(np.abs(y - plain.predict(told)), LEVEL)
        naive.append(np.mean(np.abs(truth - plain.predict(new)) <= half))
        ours.append(covered(fitted(x, y).predict(later), truth))
    assert np.mean(naive) < LEVEL - 0.05
    assert np.mean(ours) > LEVEL - 0.01


def marked(seed: int, authors: int, marks: int) -> tuple[Matrix, np.ndarray]:
    """Authors who are known by what stands beside their rows, so that a fit can learn them by heart: how far off they are
    (no marks, one prediction per author), or how noisy they are (marks)."""
    chance = np.random.default_rng(seed)
    author = np.repeat(np.arange(authors), 8)
    beside, told = chance.normal(size=(authors, marks)), chance.uniform(-2, 2, size=authors)
    offset, log_noise = (0, 1.2) if marks else (3, 0)
    noise = np.exp(log_noise * chance.normal(size=authors))[author] * chance.normal(size=len(author))
    truth = offset * chance.normal(size=authors)[author] + noise
    names = ("cell__all", *(f"mark{place}" for place in range(marks)))
    values = np.column_stack([told, beside])[author].astype(np.float32)
    return Matrix(values, names, {}, np.array([f"a{name}" for name in author])), np.clip(truth, -30, 30)


@pytest.mark.parametrize(("authors", "marks", "level"), [(12, 0, 0.5), (60, 60, 0.7)], ids=["offsets", "noise"])
def test_nothing_is_judged_by_a_fit_that_saw_its_author(authors: int, marks: int, level: float) -> None:
    """Judged by the fit of all rows, residuals covered 0.42 instead of 0.5, and scales 0.66 instead of 0.7."""
    found = []
    for seed in range(40):
        later, truth = marked(seed + 500, 200, marks)
        found.append(covered(fitted(*marked(seed, authors, marks), level=level).predict(later), truth))
    assert np.mean(found) > level - 0.02


def test_intervals_are_wide_where_the_noise_is() -> None:
    x, y = rows(0, 150, shared=0.3)
    later, truth = rows(1, 300, shared=0.3)
    found = fitted(x, y).predict(later)
    hard = later.column("hard") > 0
    width = found["upper"] - found["lower"]
    assert width[hard].mean() > 2 * width[~hard].mean()
    for part in (hard, ~hard):
        assert covered({name: values[part] for name, values in found.items()}, truth[part]) > LEVEL - 0.05


def test_a_bent_prediction_is_set_straight() -> None:
    x, y = rows(0, 150, bent=True)
    later, truth = rows(1, 300, bent=True)
    found = fitted(x, y).predict(later)["mean"]
    told = later.column("cell__all").astype(np.float64)
    best = np.mean((truth - told**3) ** 2)
    assert np.mean((truth - found) ** 2) < 1.1 * best < 0.6 * np.mean((truth - told) ** 2)
    assert (np.diff(found[np.argsort(told)]) >= 0).all(), "it never turns the order round"


def test_everything_stays_in_the_range_of_the_target() -> None:
    narrow = Target(kind="scalar", range=(-1, 1.5))
    x, y = rows(0, 40)
    found = fitted(x, np.clip(y, -1, 1.5), narrow).predict(rows(1, 40)[0])
    assert list(found) == ["mean", "lower", "upper", "level"]
    assert (found["lower"] <= found["mean"]).all() and (found["mean"] <= found["upper"]).all()
    assert found["lower"].min() == -1 and found["upper"].max() == 1.5
    assert set(found["level"]) == {0.9}


@pytest.mark.parametrize("bent", [True, False])
def test_it_goes_as_far_towards_the_held_out_steps_as_a_grid_of_shares_would(bent: bool) -> None:
    x, y = rows(3, 30, bent=bent)
    told, held_out = x.column("cell__all").astype(np.float64), np.empty(len(y))
    for one, other in inner_folds(x, 5):
        held_out[other] = (
            IsotonicRegression(y_min=-30, y_max=30, out_of_bounds="clip").fit(told[one], y[one]).predict(told[other])
        )
    shares = np.linspace(0, 1, 1001)
    errors = [np.mean((told + share * (held_out - told) - y) ** 2) for share in shares]
    model = fitted(x, y)
    assert isinstance(model, Calibrated)
    assert model.arrays["trust"][0] == pytest.approx(shares[int(np.argmin(errors))], abs=1e-3)


def test_a_prediction_that_is_straight_is_left_about_as_it_is() -> None:
    x, y = rows(0, 30)
    later, truth = rows(1, 300)
    plain = np.mean((truth - later.column("cell__all")) ** 2)
    assert np.mean((truth - fitted(x, y).predict(later)["mean"]) ** 2) < 1.01 * plain


def test_the_calibrator_is_the_mean_of_the_inner_fits_as_far_as_it_is_trusted() -> None:
    x, y = rows(3, 30, bent=True)
    told = x.column("cell__all").astype(np.float64)
    new = np.linspace(-3, 3, 400)
    folds = inner_folds(x, 5)
    fits = [IsotonicRegression(y_min=-30, y_max=30, out_of_bounds="clip").fit(told[one], y[one]) for one, _ in folds]
    later = Matrix(np.column_stack([new, new, new]).astype(np.float32), x.names)
    asked, model = later.column("cell__all").astype(np.float64), fitted(x, y)
    assert isinstance(model, Calibrated)
    expected = asked + model.arrays["trust"] * (np.mean([fit.predict(asked) for fit in fits], axis=0) - asked)
    np.testing.assert_allclose(model.predict(later)["mean"], expected, rtol=1e-9, atol=1e-12)


def quantile(score: np.ndarray, authors: int, level: float) -> float:
    (found,) = conformal_quantile(score, np.ones(len(score)), authors, np.array([level]))
    return float(found)


def hierarchical(score: np.ndarray, author: np.ndarray, level: float) -> float:
    """Slowly: the least q below which 1/(K + 1) of mass per author, spread over its rows, adds up to the level."""
    number = len(np.unique(author))
    for candidate in np.sort(score):
        mass = sum(np.mean(score[author == one] <= candidate) for one in np.unique(author)) / (number + 1)
        if mass >= level - 1e-12:
            return float(candidate)
    return np.inf


@pytest.mark.parametrize(("authors", "level"), [(12, 0.9), (30, 0.9), (30, 0.5), (10, 0.8)])
def test_where_authors_have_as_many_rows_the_quantile_is_the_hierarchical_one(authors: int, level: float) -> None:
    chance = np.random.default_rng(authors)
    author = np.repeat(np.arange(authors), 20)
    score = np.abs(chance.normal(size=len(author)) + chance.normal(size=authors)[author])
    found = quantile(score, authors, level)
    place = int(np.searchsorted(np.sort(score), hierarchical(score, author, level)))
    assert found in np.sort(score)[place : place + 2], "or the next higher: rows, too, are one more than they are"


def test_rows_count_and_not_authors() -> None:
    """Why every row has one weight: the authors who write much are the noisy ones, and their rows are counted."""
    shares: dict[str, list[float]] = {"ours": [], "by author": [], "rows alone": []}
    for seed in range(60):
        chance = np.random.default_rng(seed)
        drawn = [(np.repeat(np.arange(k), n), n) for k in (25, 300) for n in [sizes(chance, k)]]
        (author, score), (_, new) = (
            (one, np.abs(chance.normal(size=len(one))) * (n**0.5)[one] * np.exp(chance.normal(0, 0.3, len(n)))[one])
            for one, n in drawn
        )
        reach = {
            "ours": quantile(score, 25, LEVEL),
            "by author": hierarchical(score, author, LEVEL),
            "rows alone": float(np.quantile(score, LEVEL)),
        }
        for name, found in reach.items():
            shares[name].append(float(np.mean(new <= found)))
    found = {name: np.mean(values) for name, values in shares.items()}
    assert found["ours"] > LEVEL - 0.02 > found["rows alone"] > found["by author"] + 0.02, found


@pytest.mark.filterwarnings("ignore:the no. of calibration examples")
def test_of_too_few_authors_the_interval_is_the_range() -> None:
    found = fitted(*rows(0, 8)).predict(rows(1, 20)[0])
    assert set(found["lower"]) == {-30} and set(found["upper"]) == {30}


def test_one_author_is_refused() -> None:
    x, y = rows(0, 1)
    with pytest.raises(Refusal, match=r"(?s)the training rows are of 1 group\(s\).*next: "):
        fitted(x, y)


def test_two_authors_are_enough_for_a_prediction() -> None:
    """The interval says that they are too few for the level; a library's warning on the terminal would not."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        found = fitted(*rows(0, 2)).predict(rows(1, 20)[0])
    assert np.isfinite(found["mean"]).all()
    assert (set(found["lower"]), set(found["upper"])) == ({-30.0}, {30.0})


@pytest.mark.parametrize("names", [("a", "hard", "unrelated"), ("cell__a", "cell__b", "unrelated")])
def test_it_stands_over_one_cell(names: tuple[str, ...]) -> None:
    x, y = rows(0, 20)
    with pytest.raises(Misuse, match="stands over one cell"):
        fitted(Matrix(x.values, names, {}, x.groups), y)


def test_rows_without_groups_are_misuse() -> None:
    x, y = rows(0, 20)
    with pytest.raises(Misuse, match="given no groups"):
        fitted(Matrix(x.values, x.names), y)


@pytest.mark.parametrize("level", [0, 1, 90])
def test_a_level_is_a_share(level: float) -> None:
    with pytest.raises(Misuse, match="has 1 error"):
        build("calibrated", "y", SCALAR, {"level": level})
