"""Intervals: SciPy's BCa over groups, the coverage that they promise, and the cases in which there is none."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import bootstrap

from watertight.core.contract import Target
from watertight.core.errors import Refusal
from watertight.core.workload import IntervalParams
from watertight.evaluation import intervals as module
from watertight.evaluation.intervals import Estimate, difference, estimates, intervals
from watertight.evaluation.metrics import METRICS, scored

SCALAR = Target(kind="scalar", range=(-9, 9))
MANY = IntervalParams(resamples=20_000)


def rows(seed: int, groups: int, own: float = 1.0, each: int = 6, grouped: bool = True) -> pl.DataFrame:
    """Clustered data: half of the error, by default, is its group's; groups of different size."""
    chance = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), chance.integers(3, 2 * each - 2, groups))
    size = len(group)
    truth = chance.normal(size=groups)[group] + chance.normal(size=size)
    error = own * chance.normal(size=groups)[group] + chance.normal(size=size)
    return pl.DataFrame(
        {
            "row_id": [f"r{place:05d}" for place in range(size)],
            "group_id": [f"g{number:04d}" for number in (group if grouped else range(size))],
            "y": truth,
            "mean": truth + error,
            "log_variance": np.full(len(truth), -0.5),
            "lower": truth + error - 2,
            "upper": truth + error + 2 + chance.random(size),
        }
    )


def test_intervals_are_scipys_bca_over_groups() -> None:
    made = estimates(scored(rows(1, 60), "y", SCALAR))
    found = intervals(made, MANY)
    for name, one in made.items():

        def statistic(places: np.ndarray, axis: int = -1, one: Estimate = one) -> np.ndarray:
            return one.value(one.statistics[places].sum(axis=-2))

        options = {"method": "BCa", "n_resamples": 20_000, "batch": 500, "random_state": np.random.default_rng(7)}
        expected = bootstrap((np.arange(60),), statistic, vectorized=True, **options).confidence_interval
        told = found[name]
        assert told.low is not None
        assert told.high is not None
        width = expected.high - expected.low
        assert width > 0
        assert told.low == pytest.approx(expected.low, abs=0.04 * width), name
        assert told.high == pytest.approx(expected.high, abs=0.04 * width), name


def covers(low: float | None, high: float | None, true: float) -> bool:
    assert low is not None
    assert high is not None
    return low <= true <= high


def test_grouped_intervals_cover_what_they_promise_and_ungrouped_ones_do_not() -> None:
    """Errors of variance 2, half of it between groups: the true rmse is √2."""
    declared, repeats = IntervalParams(resamples=400), 300
    share = {}
    for grouped in (True, False):
        told = [intervals(estimates(scored(rows(seed, 50, grouped=grouped), "y", SCALAR)), declared) for seed in range(repeats)]
        share[grouped] = np.mean([covers(one["rmse"].low, one["rmse"].high, 2**0.5) for one in told])
    assert 0.90 <= share[True] <= 0.98, share
    assert share[False] < 0.85, share


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    made = estimates(scored(rows(2, 30), "y", SCALAR))
    assert intervals(made, IntervalParams()) == intervals(made, IntervalParams())
    assert intervals(made, IntervalParams())["rmse"] != intervals(made, IntervalParams(seed=1))["rmse"]


def test_a_narrower_confidence_is_within_a_wider_one() -> None:
    made = estimates(scored(rows(2, 30), "y", SCALAR))
    wide, narrow = (intervals(made, IntervalParams(confidence=level))["mae"] for level in (0.99, 0.5))
    assert (wide.low or 9) < (narrow.low or 0) < (narrow.figure or 0) < (narrow.high or 9) < (wide.high or 0)


def test_resamples_draw_groups_with_replacement_and_a_block_is_only_a_matter_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = module.multiplicities(7, range(0, 500), 0)
    assert drawn.shape == (500, 7)
    assert (drawn.sum(axis=1) == 7).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(7), abs=0.15)
    monkeypatch.setattr(module, "BLOCK", 7 * 100)
    sums = module._resampled(np.eye(7), IntervalParams(resamples=250))
    assert sums.shape == (250, 7)
    assert len(np.unique(sums, axis=0)) > 200, "blocks differ"


