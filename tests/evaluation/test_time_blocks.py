"""Folds that are blocks of time: what lies between them, what is set aside for it, and that later drops move nothing."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pydantic import ValidationError
from test_split_rows import HELD_OUT, START, big, params, placed, split, table, tables

from watertight.checks.embargo_between_folds import ExpectEmbargoBetweenFolds
from watertight.core.errors import Refusal
from watertight.core.workload import SplitParams
from watertight.evaluation.splitting import Splitting

some = settings(deadline=None, max_examples=60)


@st.composite
def in_time(draw: st.DrawFn) -> SplitParams:
    days = draw(st.sampled_from([0.0, 0.0, 0.5, 3.0]))
    return draw(params()).model_copy(update={"folds_by": "time", "embargo_days": days})


random_tables = given(tables(), in_time())


def done(rows: pl.DataFrame, how: SplitParams) -> Splitting:
    """The split; cases that are refused for want of instants or rows are others' matter."""
    try:
        return split(rows, how)
    except Refusal:
        assume(False)
        raise


@some
@random_tables
def test_an_earlier_fold_is_over_an_embargo_before_a_later_one_begins(rows: pl.DataFrame, how: SplitParams) -> None:
    found = rows.join(done(rows, how).rows, on="row_id").filter(pl.col("split") == "train")
    known = found.with_columns(known=pl.max_horizontal("asked_at", "labelled_at", "created_at"))
    for fold in range(how.folds - 1):
        over = known.filter(pl.col("fold") == fold)["known"].max()
        later = known.filter(pl.col("fold") > fold)["asked_at"].min()
        assert over + timedelta(days=how.embargo_days) < later
    check = ExpectEmbargoBetweenFolds(days=how.embargo_days)
    assert check.find(found.to_pandas()).ok


@some
@random_tables
def test_only_what_lies_outside_its_block_is_set_aside(rows: pl.DataFrame, how: SplitParams) -> None:
    """Against the split by group of the same rows, row by row, with the borders that the groups were given."""
    blocks = done(rows, how)
    plain = split(rows, how.model_copy(update={"folds_by": "group", "embargo_days": 0.0}))
    of_group = {group["group_id"]: group for group in blocks.groups.iter_rows(named=True)}
    told = {row["row_id"]: row for row in rows.join(blocks.rows, on="row_id").iter_rows(named=True)}
    before = dict(plain.rows.select("row_id", "split").iter_rows())

    def outside(row: dict) -> bool:
        group = of_group[row["group_id"]]
        late = group["until"] and max(row["labelled_at"], row["asked_at"]) + timedelta(days=how.embargo_days) >= group["until"]
        return bool(late or (group["since"] and row["asked_at"] < group["since"]))

    for row in told.values():
        trained = before[row["row_id"]] == "train"
        own = [row, *([told[row["parent_id"]]] if row["parent_id"] else [])]
        aside = trained and any(outside(one) for one in own)
        assert row["split"] == ("embargo" if aside else before[row["row_id"]])
        assert row["fold"] == (of_group[row["group_id"]]["group_fold"] if row["split"] == "train" else None)


@some
@random_tables
def test_a_group_is_in_the_block_in_which_it_begins(rows: pl.DataFrame, how: SplitParams) -> None:
    groups = done(rows, how).groups
    own = rows.filter(pl.col("labelled") & pl.col("parent_id").is_null())
    begun = own.filter(pl.col("drop") == pl.col("drop").min().over("group_id")).group_by("group_id").agg(pl.col("asked_at").min())
    for _, since, until, start in (
        groups.join(begun, on="group_id").select("group_fold", "since", "until", "asked_at").iter_rows()
    ):
        assert (since is None or since <= start) and (until is None or start < until)


@some
@random_tables
def test_a_later_drop_moves_no_earlier_row(rows: pl.DataFrame, how: SplitParams) -> None:
    for last in ("drop 0", "drop 1"):
        early = rows.filter(pl.col("drop") <= last)
        first = done(early, how).rows
        whole = done(rows, how).rows
        assert_frame_equal(first, whole.filter(pl.col("row_id").is_in(early["row_id"].to_list())))


@some
@given(tables(), in_time(), st.integers(0, 99))
def test_the_order_of_rows_within_a_drop_does_not_matter(rows: pl.DataFrame, how: SplitParams, seed: int) -> None:
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=seed).sort("drop", maintain_order=True)
    assert_frame_equal(done(shuffled, how).rows.sort("row_id"), done(rows, how).rows.sort("row_id"))


def test_blocks_hold_about_equally_many_rows() -> None:
    """Of groups that begin one after another, as drops of new users do."""
    rows = big(6000, 300).with_columns(number=pl.col("group_id").str.slice(1).cast(pl.Int64))
    late = pl.duration(days=pl.col("number")) + pl.duration(hours=pl.int_range(pl.len()).over("group_id"))
    asked = pl.lit(START) + late
    rows = rows.with_columns(asked_at=asked, labelled_at=asked, created_at=asked).drop("number")
    how = SplitParams(seed=7, folds=5, folds_by="time", embargo_days=2, test_groups=HELD_OUT(share=0.1))
    found = placed(rows, how)
    train = found.filter(pl.col("split") == "train")
    sizes = train["fold"].value_counts()["count"]
    assert sizes.max() - sizes.min() < 0.05 * train.height
    assert found.filter(pl.col("split") == "embargo").height < 0.1 * train.height
    assert (found["split"] == "test_groups").any()


def test_groups_that_all_begin_at_once_are_refused() -> None:
    rows = table([(f"r{number}", None, 0, number, 0, "a", True) for number in range(9)])
    with pytest.raises(Refusal, match=r"begin at 1 instant\(s\), fewer than the 3 folds"):
        split(rows, SplitParams(seed=1, folds=3, folds_by="time"))


def test_an_embargo_longer_than_a_block_is_refused() -> None:
    rows = table([(f"r{number}", None, 0, number, 24 * number, "a", True) for number in range(9)])
    with pytest.raises(Refusal, match=r"fold\(s\) 0, 1 keep no row to train on"):
        split(rows, SplitParams(seed=1, folds=3, folds_by="time", embargo_days=30))


def test_an_embargo_without_blocks_is_no_declaration() -> None:
    with pytest.raises(ValidationError, match="declare folds_by: time"):
        SplitParams(seed=1, folds=3, embargo_days=7)


def test_a_group_that_came_without_labels_is_in_the_block_in_which_its_labelled_rows_begin() -> None:
    """It was put where a hash of its name said, and set aside if that block was over."""
    known = [(f"r{number}", None, 0, number % 6, number, "a", True) for number in range(24)]
    bare = [("bare", None, 0, 7, 0, "a", False), ("told", None, 1, 7, 23, "a", True)]
    rows = table([*known, *bare])
    for seed in range(5):
        found = done(rows, SplitParams(seed=seed, folds=2, folds_by="time"))
        group = found.groups.filter(group_id="g7").row(0, named=True)
        assert group["until"] is None, "the last block"
        assert found.rows.filter(row_id="told")["split"].to_list() == ["train"]
