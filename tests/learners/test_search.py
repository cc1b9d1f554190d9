"""Search: it finds what is better, inside the rows it was given, and goes on where it was stopped."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import numpy as np
import optuna
import pytest

from watertight.core.cell import Search
from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.learners.catalogue import build
from watertight.learners.family import Learner
from watertight.learners.matrix import Matrix
from watertight.learners.search import Searching

SCALAR = Target(kind="scalar", range=(-9, 9))
ROWS = 60
TREES = Search(trials=6, folds=3, space={"strength": {"low": 0.01, "high": 10_000.0, "log": True}})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATERTIGHT_CACHE", str(tmp_path))
    return tmp_path / "searches"


def rows() -> tuple[Matrix, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(0)
    values = chance.normal(size=(ROWS, 5)).astype(np.float32)
    groups = np.array([f"g{row % 9}" for row in range(ROWS)])
    return Matrix(values, tuple("abcde"), groups=groups), values[:, 0] + chance.normal(scale=0.1, size=ROWS), np.ones(ROWS)


def linear(options: Mapping[str, Any]) -> Learner:
    return build("linear", "y", SCALAR, dict(options))


class Counting:
    """Counts its fits, keeps the groups it was fitted on and predicted, and predicts well the nearer ``strength`` is to 7."""

    seen: list[tuple[float, frozenset[str]]] = []

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.strength = float(options["strength"])

    def fit(self, x: Matrix, y: Any, weight: Any, *, seed: int) -> Self:
        self.seen.append((self.strength, frozenset(x.groups.tolist())))
        return self

    def predict(self, x: Matrix) -> dict[str, np.ndarray]:
        return {"mean": np.full(len(x.values), abs(np.log(self.strength / 7)))}


def test_the_best_of_the_tried_is_taken_and_groups_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "seen", [])
    x, _, weight = rows()
    found = Searching({"family": "counting"}, TREES).best(Counting, x, np.zeros(ROWS), weight, "scalar", 0)
    tried = {strength for strength, _ in Counting.seen}
    assert len(tried) == TREES.trials and len(Counting.seen) == TREES.trials * TREES.folds
    assert found["strength"] == min(tried, key=lambda strength: abs(np.log(strength / 7)))
    assert {len(groups) for _, groups in Counting.seen} == {6}, "each fit leaves out whole groups, three of nine"


def test_a_search_that_was_done_is_not_done_again_and_other_rows_are_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "seen", [])
    x, y, weight = rows()
    searching = Searching({"family": "counting"}, TREES)
    first = searching.best(Counting, x, y, weight, "scalar", 0)
    fits = len(Counting.seen)
    assert searching.best(Counting, x, y, weight, "scalar", 0) == first
    assert len(Counting.seen) == fits
    searching.best(Counting, x, y + 1, weight, "scalar", 0)
    assert len(Counting.seen) == 2 * fits


@pytest.mark.parametrize("death", [1, 4])
def test_a_search_that_was_stopped_asks_what_an_undisturbed_one_asks(
    death: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y, weight = rows()
    searching = Searching({"family": "counting"}, TREES)
    monkeypatch.setattr(Counting, "seen", [])
    undisturbed = searching.best(Counting, x, y, weight, "scalar", 3)
    asked = list(dict.fromkeys(strength for strength, _ in Counting.seen))

    monkeypatch.setenv("WATERTIGHT_CACHE", str(tmp_path / "other"))
    monkeypatch.setattr(Counting, "seen", [])
    fit = Counting.fit

    def dies(self: Counting, *given: Any, **named: Any) -> Any:
        if len(Counting.seen) == death * TREES.folds + 1:
            raise KeyboardInterrupt
        return fit(self, *given, **named)

    monkeypatch.setattr(Counting, "fit", dies)
    with pytest.raises(KeyboardInterrupt):
        searching.best(Counting, x, y, weight, "scalar", 3)
    monkeypatch.setattr(Counting, "fit", fit)
    assert searching.best(Counting, x, y, weight, "scalar", 3) == undisturbed
    assert list(dict.fromkeys(strength for strength, _ in Counting.seen)) == asked
    repeated = [strength for strength, _ in Counting.seen]
    assert len(repeated) == TREES.trials * TREES.folds + 1, "only the trial that was cut off was done again"


def test_a_ridge_is_made_weak_where_the_signal_is_strong() -> None:
    x, y, weight = rows()
    assert Searching({"family": "linear"}, TREES).best(linear, x, y, weight, "scalar", 0)["strength"] < 100


@pytest.mark.parametrize("kind", ["class", "vector"])
def test_losses_of_other_kinds(kind: str) -> None:
    x, y, weight = rows()
    target = {"class": Target(kind="class", classes=("a", "b")), "vector": Target(kind="vector", dimension=2)}[kind]
    truth = (y > 0).astype(int) if kind == "class" else np.column_stack([y, y])
    make = lambda options: build("linear", "y", target, dict(options))  # noqa: E731
    assert Searching({"family": "linear"}, TREES).best(make, x, truth, weight, kind, 0)["strength"] < 1_000


def test_a_search_needs_groups_and_a_space() -> None:
    x, y, weight = rows()
    with pytest.raises(Misuse, match="no groups"):
        Searching({"family": "linear"}, TREES).best(linear, Matrix(x.values, x.names), y, weight, "scalar", 0)
    with pytest.raises(ValueError, match="from low to a higher high"):
        Search(trials=1, space={"strength": {"low": 3, "high": 1}})


def test_trials_without_a_finite_loss_are_counted_and_if_there_are_no_others_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hopeless(Counting):
        def predict(self, x: Matrix) -> dict[str, np.ndarray]:
            return {"mean": np.full(len(x.values), np.nan if self.strength < self.least else 0.0)}

    x, y, weight = rows()
    for least, seed in ((1e9, 0), (1.0, 1)):
        monkeypatch.setattr(Counting, "seen", [])
        monkeypatch.setattr(Hopeless, "least", least, raising=False)
        searching = Searching({"family": "hopeless"}, TREES)
        if least == 1.0:
            assert searching.best(Hopeless, x, y, weight, "scalar", seed)["strength"] >= least
        else:
            with pytest.raises(Refusal, match="none of 6 trials of family 'hopeless' has a finite loss"):
                searching.best(Hopeless, x, y, weight, "scalar", seed)
        assert len({strength for strength, _ in Counting.seen}) == TREES.trials


def asked(searching: Searching, seed: int = 3, learner: Any = Counting) -> tuple[list[float], dict[str, Any]]:
    """Every strength that was fitted, sorted, as often as it was; and what was found."""
    Counting.seen.clear()
    x, _, weight = rows()
    found = searching.best(learner, x, np.zeros(ROWS), weight, "scalar", seed)
    return sorted(strength for strength, _ in Counting.seen), found


def declared(**more: Any) -> Searching:
    return Searching({"family": "counting"}, TREES.model_copy(update={"trials": 16, **more}))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls a function with a cache that has seen nothing."""
    places = iter(range(99))

    def call(what: Any, *given: Any, **named: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setenv("WATERTIGHT_CACHE", str(tmp_path / f"cache {next(places)}"))
            return what(*given, **named)

    return call


def test_a_random_search_asks_the_same_of_the_same_seed_and_other_than_tpe(elsewhere: Any) -> None:
    first, found = elsewhere(asked, declared(sampler="random"))
    assert elsewhere(asked, declared(sampler="random")) == (first, found)
    assert elsewhere(asked, declared(sampler="random"), 4)[0] != first
    assert elsewhere(asked, declared(sampler="tpe"))[0] != first
    near = [abs(np.log(strength / 7)) for strength in elsewhere(asked, declared(sampler="tpe", trials=24))[0]]
    far = [abs(np.log(strength / 7)) for strength in elsewhere(asked, declared(sampler="random", trials=24))[0]]
    assert np.median(near) < np.median(far), "one looks where others did well"


def test_a_hopeless_trial_is_pruned_and_counted_and_never_taken(elsewhere: Any) -> None:
    whole, best = elsewhere(asked, declared())
    short, found = elsewhere(asked, declared(prune=True))
    assert len(whole) == 16 * 3, "16 trials over 3 folds"
    fits = {strength: short.count(strength) for strength in short}
    assert len(fits) == 16 and set(fits.values()) == {1, 3}, "pruned after the first fold, or tried to the end"
    assert found["strength"] in {strength for strength, folds in fits.items() if folds == 3}
    error = lambda strength: abs(np.log(strength / 7))  # noqa: E731
    assert error(found["strength"]) == min(map(error, fits)) and error(best["strength"]) < 1
    assert elsewhere(asked, declared(prune=True)) == (short, found)


class Racing(Counting):
    """Takes its time: whichever of two trials is slower, by ``sign``."""

    sign = 1.0

    def fit(self, x: Matrix, y: Any, weight: Any, *, seed: int) -> Self:
        time.sleep(0.02 if (self.sign * (self.strength - 7)) > 0 else 0.0)
        return super().fit(x, y, weight, seed=seed)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_workers_side_by_side_find_the_same_whoever_is_faster(
    sampler: str, elsewhere: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = declared(sampler=sampler, workers=2, prune=True, trials=15)
    first, found = elsewhere(asked, two, learner=Racing)
    monkeypatch.setattr(Racing, "sign", -1.0)
    assert elsewhere(asked, two, learner=Racing) == (first, found)
    assert len(set(first)) == 15, "the last batch is of one"


@pytest.mark.parametrize("told", range(1, 8))
def test_a_search_of_two_workers_goes_on_wherever_it_stopped(
    told: int, elsewhere: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off before the ``told``-th trial is told: in the middle of a batch, or before one."""
    two = declared(workers=2, prune=True, trials=8)
    undisturbed = elsewhere(asked, two)
    tell, count = optuna.Study.tell, [0]

    def dies(self: optuna.Study, *given: Any, **named: Any) -> Any:
        count[0] += 1
        if count[0] == told:
            raise KeyboardInterrupt
        return tell(self, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(optuna.Study, "tell", dies)
        with pytest.raises(KeyboardInterrupt):
            asked(two)
    before = [strength for strength, _ in Counting.seen]
    after, found = asked(two)
    assert found == undisturbed[1]
    assert set(before) | set(after) == set(undisturbed[0])
    if told % 2 == 0:
        assert sorted([*before, *after]) == undisturbed[0], "what was tried, and not told, is not tried again"


def test_vectors_are_searched_by_rank_and_not_by_their_length() -> None:
    """A model that is nearer in every number and ranks worse is not taken."""
    chance = np.random.default_rng(1)
    y = chance.normal(size=(ROWS, 4))
    x = Matrix(y.astype(np.float32), tuple("abcd"), groups=np.array([f"g{row % 9}" for row in range(ROWS)]))

    class Turned:
        def __init__(self, options: Mapping[str, Any]) -> None:
            self.sure = options["sure"]

        def fit(self, x: Matrix, y: Any, weight: Any, *, seed: int) -> Self:
            return self

        def predict(self, x: Matrix) -> dict[str, np.ndarray]:
            ranked = 100.0 * x.values
            near = x.values + np.random.default_rng(0).normal(scale=1.0, size=x.values.shape)
            return {"vector": ranked if self.sure else near}

    search = Search(trials=6, sampler="random", space={"sure": [True, False]})
    assert Searching({"family": "turned"}, search).best(Turned, x, y, np.ones(ROWS), "vector", 0) == {"sure": True}


@pytest.mark.parametrize("workers", [1, 2])
def test_two_that_search_for_the_same_at_once_find_the_same(workers: int) -> None:
    """Two experiments that share a cache: none gives up the other's trials."""
    declared = Search(trials=6, folds=3, workers=workers, space=TREES.space)
    search = lambda _: Searching({"family": "linear"}, declared).best(linear, *rows(), "scalar", 0)  # noqa: E731
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(search, range(2))
    assert one == other


def test_a_fit_that_does_not_converge_is_a_trial_without_a_loss_and_is_told_where_none_has_one() -> None:
    def refusing(options: Mapping[str, Any]) -> Learner:
        if options["strength"] > 1:
            raise Refusal("it does not converge")
        return linear(options)

    declared = Search(trials=6, folds=3, space={"strength": (0.5, 2.0)})
    assert Searching({"family": "some"}, declared).best(refusing, *rows(), "scalar", 0) == {"strength": 0.5}
    hopeless = Search(trials=2, folds=3, space={"strength": (2.0,)})
    with pytest.raises(
        Refusal, match=r"none of 2 trials .* has a finite loss; the last that was refused: .*it does not converge"
    ):
        Searching({"family": "some"}, hopeless).best(refusing, *rows(), "scalar", 0)
