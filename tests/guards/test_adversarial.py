"""Adversarial validation: a test split that a classifier tells from train is named with what gives it away."""

from __future__ import annotations

import polars as pl
import pytest

from drops import answered, changed, drops

TYPE = "expect_train_like_test"
TEST = pl.col("split") == "test_groups"
SOME = pl.int_range(pl.len()) % 10


def placed(seed: int = 0, split: str = "test_groups") -> pl.DataFrame:
    """Train and test rows; ten groups stand on both sides, as in test_future."""
    return drops(seed).with_columns(split=pl.when(pl.col("drop") == "new").then(pl.lit(split)).otherwise(pl.lit("train")))


FAULTS = {
    "shifted": ("v__size", TEST, pl.col("v__size") + 5),
    "mildly shifted": ("v__size", TEST, pl.col("v__size") + 1.5),
    "null": ("v__count", TEST & (SOME < 7), None),
    "wider": ("v__size", TEST, pl.col("v__size") * 8),
    "a class of its own": ("v__kind", TEST & (SOME < 7), "strange"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_split_of_another_kind_is_found(fault: str) -> None:
    name, where, to = FAULTS[fault]
    frame = changed(placed(), where, **{name: to})
    found = answered(TYPE, frame)
    assert found.status == "fail"
    assert 0.7 < found.figures["low"] <= found.figures["auc"] <= found.figures["high"] <= 1
    assert len(found.row_ids) == 20
    assert set(found.row_ids) <= set(frame.filter(TEST)["row_id"])
    if fault != "wider":  # symmetric, so by itself the feature orders nothing
        assert found.columns[0] == name


def test_the_rows_named_are_those_that_look_strange() -> None:
    frame = changed(placed(), TEST & (SOME < 7), v__count=None)
    assert set(answered(TYPE, frame).row_ids) <= set(frame.filter(TEST & pl.col("v__count").is_null())["row_id"])


@pytest.mark.parametrize("split", ["test_groups", "test_future"])
def test_clean_splits_pass(split: str) -> None:
    """Ten of each, with interval above one half no more than once; far from the bound of 0.7."""
    found = [answered(TYPE, placed(seed, split), split=split) for seed in range(10)]
    assert {one.status for one in found} == {"pass"}
    assert sum(one.figures["low"] > 0.5 for one in found) <= 1


def test_authors_do_not_give_themselves_away() -> None:
    """A feature that says who wrote tells the sides apart perfectly on known groups, and not at all on others."""
    frame = placed().with_columns(v__size=pl.col("group_id").hash(7).cast(pl.Float64))
    assert answered(TYPE, frame).status == "pass"


def test_what_cannot_be_judged_is_skipped() -> None:
    assert answered(TYPE, placed(), split="test_future").reason == "fewer than two groups in train or in test_future"
    assert (
        answered(TYPE, placed().drop("v__size", "v__share", "v__count", "v__flag", "v__kind")).reason
        == "no scalar feature to compare"
    )
    assert answered(TYPE, placed().drop("group_id")).reason == "no column 'group_id'"


def test_synthetic_rows_are_not_looked_at() -> None:
    assert answered(TYPE, changed(placed(), TEST & (SOME < 5), v__size=pl.lit(99.0), synthetic=True)).status == "pass"
