"""The checks of the gate `model` on made cells: clean ones pass, collapsed, crooked and overconfident ones do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from watertight.checks.suite import Check, judge
from watertight.checks.verdict import CheckResult
from watertight.core.contract import Target

ROWS, GROUPS = 1000, 100
MOOD = Target(kind="scalar", range=(-9, 9))
SIDE = Target(kind="class", classes=("a", "b"))
IMAGE = Target(kind="vector", dimension=3)
COLLAPSE, CALIBRATED = "expect_no_collapse", "expect_calibrated"
COVER, COVER_SLICES = "expect_intervals_to_cover", "expect_intervals_to_cover_slices"


def roles(rows: int = ROWS, groups: int = GROUPS) -> dict[str, Any]:
    place = np.arange(rows)
    return {"row_id": [f"r{n:05d}" for n in place], "group_id": [f"g{n % groups}" for n in place], "fold": place % groups % 5}


def scalar(given: np.ndarray, truth: np.ndarray, **more: Any) -> pl.DataFrame:
    return pl.DataFrame({**roles(len(truth)), "truth": truth, "mean": given, **more})


def noisy(signal: float, seed: int = 0, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated predictions that correlate with the truth by ``signal``, and the truth, of standard deviation 1."""
    chance = np.random.default_rng(seed)
    given = signal * chance.normal(size=rows)
    return given, given + np.sqrt(1 - signal**2) * chance.normal(size=rows)


def ask(kind: str, frame: pl.DataFrame, target: Target = MOOD, **kwargs: Any) -> CheckResult:
    [found] = judge("model", frame, [Check(type=kind, kwargs=kwargs)], targets={"y": target}).results
    return found


@pytest.mark.parametrize("signal", [0.1, 0.3, 0.9])
def test_a_calibrated_model_of_any_strength_has_not_collapsed(signal: float) -> None:
    found = ask(COLLAPSE, scalar(*noisy(signal)))
    assert found.status == "pass"
    assert found.figures["spread"] == pytest.approx(signal, abs=0.05)


def test_two_kinds_of_rows_that_are_told_apart_are_no_collapse() -> None:
    given = np.where(np.arange(ROWS) % 4 == 0, 0.0, 3.0)
    truth = given + np.random.default_rng(1).normal(size=ROWS)
    found = ask(COLLAPSE, scalar(given, truth))
    assert (found.status, found.figures["modal_share"]) == ("pass", 0.75)


def test_a_constant_has_collapsed_even_where_each_fold_has_its_own() -> None:
    _, truth = noisy(0.5)
    for given in (np.full(ROWS, 0.3), 0.5 * (np.arange(ROWS) % GROUPS % 5)):
        found = ask(COLLAPSE, scalar(given, truth))
        assert (found.status, found.columns, found.count) == ("fail", ("y",), ROWS)
        assert found.reason == (
            "y: predictions spread 0.000 of the labels, at least 0.05; 100.0% of them in the modal bin, at most "
            f"{found.figures['most_modal_share']:.1%}"
        )


def test_a_model_that_hardly_moves_has_collapsed() -> None:
    given, truth = noisy(0.5)
    assert ask(COLLAPSE, scalar(given * 0.09, truth)).status == "fail"
    assert ask(COLLAPSE, scalar(given * 0.11, truth)).status == "pass"


def test_a_crowd_beside_a_few_wild_predictions_is_named_row_by_row() -> None:
    given, truth = noisy(0.5)
    wild = np.arange(ROWS) % 33 == 0
    found = ask(COLLAPSE, scalar(np.where(wild, 5 * given, 0.2), truth))
    assert found.figures["spread"] > 0.3
    assert (found.status, set(found.row_ids)) == ("fail", {f"r{n:05d}" for n in np.flatnonzero(~wild)})


def classes(first: np.ndarray, truth: np.ndarray) -> pl.DataFrame:
    sides = np.where(truth, "a", "b")
    return pl.DataFrame({**roles(len(truth)), "truth": sides, "probabilities": np.stack([first, 1 - first], axis=1).tolist()})


