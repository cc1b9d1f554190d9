"""Groups and synthetic rows on both sides of a line: the guard names the rows that stand there, and no other."""

from __future__ import annotations

import polars as pl
import pytest
from tiny_project import TRAINING_SET, Change, Refused, TinyProject, where

from watertight.checks.suite import declared, judge
from watertight.core.errors import Refusal

TRAINED = {"a05-0", "a05-1", "a05-2", "a05-3", "a05-1-child"}
ALL = {*TRAINED, "a05-4", "a05-5"}
OTHER_FOLD = (pl.col("fold") + 1) % 5

PLANTED: dict[str, tuple[Change, Refused]] = {
    "an author in two folds": (
        where("a05-2", fold=OTHER_FOLD),
        Refused({"expect_groups_in_one_fold"}, TRAINED),
    ),
    "an author in train and in test_groups": (
        where("a05-3", split="test_groups", fold=None),
        Refused({"expect_test_groups_apart"}, ALL),
    ),
    "an author in train and in a test drop": (
        where("a05-3", split="test_drops", fold=None),
        Refused({"expect_test_groups_apart"}, ALL),
    ),
    "a held-out author in test_future": (
        where("a03-5", split="test_future"),
        Refused({"expect_test_groups_apart"}, {*(f"a03-{number}" for number in range(6)), "a03-1-child"}),
    ),
    "a row of the future too close to training": (
        where("a05-4", split="test_future"),
        Refused({"expect_future_after_training"}, {"a05-4"}),
    ),
    "a row with a fold outside training": (
        where("a05-4", fold=1),
        Refused({"expect_rows_assigned", "expect_groups_in_one_fold"}, {*TRAINED, "a05-4"}),
    ),
    "a row that no split names": (
        where("a08-4", split=None),
        Refused({"expect_rows_assigned"}, {"a08-4"}),
    ),
    "a row that stands twice": (
        lambda rows: pl.concat([rows, rows.filter(pl.col("row_id") == "a08-4")]),
        Refused({"expect_column_values_to_be_unique", "expect_rows_kept"}, {"a08-4"}),
    ),
    "a synthetic child in another fold than its parent": (
        where("a05-1-child", fold=OTHER_FOLD),
        Refused({"expect_children_beside_parents", "expect_groups_in_one_fold"}, TRAINED),
    ),
    "a synthetic child in test beside its parent": (
        where("a08-5-child", split="test_future"),
        Refused({"expect_synthetic_rows_in_training"}, {"a08-5-child"}),
    ),
    "a synthetic child in test, its parent in training": (
        where("a05-1-child", split="test_groups", fold=None, group_id="nobody"),
        Refused(
            {"expect_synthetic_rows_in_training", "expect_children_beside_parents", "expect_history_within_groups"},
            {"a05-1-child", *(f"a05-{number}" for number in range(6))},
        ),
    ),
    "a child trained on, its parent in test": (
        where("a08-5-child", split="train", fold=pl.col("fold").filter(pl.col("row_id") == "a08-0").first()),
        Refused({"expect_children_beside_parents", "expect_future_after_training"}, {"a08-5-child", "a08-5"}),
    ),
    "a child of a row that is not there": (
        where("a05-1-child", parent_id="gone"),
        Refused({"expect_children_beside_parents"}, {"a05-1-child"}),
    ),
    "a synthetic row of no parent": (
        where("a05-1-child", parent_id=None),
        Refused({"expect_synthetic_rows_in_training"}, {"a05-1-child"}),
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_the_guard_names_the_planted_rows(project: TinyProject, name: str) -> None:
    change, told = PLANTED[name]
    project.tamper(TRAINING_SET, change)
    assert project.refused("guard") == told


@pytest.mark.parametrize("name", ["an author in two folds", "an author in train and in test_groups"])
def test_the_gate_of_the_split_itself_names_them_too(built: TinyProject, name: str) -> None:
    change, told = PLANTED[name]
    rows = built.table("data/tiny/checked/rows.parquet").join(built.table("data/tiny/split/split.parquet"), on="row_id")
    with pytest.raises(Refusal) as caught:
        judge("split", change(rows), declared("split", None)).demand()
    assert set(caught.value.rows) == told.rows
    judge("split", rows, declared("split", None)).demand()


def test_a_child_of_a_missing_parent_is_refused_before_anything_is_built_of_it(project: TinyProject) -> None:
    project.tamper("data/tiny/rows/rows.parquet", where("a05-1-child", parent_id="gone"))
    assert project.refused("check") == Refused({"expect_parents_to_exist"}, {"a05-1-child"})


def test_a_child_of_a_child_is_refused(project: TinyProject) -> None:
    project.tamper("data/tiny/rows/rows.parquet", where("a05-1-child", parent_id="a07-0-child"))
    assert project.refused("check") == Refused({"expect_parents_to_exist"}, {"a05-1-child"})


def test_a_child_of_a_quarantined_parent_goes_with_it(project: TinyProject) -> None:
    project.tamper("data/tiny/rows/rows.parquet", where("a05-1", text=None))
    project.execute("check")
    aside = project.table("data/quarantine/tiny/check/made.parquet")
    assert set(aside["row_id"]) == {"a05-1", "a05-1-child"}
    reasons = dict(aside.select("row_id", "reason").iter_rows())
    assert "expect_column_values_to_not_be_null" in reasons["a05-1"]
    assert reasons["a05-1-child"] == "its parent is quarantined"
    kept = project.table("data/tiny/checked/rows.parquet")
    assert set(kept["row_id"]).isdisjoint(aside["row_id"])
    assert kept.height == 74
    project.execute("split")
