"""Splits of random tables: what is promised of every row, whatever came in which drop."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from watertight.core import workload
from watertight.core.digests import unit_interval
from watertight.core.errors import Refusal
from watertight.core.rows import SPLITS
from watertight.core.workload import SplitParams
from watertight.evaluation.splitting import Splitting, split_rows

FUTURE, HELD_OUT = workload.TestFuture, workload.TestGroups
START = datetime(2025, 1, 1, tzinfo=UTC)
SCHEMA = {
    "row_id": pl.String,
    "group_id": pl.String,
    "parent_id": pl.String,
    "asked_at": pl.Datetime("us", "UTC"),
    "labelled_at": pl.Datetime("us", "UTC"),
    "drop": pl.String,
    "kind": pl.String,
    "labelled": pl.Boolean,
}
Fact = tuple[int, int, int, str | None, bool]
"""A row by: drop, group, hours after the start, kind (a stratum), whether it is labelled."""

facts = st.tuples(
    st.integers(0, 2), st.integers(0, 11), st.integers(0, 24 * 40), st.sampled_from(["a", "b", "c", None]), st.booleans()
)


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """Drops in their order; six groups with labelled rows in the first; some rows with a child in their or a later drop."""
    hours = draw(st.lists(st.integers(0, 24 * 40), min_size=24, max_size=24))
    base = [(0, number % 6, at, "aab"[number % 3], True) for number, at in enumerate(hours)]
    parents = [(f"r{number}", None, *fact) for number, fact in enumerate([*base, *draw(st.lists(facts, max_size=40))])]
    picked = draw(st.lists(st.tuples(st.sampled_from(parents), st.integers(0, 2), st.booleans()), min_size=4, max_size=20))
    children = [
        (f"c{number}", parent[0], max(parent[2], late), *parent[3:6], labelled)
        for number, (parent, late, labelled) in enumerate(picked)
    ]
    return table([*parents, *children])


def table(rows: list[tuple]) -> pl.DataFrame:
    """Rows as the split takes them; a label comes at once, a day or ten days after its question."""
    told = []
    for name, parent, drop, group, hours, kind, labelled in sorted(rows, key=lambda row: row[2]):
        asked = START + timedelta(hours=hours)
        known = asked + timedelta(days=(0, 1, 10)[hours % 3]) if labelled else None
        told.append((name, f"g{group}", parent, asked, known, f"drop {drop}", kind, labelled))
    return pl.DataFrame(told, schema=SCHEMA, orient="row").with_columns(created_at=pl.coalesce("labelled_at", "asked_at"))


@st.composite
def params(draw: st.DrawFn) -> SplitParams:
    share = draw(st.sampled_from([0.0, 0.15, 0.3, 0.5]))
    future = FUTURE(share=share, gap_days=draw(st.sampled_from([0.0, 0.5, 7.0])) if share else 0.0)
    held_out = HELD_OUT(share=draw(st.sampled_from([0.0, 0.2, 0.3])))
    return SplitParams(seed=draw(st.integers(0, 5)), folds=draw(st.integers(2, 3)), test_groups=held_out, test_future=future)


def split(rows: pl.DataFrame, how: SplitParams, strata: tuple[str, ...] = ("kind",)) -> Splitting:
    return split_rows(rows, rows, how, list(strata))


def placed(rows: pl.DataFrame, how: SplitParams, strata: tuple[str, ...] = ("kind",)) -> pl.DataFrame:
    return rows.join(split(rows, how, strata).rows, on="row_id", how="left", maintain_order="left")


random_tables = given(tables(), params())
some = settings(deadline=None, max_examples=60)


@some
@random_tables
def test_every_row_has_one_split_and_a_fold_where_it_is_trained_on(rows: pl.DataFrame, how: SplitParams) -> None:
    found = split(rows, how).rows
    assert found["row_id"].to_list() == rows["row_id"].to_list()
    assert set(found["split"]) <= set(SPLITS)
    assert (found["fold"].is_not_null() == (found["split"] == "train")).all()
    assert set(found["fold"].drop_nulls()) <= set(range(how.folds))


@some
@random_tables
def test_a_group_is_in_one_fold_and_held_out_groups_are_apart(rows: pl.DataFrame, how: SplitParams) -> None:
    for _, group in placed(rows, how).group_by("group_id"):
        assert group["fold"].drop_nulls().n_unique() <= 1
        parts = set(group["split"])
        assert "test_groups" not in parts or not parts & {"train", "test_future"}


@some
@random_tables
def test_the_gap_lies_between_training_and_future_of_each_group(rows: pl.DataFrame, how: SplitParams) -> None:
    found = placed(rows, how)
    train = found.filter(pl.col("split") == "train").group_by("group_id")
    train = train.agg(last=pl.col("asked_at").max(), known=pl.col("labelled_at").max())
    future = found.filter(pl.col("split") == "test_future").group_by("group_id").agg(first=pl.col("asked_at").min())
    both = future.join(train, on="group_id", how="left")
    assert both["last"].null_count() == 0, "a group with a future has a past"
    assert (both["first"] - both["last"] >= timedelta(days=how.test_future.gap_days)).all()
    assert (both["first"] > both["last"]).all()
    assert (both["first"] > both["known"]).all(), "every label that was learnt from was known by then"


@some
@random_tables
def test_unlabelled_rows_are_unlabelled_and_no_others(rows: pl.DataFrame, how: SplitParams) -> None:
    found = placed(rows, how)
    assert ((found["split"] == "unlabelled") == ~found["labelled"]).all()


@some
@random_tables
def test_children_are_beside_parents_in_training_and_set_aside_elsewhere(rows: pl.DataFrame, how: SplitParams) -> None:
    found = {row["row_id"]: row for row in placed(rows, how).iter_rows(named=True)}
    for row in found.values():
        if row["parent_id"] and row["labelled"]:
            parent = found[row["parent_id"]]
            beside = ("train", parent["fold"]) if parent["split"] == "train" else ("embargo", None)
            assert (row["split"], row["fold"]) == beside


@some
@random_tables
def test_children_decide_nothing_about_other_rows(rows: pl.DataFrame, how: SplitParams) -> None:
    """Where none is balanced over folds by its rows: strata count rows, children too."""
    alone = rows.filter(pl.col("parent_id").is_null())
    groups = split(alone, how).groups.join(split(rows, how).groups, on="group_id", how="left", maintain_order="left")
    known = groups.filter(pl.col("held_out") == pl.col("held_out_right"))
    assert known["future_from"].equals(known["future_from_right"], null_equal=True)


@some
@random_tables
def test_a_later_drop_moves_no_earlier_row(rows: pl.DataFrame, how: SplitParams) -> None:
    whole = split(rows, how)
    for last in ("drop 0", "drop 1"):
        early = rows.filter(pl.col("drop") <= last)
        assert_frame_equal(split(early, how).rows, whole.rows.filter(pl.col("row_id").is_in(early["row_id"].to_list())))


@some
@given(tables(), params(), st.integers(0, 99))
def test_the_order_of_rows_within_a_drop_does_not_matter(rows: pl.DataFrame, how: SplitParams, seed: int) -> None:
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=seed).sort("drop", maintain_order=True)
    assert_frame_equal(split(shuffled, how).rows.sort("row_id"), split(rows, how).rows.sort("row_id"))
    assert_frame_equal(split(shuffled, how).groups, split(rows, how).groups)


@some
@random_tables
def test_the_future_begins_where_counting_says(rows: pl.DataFrame, how: SplitParams) -> None:
    """The first of the last share of a group's labelled rows in the drop in which it first had any; not of children."""
    gap, share = timedelta(days=how.test_future.gap_days), Fraction(str(how.test_future.share))
    for name, held_out, begins in split(rows, how).groups.select("group_id", "held_out", "future_from").iter_rows():
        own = rows.filter((pl.col("group_id") == name) & pl.col("labelled") & pl.col("parent_id").is_null())
        first = min(own["drop"], default="")
        times = sorted(own.filter(pl.col("drop") == first).select("asked_at", "labelled_at").rows())
        kept = math.ceil(len(times) * (1 - share))
        expected = times[kept][0] if kept < len(times) and not held_out else None
        trained = [asked for asked, known in times if expected and asked < expected - gap and known < expected]
        assert begins == (expected if trained else None)