def drawn(share: float, width: float, seed: int = 0, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities of class a around ``share``, and whether a came."""
    chance = np.random.default_rng(seed)
    first = np.clip(share + width * chance.normal(size=rows), 0.02, 0.98)
    return first, chance.uniform(size=rows) < first


def test_classes_collapse_in_the_one_that_is_always_predicted() -> None:
    first, truth = drawn(0.8, 0.2)
    assert ask(COLLAPSE, classes(first, truth), SIDE).status == "pass"
    found = ask(COLLAPSE, classes(np.full(ROWS, 0.8), truth), SIDE)
    assert (found.status, found.count, found.figures["spread"]) == ("fail", ROWS, 0.0)
    crowd = np.where(first > 0.15, np.maximum(first, 0.51), first)
    found = ask(COLLAPSE, classes(crowd, truth), SIDE)
    assert (found.status, set(found.row_ids)) == ("fail", {f"r{n:05d}" for n in np.flatnonzero(first > 0.15)})


def vectors(given: np.ndarray, truth: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame({**roles(len(truth)), "truth": truth.tolist(), "vector": given.tolist()})


def test_vectors_collapse_to_one_point() -> None:
    chance = np.random.default_rng(2)
    given = chance.normal(size=(ROWS, 3))
    truth = given + chance.normal(size=(ROWS, 3))
    assert ask(COLLAPSE, vectors(given, truth), IMAGE).status == "pass"
    for collapsed in (np.ones((ROWS, 3)), 1 + 0.05 * given):
        assert ask(COLLAPSE, vectors(collapsed, truth), IMAGE).status == "fail"
    assert ask(CALIBRATED, vectors(given, truth), IMAGE).status == "skipped"


def test_the_spread_is_the_root_mean_square_distance_of_two_rows_of_a_fold() -> None:
    chance = np.random.default_rng(3)
    given, truth = chance.normal(size=(40, 3)), chance.normal(size=(40, 3))
    fold = np.asarray(roles(40)["fold"])

    def slow(values: np.ndarray) -> float:
        squares = [
            ((values[one] - values[other]) ** 2).sum() / np.sum(fold == fold[one])
            for one in range(40)
            for other in range(40)
            if fold[one] == fold[other]
        ]
        return float(np.sqrt(np.sum(squares) / 40))

    found = ask(COLLAPSE, vectors(given, truth), IMAGE)
    assert found.figures["spread"] == pytest.approx(slow(given) / slow(truth), rel=1e-5)


@pytest.mark.parametrize(("shift", "slope"), [(0.5, 1.0), (0.15, 1.0), (0.0, 1.4), (0.0, -1.0)])
def test_predictions_beside_the_truth_are_not_calibrated(shift: float, slope: float) -> None:
    given, truth = noisy(0.7)
    found = ask(CALIBRATED, scalar(slope * given + shift, truth))
    assert (found.status, found.columns) == ("fail", ("y",))
    assert found.figures["slope"] == pytest.approx(1 / slope, abs=0.15)
    assert found.reason.startswith(f"y: calibration error {found.figures['error']:.4f} sd of the labels, at most 0.1 (by chance")


def test_a_small_error_is_let_pass_however_many_rows_prove_it() -> None:
    given, truth = noisy(0.7, rows=100_000)
    found = ask(CALIBRATED, scalar(given + 0.05, truth))
    assert found.status == "pass"
    assert found.figures["by_chance"] < 0.02 < found.figures["error"] < 0.1


def test_an_overconfident_class_is_not_calibrated() -> None:
    first, truth = drawn(0.5, 0.2)
    assert ask(CALIBRATED, classes(first, truth), SIDE).status == "pass"
    sure = np.clip(0.5 + 3 * (first - 0.5), 0.01, 0.99)
    found = ask(CALIBRATED, classes(sure, truth), SIDE)
    assert found.status == "fail"
    assert found.figures["error"] > 0.15


@pytest.mark.parametrize("rows", [100, 1000])
def test_calibrated_cells_raise_no_false_alarm(rows: int) -> None:
    """200 clean cells, of rows alike within their group, at the declared 99 %: two alarms are expected, six are too many."""
    alarms = 0
    for seed in range(200):
        chance = np.random.default_rng(seed)
        given = chance.normal(size=rows)
        alike = chance.normal(size=GROUPS)[np.arange(rows) % GROUPS]
        alarms += ask(CALIBRATED, scalar(given, given + alike + chance.normal(size=rows)), most=0.0).status != "pass"
    assert alarms <= 6


def spans(seed: int, rows: int, alike: float, z: float = 1.6449) -> pl.DataFrame:
    """Intervals of level 0.9 over errors of variance 1, ``alike`` of which a group shares."""
    chance = np.random.default_rng(seed)
    own, shared = chance.normal(size=rows), chance.normal(size=GROUPS)[np.arange(rows) % GROUPS]
    truth = np.sqrt(1 - alike) * own + np.sqrt(alike) * shared
    return scalar(np.zeros(rows), truth, lower=np.full(rows, -z), upper=np.full(rows, z), level=np.full(rows, 0.9))


def test_intervals_that_are_too_narrow_or_too_wide_name_the_rows_that_they_miss() -> None:
    assert ask(COVER, spans(0, 2000, 0.0)).status == "pass"
    for z in (0.5, 1.5, 1.85, 4.0):
        frame = spans(0, 2000, 0.0, z)
        found = ask(COVER, frame)
        missed = frame.filter((pl.col("truth") < pl.col("lower")) | (pl.col("truth") > pl.col("upper")))["row_id"].to_list()
        assert (found.status, list(found.row_ids)) == ("fail", missed), z
        assert found.reason.startswith(f"intervals of level 0.9 cover {found.figures['coverage']:.3f}, between ")


def test_the_bound_widens_with_how_alike_the_rows_of_a_group_are() -> None:
    apart, alike = (ask(COVER, spans(0, 2000, share)).figures for share in (0.0, 0.9))
    assert (apart["plain_low"], apart["plain_high"]) == (alike["plain_low"], alike["plain_high"])
    assert 3 * apart["design_effect"] < alike["design_effect"] < 20
    assert alike["low"] < apart["low"] <= apart["plain_low"] < 0.9 < apart["plain_high"] <= apart["high"] < alike["high"]


def test_groups_whose_rows_hit_and_miss_together_raise_no_false_alarm() -> None:
    """200 clean cells at the declared 99 %; the plain binomial bound, told beside, would have refused many more."""
    found = [ask(COVER, spans(seed, 1000, 0.6)) for seed in range(200)]
    plain = [not told.figures["plain_low"] <= told.figures["coverage"] <= told.figures["plain_high"] for told in found]
    assert sum(told.status != "pass" for told in found) <= 6
    assert sum(plain) > 20


def test_without_intervals_nothing_is_judged() -> None:
    for kind in (COVER, COVER_SLICES):
        found = ask(kind, scalar(*noisy(0.5)))
        assert (found.status, found.reason) == ("skipped", "the cell gives no intervals")


def test_a_slice_that_is_not_covered_is_named_with_its_rows() -> None:
    frame = spans(0, 2000, 0.0).with_columns(pl.Series("slice: language", ["de", "en", "fr", "en"] * 500))
    assert ask(COVER_SLICES, frame).status == "pass"
    narrow = pl.col("slice: language") == "de"
    planted = frame.with_columns(upper=pl.when(narrow).then(1.2).otherwise("upper"))
    found = ask(COVER_SLICES, planted)
    assert (found.status, found.columns) == ("fail", ("language: de",))
    assert set(found.row_ids) == set(frame.filter(narrow)["row_id"])
    assert [line["value"] for line in found.figures["slices"]] == ["de", "en", "fr"]
    assert ask(COVER, planted).status == "pass", "overall it is too little to be seen"


def test_many_clean_slices_raise_no_false_alarm() -> None:
    """200 clean cells of twenty slices each: the bound knows how many there are."""
    alarms = 0
    for seed in range(200):
        cut = pl.Series("slice: topic", [f"t{n % 20:02d}" for n in range(1000)])
        alarms += ask(COVER_SLICES, spans(seed, 1000, 0.0).with_columns(cut)).status != "pass"
    assert alarms <= 6
