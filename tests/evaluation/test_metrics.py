"""Metrics: sums over groups give what the definitions, scikit-learn and SciPy give, for the rows and for any resample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
import slow_metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr, spearmanr
from sklearn import metrics as sk

from watertight.core.calibration import tenths
from watertight.core.contract import Target
from watertight.core.digests import row_set_digest
from watertight.core.errors import Refusal
from watertight.evaluation.metrics import METRICS, Scored, by_row, metrics_of, outputs, scored
from watertight.evaluation.row_sets import RowSet, as_array, row_set

SCALAR = Target(kind="scalar", range=(-9, 9))
CLASSES = Target(kind="class", classes=("low", "middle", "high"))
VECTOR = Target(kind="vector", dimension=3)

numbers = st.floats(-100, 100).map(lambda value: round(value, 3))
vectors = st.integers(1, 8).flatmap(lambda rows: st.tuples(*[arrays(float, (rows, 3), elements=numbers)] * 2))
chances = st.integers(1, 20).flatmap(lambda rows: arrays(float, (rows, 3), elements=st.floats(0.01, 1)))


def of(kind: str, truth: np.ndarray, group: np.ndarray | None = None) -> RowSet:
    _, first, place = np.unique(np.zeros(len(truth)) if group is None else group, return_index=True, return_inverse=True)
    return RowSet(kind, np.asarray(truth, dtype=float), place, first, "")


def value(name: str, found: Scored) -> float:
    metric = METRICS[found.of.kind][name]
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(metric.value(metric.statistics(found).sum(axis=0)))


@st.composite
def scalars(draw: st.DrawFn) -> Scored:
    """Rows of a few groups, with few different values now and then: ties, and groups that do not vary."""
    rows = draw(st.integers(1, 30))
    some = draw(st.sampled_from([numbers, st.sampled_from([0.1, 0.2, 0.7])]))
    truth, mean, lower = (draw(arrays(float, rows, elements=some)) for _ in range(3))
    group = draw(arrays(int, rows, elements=st.integers(0, 5)))
    log_variance = draw(arrays(float, rows, elements=st.floats(-2, 5)))
    return Scored(of("scalar", truth, group), {"mean": mean, "lower": lower, "upper": lower + 1, "log_variance": log_variance})


def again(found: Scored, times: list[int]) -> Scored:
    """The rows of a resample, each drawn group as a group of its own."""
    copies = [(np.flatnonzero(found.of.group == group), group) for group, count in enumerate(times) for _ in range(count)]
    places = np.concatenate([rows for rows, _ in copies])
    group = np.repeat(np.arange(len(copies)), [len(rows) for rows, _ in copies])
    taken = {name: values[places] for name, values in found.outputs.items()}
    return Scored(of(found.of.kind, found.of.truth[places], group), taken)


@given(scalars())
def test_scalar_metrics_are_what_their_definitions_say(found: Scored) -> None:
    assert set(METRICS["scalar"]) == set(slow_metrics.SCALAR)
    for name, slow in slow_metrics.SCALAR.items():
        assert value(name, found) == pytest.approx(slow(found), abs=1e-6, nan_ok=True), name


@given(scalars(), st.data())
def test_sums_over_a_resample_of_groups_are_the_metric_of_its_rows(found: Scored, data: st.DataObject) -> None:
    """But for bins and ranks, which stay those of all rows."""
    times = data.draw(st.lists(st.integers(0, 3), min_size=found.of.groups, max_size=found.of.groups).filter(any))
    drawn = again(found, times)
    for name in set(slow_metrics.SCALAR) - {"calibration_error", "macro_rmse", "spearman"}:
        metric = METRICS["scalar"][name]
        with np.errstate(divide="ignore", invalid="ignore"):
            summed = metric.value(np.array([times, times], dtype=float) @ metric.statistics(found))
        assert summed == pytest.approx([slow_metrics.SCALAR[name](drawn)] * 2, abs=1e-6, nan_ok=True), name


def test_correlation_keeps_its_digits_far_from_zero() -> None:
    chance = np.random.default_rng(1)
    truth = chance.normal(size=200)
    mean = truth + chance.normal(size=200)
    group = np.arange(200) // 10
    near = Scored(of("scalar", truth, group), {"mean": mean})
    far = Scored(of("scalar", truth + 1e6, group), {"mean": 1e-3 * mean - 1e5})
    for name in ("r", "r_within", "r_between", "composite"):
        assert value(name, far) == pytest.approx(value(name, near), abs=1e-6)
    assert value("r", near) == pytest.approx(pearsonr(truth, mean).statistic, abs=1e-12)


@pytest.mark.parametrize("constant", [0.1, 1 / 3, 1e6 + 0.7])
def test_a_correlation_with_what_does_not_vary_is_not_a_number(constant: float) -> None:
    varied = np.random.default_rng(2).normal(size=31)
    group = np.arange(31) % 4
    for truth, mean in ((varied, np.full(31, constant)), (np.full(31, constant), varied)):
        found = Scored(of("scalar", truth, group), {"mean": mean})
        assert all(math.isnan(value(name, found)) for name in ("r", "r_within", "r_between", "composite"))


def test_groups_of_two_rows_and_groups_that_do_not_vary_have_no_correlation_of_their_own() -> None:
    truth = [1, 2, 1, 2, 3, 1, 2, 3, 4, 4, 4]
    mean = [2, 1, 1, 2, 3, 1, 3, 2, 1, 2, 3]
    group = [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    found = Scored(of("scalar", np.array(truth), np.array(group)), {"mean": np.array(mean, dtype=float)})
    assert value("r_within", found) == pytest.approx((1 + 0.5) / 2)


@given(scalars(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(found: Scored, chance: Any) -> None:
    order = list(range(found.of.rows))
    chance.shuffle(order)
    moved = {name: values[order] for name, values in found.outputs.items()}
    shuffled = Scored(of("scalar", found.of.truth[order], found.of.group[order]), moved)
    for name in METRICS["scalar"]:
        assert value(name, shuffled) == pytest.approx(value(name, found), abs=1e-9, nan_ok=True)


def test_each_tenth_of_the_truth_counts_the_same_in_a_resample_too() -> None:
    """Errors of 1 on the many low rows, of 7 on the one high row; two groups, of which one has low rows alone."""
    truth = np.array([0.0, 0.5, 0.9, 0.2, 10.0])
    found = Scored(of("scalar", truth, np.array([0, 0, 0, 1, 1])), {"mean": truth + np.array([1, 1, 1, 1, 7])})
    assert value("macro_rmse", found) == pytest.approx(5.0)
    metric = METRICS["scalar"]["macro_rmse"]
    drawn = metric.value(np.array([[2.0, 0.0], [1.0, 2.0]]) @ metric.statistics(found))
    assert drawn == pytest.approx([1.0, 5.0])


def test_a_resample_keeps_the_ranks_of_all_rows() -> None:
    truth, mean = np.array([1.0, 2.0, 2.0, 50.0]), np.array([3.0, 1.0, 4.0, 9.0])
    found = Scored(of("scalar", truth, np.array([0, 0, 1, 2])), {"mean": mean})
    metric = METRICS["scalar"]["spearman"]
    assert value("spearman", found) == pytest.approx(spearmanr(truth, mean).statistic)
    ranks = np.array([[1, 2], [2.5, 1], [2.5, 3], [4, 4]])[[0, 1, 3, 3]]
    drawn = metric.value(np.array([1.0, 0.0, 2.0]) @ metric.statistics(found))
    assert drawn == pytest.approx(pearsonr(*ranks.T).statistic)


def test_bins_are_of_equal_count_and_equal_predictions_share_one() -> None:
    assert np.bincount(tenths(np.random.default_rng(3).permutation(57.0 * np.arange(57)))).tolist() == [
        6,
        6,
        6,
        5,
        6,
        6,
        5,
        6,
        6,
        5,
    ]
    assert tenths(np.array([0.5, 0.1, 0.5, 0.5])).tolist() == [2, 0, 2, 2]
    assert tenths(np.full(40, 0.3)).tolist() == [0] * 40


@given(vectors)
def test_vector_metrics(both: tuple[np.ndarray, np.ndarray]) -> None:
    truth, predicted = both
    found = Scored(of("vector", truth), by_row(truth, {"vector": predicted}))
    assert value("l1", found) == pytest.approx(sk.mean_absolute_error(truth.ravel(), predicted.ravel()))
    assert value("rmse", found) == pytest.approx(math.sqrt(sk.mean_squared_error(truth.ravel(), predicted.ravel())))
    expected = [sk.pairwise.cosine_similarity(one[None], other[None])[0, 0] for one, other in zip(truth, predicted, strict=True)]
    assert value("cosine", found) == pytest.approx(np.mean(expected), abs=1e-9)


def test_a_zero_vector_is_like_nothing() -> None:
    truth = np.array([[0.0, 0.0], [1.0, 0.0]])
    found = Scored(of("vector", truth), by_row(truth, {"vector": np.array([[1.0, 0.0], [1.0, 0.0]])}))
    assert value("cosine", found) == 0.5


@given(chances, st.randoms(use_true_random=False))
def test_class_metrics(raw: np.ndarray, chance: Any) -> None:
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    truth = np.array([chance.randrange(3) for _ in raw])
    found = Scored(of("class", truth), {"probabilities": probabilities})
    assert value("log_loss", found) == pytest.approx(sk.log_loss(truth, probabilities, labels=[0, 1, 2]))
    assert value("accuracy", found) == pytest.approx(sk.accuracy_score(truth, probabilities.argmax(axis=1)))
    told = probabilities.argmax(axis=1)
    assert value("macro_f1", found) == pytest.approx(sk.f1_score(truth, told, average="macro"))
    assert value("calibration_error", found) == pytest.approx(slow_metrics.top_label_calibration_error(found), abs=1e-9)


def test_a_true_class_that_was_held_impossible_costs_much_but_not_everything() -> None:
    found = Scored(of("class", np.array([0])), {"probabilities": np.array([[0.0, 1.0]])})
    assert value("log_loss", found) == pytest.approx(-math.log(1e-12))


@pytest.mark.parametrize("kind", [pl.List(pl.Float32), pl.Array(pl.Float64, 2)])
def test_columns_as_numbers(kind: pl.DataType) -> None:
    assert as_array(pl.Series(["high", "low"]), CLASSES.classes or ()).tolist() == [2, 0]
    assert as_array(pl.Series([1, 2])).tolist() == [1.0, 2.0]
    assert as_array(pl.Series([[1.0, 2.0], [3.0, 4.0]]).cast(kind)).tolist() == [[1.0, 2.0], [3.0, 4.0]]


def beside(**columns: list[Any]) -> pl.DataFrame:
    """Four rows of three groups."""
    return pl.DataFrame({"row_id": ["a", "b", "c", "d"], "group_id": ["h", "h", "g", "i"], "y": [1.0, 2.0, 3.0, 5.0], **columns})


def test_a_row_set_knows_its_groups_and_which_rows_it_is() -> None:
    rows = beside()
    found = row_set(rows, "y", SCALAR)
    assert (found.rows, found.groups, found.digest) == (4, 3, row_set_digest(rows, "y"))
    assert found.group.tolist() == [1, 1, 0, 2]
    assert found.group[found.first].tolist() == [0, 1, 2]
    parts = (rows, rows.reverse(), rows[:3], rows.with_columns(pl.col("y") * 2), rows.with_columns(mean=0.0))
    assert len({row_set(part, "y", SCALAR).digest for part in parts}) == 3, "neither order nor predictions belong to it"


def test_metrics_are_those_that_the_outputs_allow() -> None:
    mean = beside(mean=[1.0, 2.5, 3.0, 4.0], lower=[None] * 4, log_variance=[None] * 4, weights=[[0.5]] * 4)
    assert list(outputs(mean, "scalar")) == ["mean"]
    assert {"nll", "coverage", "width"}.isdisjoint(metrics_of("scalar", outputs(mean, "scalar")))
    both = mean.with_columns(lower=pl.lit(0.0), upper=pl.lit(4.0), log_variance=pl.lit(-1.0))
    assert list(metrics_of("scalar", outputs(both, "scalar"))) == list(METRICS["scalar"])
    assert value("coverage", scored(both, "y", SCALAR)) == 0.75


def test_an_output_that_is_there_for_some_rows_only_is_refused() -> None:
    with pytest.raises(Refusal, match="lack 'mean' in some rows") as caught:
        outputs(beside(mean=[1.0, None, 3.0, None]), "scalar")
    assert caught.value.rows == ("b", "d")
    with pytest.raises(Refusal, match="lack 'log_variance' in some rows") as caught:
        outputs(beside(mean=[1.0] * 4, log_variance=[0.0, 0.0, float("-inf"), 0.0]), "scalar")
    assert caught.value.rows == ("c",)
    with pytest.raises(Refusal, match="lack 'mean'"):
        outputs(beside(), "scalar")