@some
@given(params(), st.integers(0, 30))
def test_a_group_that_comes_late_goes_where_its_name_says(how: SplitParams, late: int) -> None:
    first = [(f"r{group}", None, 0, group, 0, "a", True) for group in range(6)]
    rows = table([*first, ("late", None, 1, 100 + late, 0, None, True)])
    name = f"g{100 + late}"
    held_out = unit_interval(how.seed, "test_groups", name) < how.test_groups.share
    fold = int(unit_interval(how.seed, "fold", name) * how.folds)
    expected = ("test_groups", None) if held_out else ("train", fold)
    assert placed(rows, how).filter(pl.col("row_id") == "late").select("split", "fold").row(0) == expected


def big(rows: int, groups: int, seed: int = 0) -> pl.DataFrame:
    chance = np.random.default_rng(seed)
    group = chance.integers(0, groups, size=rows)
    hours = chance.integers(0, 24 * 365, size=rows)
    kind = np.array(["en", "de", "hi"])[np.minimum(group % 10 // 4, 2)]
    asked = [START + timedelta(hours=int(passed)) for passed in hours]
    return pl.DataFrame(
        {
            "row_id": [f"r{number}" for number in range(rows)],
            "group_id": [f"g{number}" for number in group],
            "parent_id": pl.Series([None] * rows, dtype=pl.String),
            "asked_at": asked,
            "labelled_at": asked,
            "created_at": asked,
            "drop": "first",
            "kind": kind,
            "labelled": True,
        }
    )


HOW = SplitParams(seed=7, folds=5, test_groups=HELD_OUT(share=0.15), test_future=FUTURE(share=0.15, gap_days=7))


def test_strata_are_balanced_over_folds_and_held_out_groups() -> None:
    found = placed(big(6000, 300), HOW)
    whole = dict(found["kind"].value_counts(normalize=True).iter_rows())
    for fold in range(HOW.folds):
        part = found.filter(pl.col("fold") == fold)
        assert part.height == pytest.approx(found.filter(pl.col("split") == "train").height / HOW.folds, rel=0.15)
        for kind, share in part["kind"].value_counts(normalize=True).iter_rows():
            assert share == pytest.approx(whole[kind], abs=0.05)
    groups = found.group_by("group_id").agg(pl.col("kind").first(), out=(pl.col("split") == "test_groups").any())
    for kind, total, out in groups.group_by("kind").agg(pl.len(), pl.col("out").sum()).iter_rows():
        assert out == round(total * 0.15), f"{kind}: of the groups of each stratum the share is held out"


@pytest.mark.parametrize("kinds", [["a"] * 8, list("abcdefgh"), ["a", "a", "a", "a", "a", "b", "c", None]])
def test_strata_that_are_rarer_than_folds_are_no_hindrance(kinds: list[str | None]) -> None:
    rows = table([(f"r{group}", None, 0, group, 0, kind, True) for group, kind in enumerate(kinds)])
    how = SplitParams(seed=1, folds=5)
    assert set(placed(rows, how)["fold"]) == set(range(5)), "no fold is empty"


@some
@given(st.integers(2, 9), st.integers(1, 9))
def test_fewer_groups_than_folds_are_refused_and_as_many_are_not(folds: int, groups: int) -> None:
    rows = table([(f"r{group}", None, 0, group, 0, "a", True) for group in range(groups)])
    how = SplitParams(seed=1, folds=folds)
    if groups >= folds:
        assert set(placed(rows, how)["fold"]) == set(range(folds))
        return
    with pytest.raises(Refusal, match=f"{groups} group.* left to train on, fewer than the {folds} folds"):
        split(rows, how)


def test_a_first_drop_without_labels_is_refused() -> None:
    rows = table([(f"r{group}", None, 0, group, 0, "a", False) for group in range(9)])
    with pytest.raises(Refusal, match="0 group"):
        split(rows, HOW)


def test_the_seed_decides() -> None:
    rows = big(400, 60)
    assert split(rows, HOW).rows.equals(split(rows, HOW).rows)
    assert not split(rows, HOW).rows.equals(split(rows, HOW.model_copy(update={"seed": 8})).rows)


def test_a_hundred_thousand_rows_are_split_in_seconds() -> None:
    rows = big(100_000, 10_000)
    began = time.process_time()
    assert split(rows, HOW).rows.height == 100_000
    assert time.process_time() - began < 30


@some
@random_tables
def test_a_drop_declared_a_test_set_is_tested_on_and_decides_nothing_about_other_rows(
    rows: pl.DataFrame, how: SplitParams
) -> None:
    """Parents and children of one drop stay in it, or a child would be set aside with its parent."""
    parents = rows.filter(pl.col("parent_id").is_null())
    given = how.model_copy(update={"test_drops": ("drop 1",)})
    found = placed(parents, given)
    own = found.filter(pl.col("drop") == "drop 1")
    assert set(own.filter(pl.col("labelled"))["split"]) <= {"test_drops"}
    rest = parents.filter(pl.col("drop") != "drop 1")
    assert_frame_equal(split(rest, how).rows, found.filter(pl.col("drop") != "drop 1").select("row_id", "split", "fold"))


def test_nothing_is_split_where_every_drop_is_a_test_set() -> None:
    rows = table([(f"r{number}", None, 0, number % 6, number, "a", True) for number in range(12)])
    with pytest.raises(Refusal, match="every drop is declared a test set"):
        split(rows, SplitParams(seed=0, folds=2, test_drops=("drop 0",)))


def test_a_child_that_comes_in_a_test_drop_is_not_trained_on_whatever_its_parent() -> None:
    rows = [(f"r{number}", None, 0, number % 6, number, "a", True) for number in range(12)]
    child = ("child", "r3", 1, 3, 3, "a", True)
    found = placed(table([*rows, child]), SplitParams(seed=0, folds=2, test_drops=("drop 1",)))
    assert found.filter(row_id="child")["split"].to_list() == ["embargo"]