def test_few_groups_have_a_figure_and_no_interval() -> None:
    for groups, has in ((9, False), (10, True)):
        told = intervals(estimates(scored(rows(3, groups), "y", SCALAR)), IntervalParams())
        assert told["rmse"].figure == pytest.approx(1.4, abs=0.8)
        assert (told["rmse"].low is not None, told["rmse"].high is not None) == (has, has)


def test_groups_without_a_correlation_of_their_own_do_not_count_for_its_interval() -> None:
    made = rows(4, 30).with_columns(mean=pl.when(pl.col("group_id") < "g0009").then("mean").otherwise(0.25))
    told = intervals(estimates(scored(made, "y", SCALAR)), IntervalParams())
    assert told["r_within"].figure is not None
    assert told["r_within"].low is None
    assert told["rmse"].low is not None


def test_what_is_not_defined_or_does_not_vary_has_no_interval() -> None:
    constant = rows(5, 30).with_columns(mean=pl.lit(0.1), lower=pl.lit(-50.0), upper=pl.lit(50.1))
    told = intervals(estimates(scored(constant, "y", SCALAR)), IntervalParams())
    for name in ("r", "r_within", "r_between", "composite"):
        assert (told[name].figure, told[name].low, told[name].high) == (None, None, None)
    assert (told["coverage"].figure, told["coverage"].low) == (1.0, None)
    assert (told["width"].figure, told["width"].low) == (pytest.approx(100.1), None)


def test_a_paired_difference_is_narrower_than_two_intervals_and_knows_its_sign() -> None:
    one = rows(6, 60)
    other = one.with_columns(mean=pl.col("mean") + 0.3)
    found = {record["metric"]: record for record in difference(one, other, "y", SCALAR, IntervalParams())}
    alone = intervals(estimates(scored(one, "y", SCALAR)), IntervalParams())["rmse"]
    rmse = found["rmse"]
    assert list(found) == list(METRICS["scalar"])
    assert rmse["low"] < rmse["figure"] < rmse["high"]
    assert rmse["high"] - rmse["low"] < 0.7 * ((alone.high or 0) - (alone.low or 0))
    other_alone = intervals(estimates(scored(other, "y", SCALAR)), IntervalParams())["rmse"]
    assert rmse["figure"] == pytest.approx((alone.figure or 0) - (other_alone.figure or 0))
    assert (rmse["rows"], rmse["groups"]) == (one.height, 60)
    assert found["r"]["figure"] == pytest.approx(0, abs=1e-12)


def test_a_difference_does_not_depend_on_the_order_of_rows_and_turns_with_its_sides() -> None:
    one, other = rows(7, 30), rows(7, 30).with_columns(mean=pl.col("mean") * 0.8)
    here = difference(one, other, "y", SCALAR, MANY)
    there = difference(other, one.reverse(), "y", SCALAR, MANY)
    for left, right in zip(here, there, strict=True):
        assert left["row_set"] == right["row_set"]
        assert left["figure"] == pytest.approx(-right["figure"], abs=1e-9)
        if left["low"] is not None:
            assert (left["low"], left["high"]) == pytest.approx((-right["high"], -right["low"]), abs=2e-3)


def test_metrics_that_one_side_does_not_give_are_left_out_of_a_difference() -> None:
    found = difference(rows(8, 20), rows(8, 20).drop("lower", "upper"), "y", SCALAR, IntervalParams())
    assert [record["metric"] for record in found] == [name for name in METRICS["scalar"] if name not in ("coverage", "width")]


@pytest.mark.parametrize(
    "change", [lambda table: table[1:], lambda table: table.with_columns(pl.col("y") + 1)], ids=["row", "label"]
)
def test_predictions_of_other_rows_or_labels_are_not_compared(change) -> None:
    one = rows(9, 12)
    other = change(one)
    sets = [scored(table, "y", SCALAR).of.digest for table in (one, other)]
    with pytest.raises(Refusal, match=f"row sets {sets[0]} and {sets[1]}") as caught:
        difference(one, other, "y", SCALAR, IntervalParams())
    assert caught.value.next_step
