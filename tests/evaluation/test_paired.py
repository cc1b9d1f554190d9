"""The test of a promotion: a bootstrap-t against its slow self, how often it is wrong, and when it says nothing."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from watertight.core.contract import Target
from watertight.core.errors import Refusal
from watertight.core.workload import IntervalParams
from watertight.evaluation import paired as module
from watertight.evaluation.intervals import Estimate, difference, estimates, multiplicities, pairs
from watertight.evaluation.metrics import METRICS, scored
from watertight.evaluation.paired import Difference, differences

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "gate_level.py"
SCALAR = Target(kind="scalar", range=(-9, 9))
DECLARED = IntervalParams(resamples=999)
DRAWS, LEVEL = 1000, 0.05


@pytest.fixture(scope="module")
def gate_level() -> Any:
    """The benchmark, whose pairs of models these are."""
    spec = importlib.util.spec_from_file_location("gate_level", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def rows(groups: int = 40, seed: int = 0) -> pl.DataFrame:
    chance = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), chance.integers(3, 12, groups))
    truth = chance.normal(size=groups)[group] + chance.normal(size=len(group))
    named = {"row_id": [f"r{place:05d}" for place in range(len(group))], "group_id": [f"g{one:04d}" for one in group]}
    return pl.DataFrame({**named, "y": truth, "mean": truth + chance.normal(size=groups)[group] + chance.normal(size=len(group))})


def noisier(told: pl.DataFrame, scale: float = 0.6, seed: int = 1) -> pl.DataFrame:
    return told.with_columns(pl.col("mean") + pl.Series(scale * np.random.default_rng(seed).normal(size=told.height)))


def one_of(metric: str, one: pl.DataFrame, other: pl.DataFrame, declared: IntervalParams = DECLARED) -> Difference:
    return differences(one, other, "y", SCALAR, declared, [metric])[metric]


def slow_studentised(pair: Estimate, counts: np.ndarray) -> tuple[float, float]:
    """The figure and its jackknife standard error, from a list of the groups that were drawn."""
    drawn = [statistics for statistics, count in zip(pair.statistics, counts, strict=True) for _ in range(int(count))]
    without = [float(pair.value(np.sum(drawn[:place] + drawn[place + 1 :], axis=0))) for place in range(len(drawn))]
    spread = (len(drawn) - 1) / len(drawn) * sum((one - np.mean(without)) ** 2 for one in without)
    return float(pair.value(np.sum(drawn, axis=0))), spread**0.5


def test_resamples_are_studentised_by_their_own_jackknife(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = rows(25), noisier(rows(25))
    declared = IntervalParams(resamples=100, seed=3)
    made = dict(pairs(estimates(scored(one, "y", SCALAR)), estimates(scored(other, "y", SCALAR))))
    monkeypatch.setattr(module, "WORKED_ON", 3000)
    found = differences(one, other, "y", SCALAR, declared)
    assert set(found) == set(METRICS["scalar"]) - {"nll", "coverage", "width"}
    for metric, told in found.items():
        figure, error = slow_studentised(made[metric], np.ones(25))
        assert (told.figure, told.error) == pytest.approx((figure, error)), metric
        slow = [slow_studentised(made[metric], counts) for counts in multiplicities(25, range(100), 3)[:20]]
        assert told.drawn[:20] == pytest.approx([(here - figure) / apart for here, apart in slow]), metric


def test_bounds_are_beside_those_of_bca_where_groups_are_many() -> None:
    one, other = rows(300), noisier(rows(300))
    declared = IntervalParams(resamples=4000, confidence=0.9)
    bca = {line["metric"]: line for line in difference(one, other, "y", SCALAR, declared)}
    for metric in ("rmse", "mae", "r", "calibration_error", "r_within"):
        told, beside = one_of(metric, one, other, declared), bca[metric]
        assert told.figure == beside["figure"]
        width = beside["high"] - beside["low"]
        assert (told.low(0.95), told.high(0.95)) == pytest.approx((beside["low"], beside["high"]), abs=0.1 * width), metric
        assert (told.rows, told.groups, told.row_set) == tuple(beside[name] for name in ("rows", "groups", "row_set"))


def test_a_p_value_passes_just_where_the_bound_does() -> None:
    one, other = rows(), noisier(rows())
    for metric, lower in (("rmse", True), ("r", False)):
        told = one_of(metric, one, other)
        low, high = told.low(0.95), told.high(0.95)
        assert low is not None
        assert high is not None
        for by in np.linspace(-0.2, 0.2, 81):
            better, worse = told.p_not_better(by), told.p_not_worse(by)
            assert better is not None
            assert worse is not None
            assert (better <= LEVEL) == (-high > by if lower else low > by), (metric, by)
            assert (worse <= LEVEL) == (low > by if lower else -high > by), (metric, by)


def test_what_is_better_for_one_side_is_worse_for_the_other_and_draws_repeat() -> None:
    here, there = one_of("rmse", rows(), noisier(rows())), one_of("rmse", noisier(rows()), rows().reverse())
    assert here.figure == pytest.approx(-(there.figure or 0))
    assert here.p_not_better(0.0) == pytest.approx(there.p_not_worse(0.0))
    assert here.low(0.9) == pytest.approx(-(there.high(0.9) or 0))
    again, another = one_of("rmse", rows(), noisier(rows())), one_of("rmse", rows(), noisier(rows()), IntervalParams(seed=1))
    assert (again.drawn == here.drawn).all()
    assert again.low(0.95) != another.low(0.95)


@pytest.mark.parametrize("metric", ["rmse", "r", "macro_rmse", "calibration_error", "r_within"])
def test_equal_models_are_no_better_and_no_worse(metric: str) -> None:
    told = one_of(metric, rows(), rows())
    assert (told.figure, told.error, told.low(0.95), told.high(0.95)) == (0.0, 0.0, 0.0, 0.0)
    assert (told.p_not_better(0.0), told.p_not_worse(0.0)) == (1.0, 1.0)
    assert (told.p_not_better(-0.01), told.p_not_worse(0.01)) == (0.0, 1.0)


def test_models_that_differ_by_rounding_are_equal() -> None:
    told = differences(rows(), rows().with_columns(pl.col("mean") * 3 / 3 + 1e-16), "y", SCALAR, DECLARED, ["rmse", "mae", "r"])
    assert {(one.figure, one.p_not_better(0.0), one.p_not_worse(0.0)) for one in told.values()} == {(0.0, 1.0, 1.0)}


def test_few_groups_say_nothing() -> None:
    for groups, says in ((9, False), (10, True)):
        told = one_of("rmse", rows(groups), noisier(rows(groups)))
        assert told.figure is not None
        assert {one is not None for one in (told.error, told.low(0.9), told.high(0.9), told.p_not_better(0))} == {says}


def test_a_figure_that_most_resamples_lack_is_not_proven() -> None:
    """One group of 40 alone has predictions that vary: more than a third of the resamples leave it out and have no r."""
    one = rows().with_columns(mean=pl.when(pl.col("group_id") == "g0003").then("y").otherwise(0.5))
    told = one_of("r", one, rows().with_columns(mean=-pl.col("y")))
    assert (told.figure or 0) > 1
    assert told.error is None, "without that group there is no figure"
    two = rows().with_columns(mean=pl.when(pl.col("group_id").is_in(["g0003", "g0004"])).then("y").otherwise(0.5))
    found = one_of("r", two, rows().with_columns(mean=-pl.col("y")))
    assert np.isnan(found.drawn).mean() > 0.1
    assert (found.low(0.95), found.high(0.95)) == (None, None)
    assert (found.p_not_better(0.0) or 0) > 0.1
    constant = one_of("r", rows().with_columns(mean=pl.lit(0.5)), rows())
    assert (constant.figure, constant.error, constant.p_not_better(0.0), constant.low(0.95)) == (None, None, None, None)


def test_a_bound_beyond_what_is_drawn_is_not_told() -> None:
    told = one_of("rmse", rows(), noisier(rows()), IntervalParams(resamples=100))
    assert told.low(0.98) is not None
    assert told.low(0.999) is None


def test_a_group_that_outweighs_the_others_is_not_worth_many() -> None:
    """Equal groups have a degree of freedom each but one; where one has most rows, fewer than two."""
    equal = pl.DataFrame({"group_id": [f"g{place % 20:02d}" for place in range(200)]})
    heavy = equal.with_columns(group_id=pl.when(pl.int_range(pl.len()) < 140).then(pl.lit("g00")).otherwise("group_id"))
    chance = np.random.default_rng(0)
    columns = {name: pl.Series(chance.normal(size=200)) for name in ("y", "mean")}
    found = {}
    for name, table in (("equal", equal), ("heavy", heavy)):
        one = table.with_columns(row_id=pl.int_range(pl.len()).cast(pl.String), **columns)
        found[name] = one_of("rmse", one, noisier(one)).degrees
    assert found["equal"] == pytest.approx(19)
    assert found["heavy"] < 2


def test_a_metric_without_a_direction_has_bounds_and_is_never_better() -> None:
    one = rows().with_columns(lower=pl.col("mean") - 1, upper=pl.col("mean") + 1)
    told = one_of("coverage", one, one.with_columns(upper=pl.col("mean") + 2))
    assert (told.high(0.95) or 0) < 0
    with pytest.raises(ValueError, match="neither lower nor higher"):
        told.p_not_better(0.0)


def test_classes_and_vectors_are_judged_as_scalars_are() -> None:
    chance, base = np.random.default_rng(4), rows().select("row_id", "group_id")
    right = chance.integers(0, 2, base.height)
    sure, torn = (np.where(np.arange(2) == right[:, None], p, 1 - p) for p in (0.9, 0.6))
    classes = base.with_columns(y=pl.Series(np.array(["a", "b"])[right]))
    one, other = (classes.with_columns(probabilities=pl.Series(p.tolist())) for p in (sure, torn))
    told = differences(one, other, "y", Target(kind="class", classes=("a", "b")), DECLARED)
    assert (told["log_loss"].p_not_better(0.1), told["log_loss"].p_not_better(0.5)) == (0.0, 1.0), "the same in every row"
    assert told["accuracy"].p_not_better(0.0) == 1.0
    truth = chance.normal(size=(base.height, 3))
    vectors = base.with_columns(y=pl.Series(truth.tolist()))
    one, other = (
        vectors.with_columns(vector=pl.Series((truth + s * chance.normal(size=truth.shape)).tolist())) for s in (0.1, 1)
    )
    found = differences(one, other, "y", Target(kind="vector", dimension=3), DECLARED)
    assert {name: (each.p_not_better(0.0) or 1) < LEVEL for name, each in found.items()} == dict.fromkeys(
        ("cosine", "rmse", "l1"), True
    )


def test_predictions_of_other_rows_are_refused() -> None:
    with pytest.raises(Refusal, match="of other rows or labels"):
        differences(rows(), rows()[1:], "y", SCALAR, DECLARED)


@pytest.mark.parametrize(("groups", "sizes"), [(20, "equal"), (30, "unequal"), (30, "heavy")])
def test_no_more_than_a_twentieth_of_equal_models_is_let_through(gate_level: Any, groups: int, sizes: str) -> None:
    """Of 1,000 pairs, the share that chance would exceed once in a thousand times is the most."""
    told = gate_level.shares(DRAWS, 199, groups, sizes, "alike")
    most = binom.ppf(0.999, DRAWS, LEVEL) / DRAWS
    assert {metric: share for metric, share in told.items() if share > most} == {}


def test_a_better_model_is_let_through_and_rows_that_are_taken_for_groups_let_through_equal_ones(gate_level: Any) -> None:
    assert min(gate_level.shares(150, 199, 60, "unequal", "better").values()) > 0.8
    chance, wrong = np.random.default_rng(0), 0
    for _ in range(150):
        frames = gate_level.models(chance, 20, "equal", "alike")
        each = [frame.with_columns(group_id="row_id") for frame in frames]
        wrong += (one_of("rmse", *each, IntervalParams(resamples=199)).p_not_better(0.0) or 0) <= LEVEL
    assert wrong / 150 > 0.11
