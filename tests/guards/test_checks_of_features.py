"""Checks of the training set as a whole: rows kept, features that are null, constant, an identifier, or know the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import rankdata, spearmanr

from watertight.checks.base import Found, TableCheck
from watertight.checks.constant_features import ExpectNoConstantFeature
from watertight.checks.identifier_features import ExpectNoIdentifierFeature
from watertight.checks.null_share import ExpectNullShareBelow
from watertight.checks.ridge_strength import by_ridge
from watertight.checks.rows_kept import ExpectRowsKept
from watertight.checks.setting import Setting, judging
from watertight.checks.strength import BINS, by_area, by_bins, by_null, by_rank, ranked
from watertight.checks.suite import Check, judge
from watertight.checks.target_leak import ExpectNoTargetLeak
from watertight.core.contract import Target

SCALAR = Target(kind="scalar", range=(-9, 9))
TARGETS = {
    "y": SCALAR,
    "mood": Target(kind="scalar", range=(0, 8)),
    "kind": Target(kind="class", classes=("a", "b", "c")),
    "image": Target(kind="vector", dimension=3),
}
FEATURES = ("x", "like", "count", "flag", "word", "age", "sparse", "vector")
ROWS, GROUPS = 400, 40


def vectors(values: np.ndarray) -> pl.Series:
    return pl.Series(values.astype(np.float32).tolist(), dtype=pl.List(pl.Float32))


def clean(seed: int = 0) -> pl.DataFrame:
    """Features that say something of the targets, and no more than features do."""
    chance = np.random.default_rng(seed)
    group = np.arange(ROWS) % GROUPS
    y = chance.normal(size=ROWS) + chance.normal(size=GROUPS)[group]
    sparse = np.where(chance.random(ROWS) < 0.3, np.nan, chance.normal(size=ROWS))
    return pl.DataFrame(
        {
            "row_id": [f"r{number}" for number in range(ROWS)],
            "group_id": [f"g{number}" for number in group],
            "split": chance.choice(["train", "test_groups"], GROUPS, p=[0.8, 0.2])[group],
            "synthetic": False,
            "y": y.clip(-9, 9),
            "mood": pl.Series(np.where(chance.random(ROWS) < 0.2, np.nan, chance.integers(0, 9, ROWS))).fill_nan(None),
            "kind": chance.choice(["a", "b", "c"], ROWS, p=[0.5, 0.4, 0.1]),
            "image": vectors(chance.normal(size=(ROWS, 3))),
            "x": chance.normal(size=ROWS),
            "like": y + 0.6 * chance.normal(size=ROWS),
            "count": chance.poisson(4, ROWS),
            "flag": chance.random(ROWS) < 0.2,
            "word": chance.choice(["red", "green", "blue"], ROWS),
            "age": chance.integers(18, 70, GROUPS)[group],
            "sparse": pl.Series(sparse).fill_nan(None),
            "vector": vectors(np.column_stack([chance.normal(size=(ROWS, 5)), 0.5 * y + chance.normal(size=ROWS)])),
        }
    )


def found(check: TableCheck, table: pl.DataFrame, features: tuple[str, ...] = FEATURES, **beside: Any) -> Found:
    flat = table.select(name for name, kind in table.schema.items() if not isinstance(kind, pl.List)).to_pandas()
    with judging(Setting(table, features, TARGETS, **beside)):
        return check.find(flat)


ALL = [ExpectNullShareBelow(), ExpectNoConstantFeature(), ExpectNoIdentifierFeature(), ExpectNoTargetLeak()]


@pytest.mark.parametrize("seed", range(200))
def test_no_false_alarm_on_clean_features(seed: int) -> None:
    table = clean(seed)
    told = {type(check).__name__: found(check, table) for check in ALL}
    told["kept"] = found(ExpectRowsKept(), table, asked=table["row_id"].to_list())
    assert {name: one for name, one in told.items() if not one.ok or one.skipped} == {}


def planted(**columns: Any) -> pl.DataFrame:
    return clean().with_columns(**columns)


Y, MOOD = pl.col("y"), pl.col("mood")
LEAKS = {
    "the target itself": (Y, "y", "rank"),
    "turned round and scaled": (-3 * Y.exp(), "y", "rank"),
    "rounded": (Y.round(0), "y", "rank"),
    "above the middle or not": (Y.median() < Y, "y", "rank"),
    "three levels of it": (Y.qcut(3, labels=["a", "b", "c"]).cast(pl.String), "y", "rank"),
    "three levels in another order": (Y.qcut(3, labels=["b", "c", "a"]).cast(pl.String), "y", "bins"),
    "with noise": (Y + 0.1 * pl.col("x"), "y", "rank"),
    "null where it is low": (pl.when(Y.median() < Y).then(pl.col("x")), "y", "null"),
    "a code of it": (MOOD.replace_strict(dict(enumerate([3, 7, 1, 8, 0, 5, 2, 6, 4])), return_dtype=pl.Int64), "mood", "bins"),
    "a class": (pl.col("kind") == "c", "kind", "area"),
    "a class in words": (pl.col("kind").replace({"a": "z"}), "kind", "bins"),
    "null in a class": (pl.when(pl.col("kind") != "b").then(pl.col("x")), "kind", "null"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_feature_that_knows_the_target_is_named(name: str) -> None:
    leak, target, by = LEAKS[name]
    told = found(ExpectNoTargetLeak(), planted(leaked=leak), (*FEATURES, "leaked"))
    assert list(told.columns) == ["leaked"]
    first = told.figures["strongest"][0]
    assert (first["feature"], first["target"]) == ("leaked", target)
    assert first["strength"] >= 0.95
    assert first["by"] in (by, "area", "bins")


@pytest.mark.parametrize("target", ["y", "kind", "image"])
def test_a_vector_that_holds_the_target_is_named(target: str) -> None:
    table, chance = clean(), np.random.default_rng(1)
    codes = table["kind"].replace_strict({"a": 0, "b": 1, "c": 2}).to_numpy()
    held = {"y": table["y"].to_numpy()[:, None], "kind": np.eye(3)[codes], "image": np.stack(table["image"].to_numpy())}[target]
    beside = 0 if target == "image" else 6
    turned = np.column_stack([held, chance.normal(size=(ROWS, beside))])
    turned = turned @ np.linalg.qr(chance.normal(size=(turned.shape[1], turned.shape[1])))[0]
    told = found(ExpectNoTargetLeak(), table.with_columns(leaked=vectors(turned)), (*FEATURES, "leaked"))
    assert list(told.columns) == ["leaked"]
    assert {(one["target"], one["by"]) for one in told.figures["strongest"] if one["feature"] == "leaked"} >= {(target, "ridge")}


def test_a_vector_that_tells_a_vector_well_is_no_leak_unless_it_is_a_copy() -> None:
    table, chance = clean(), np.random.default_rng(1)
    near = np.stack(table["image"].to_numpy()) + 0.1 * chance.normal(size=(ROWS, 3))
    told = found(ExpectNoTargetLeak(), table.with_columns(near=vectors(near)), (*FEATURES, "near"))
    assert (told.ok, told.figures["strongest"][0]["feature"]) == (True, "near")
    assert list(
        found(ExpectNoTargetLeak(copy_bound=0.95), table.with_columns(near=vectors(near)), (*FEATURES, "near")).columns
    ) == ["near"]


def test_the_bound_is_a_bound_and_the_strongest_are_told() -> None:
    assert found(ExpectNoTargetLeak(), clean()).figures["strongest"][0]["feature"] == "like"
    assert list(found(ExpectNoTargetLeak(bound=0.8), clean()).columns) == ["like"]


def test_only_training_rows_are_judged_and_too_few_groups_are_skipped() -> None:
    apart = pl.when(pl.col("split") == "train").then(pl.col("x")).otherwise(Y)
    assert found(ExpectNoTargetLeak(), planted(leaked=apart), (*FEATURES, "leaked")).ok
    few = clean().with_columns(group_id=pl.col("group_id").str.slice(0, 2))
    assert "fewer than 10 groups" in found(ExpectNoTargetLeak(), few).skipped


def test_what_few_rows_say_is_no_leak() -> None:
    """A flag on a handful of rows may stand beside the highest targets by chance."""
    rare = Y.rank("ordinal", descending=True) <= 6
    assert found(ExpectNoTargetLeak(), planted(leaked=rare), (*FEATURES, "leaked")).ok
    scarce = pl.when(rare).then(Y)
    assert found(ExpectNoTargetLeak(), planted(leaked=scarce), (*FEATURES, "leaked")).ok


@pytest.mark.parametrize("seed", range(10))
def test_strengths_are_what_is_reckoned_one_by_one(seed: int) -> None:
    table = clean(seed)
    names = ["x", "like", "sparse"]
    features = ranked(table.select(names), table["group_id"])
    y = table["y"].to_numpy()
    for place, name in enumerate(names):
        there = table[name].is_not_null().to_numpy()
        x = table[name].to_numpy()[there]
        assert by_rank(features, y)[place] == pytest.approx(abs(spearmanr(x, y[there]).statistic), abs=0.02)
        flag = (table["kind"] == "a").to_numpy().astype(float)
        wins = np.sign(x[flag[there] == 1][:, None] - x[flag[there] == 0][None, :]).mean()
        assert by_area(features, flag)[place] == pytest.approx(abs(wins), abs=1e-9)
    null = table["sparse"].is_null().to_numpy()
    assert by_null(features, y)[2] == pytest.approx(abs(np.sign(y[null][:, None] - y[~null][None, :]).mean()), abs=1e-9)


def test_bins_are_judged_by_the_other_groups() -> None:
    """32 means over 400 rows say a lot of these very rows, and nothing of others."""
    chance = np.random.default_rng(0)
    x, y, group = chance.normal(size=400), chance.normal(size=400), pl.Series([f"g{number % 40}" for number in range(400)])
    bins = np.ceil(rankdata(x) / 400 * BINS)
    seen = np.array([y[bins == one].mean() for one in bins])
    assert np.corrcoef(seen, y)[0, 1] > 0.2
    assert by_bins(ranked(pl.DataFrame({"x": x}), group), y)[0] < 0.1
    bent = by_bins(ranked(pl.DataFrame({"x": x}), group), np.cos(2 * x))[0]
    assert bent > 0.9
    assert by_rank(ranked(pl.DataFrame({"x": x}), group), np.cos(2 * x))[0] < 0.2


def test_a_ridge_that_would_overfit_says_nothing() -> None:
    chance = np.random.default_rng(0)
    block, y, parts = chance.normal(size=(200, 150)).astype(np.float32), chance.normal(size=(200, 1)), np.arange(200) % 5
    assert by_ridge(block, y, parts)[0] < 0.3
    assert by_ridge(block, block[:, :1].astype(float), parts)[0] > 0.95


IDENTIFIERS = {
    "row number": (pl.int_range(pl.len()), "rows"),
    "row number as a float": (pl.int_range(pl.len()).cast(pl.Float32) * 2, "rows"),
    "row id": (pl.col("row_id"), "rows"),
    "hash of the row": (pl.col("row_id").hash(), "rows"),
    "row number, some lost": (pl.when(pl.col("x") > 0).then(pl.int_range(pl.len())), "rows"),
    "group": (pl.col("group_id"), "groups"),
    "group number": (pl.col("group_id").rank("dense"), "groups"),
    "hash of the group": (pl.col("group_id").hash(), "groups"),
}


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_a_feature_that_names_rows_or_groups(name: str) -> None:
    feature, what = IDENTIFIERS[name]
    told = found(ExpectNoIdentifierFeature(), planted(number=feature), (*FEATURES, "number"))
    assert (list(told.columns), told.figures) == (["number"], {"identifies": {"number": what}})


MEASUREMENTS = {
    "a unique float": pl.col("y"),
    "a float per group": pl.col("y").mean().over("group_id"),
    "whole numbers over a wide range": (pl.col("y") * 100_000).round().cast(pl.Int64),
    "two groups share a name": pl.col("group_id").replace({"g1": "g0", "g3": "g2"}),
    "a group with two names": pl.when(pl.col("row_id") == "r0").then(pl.lit("other")).otherwise("group_id"),
}


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_measurement_is_no_identifier(name: str) -> None:
    table = planted(number=MEASUREMENTS[name], split=pl.lit("train"))
    assert found(ExpectNoIdentifierFeature(), table, (*FEATURES, "number")).ok


def test_features_that_are_null() -> None:
    few = pl.when(pl.int_range(pl.len()) < 10).then(pl.col("x"))
    table = planted(never=pl.lit(None, dtype=pl.Float32), nan=pl.lit(float("nan")), few=few, split=pl.lit("train"))
    features = (*FEATURES, "never", "nan", "few")
    assert list(found(ExpectNullShareBelow(), table, features).columns) == ["never", "nan", "few"]
    assert list(found(ExpectNullShareBelow(most=0.975), table, features).columns) == ["never", "nan"]
    assert list(found(ExpectNullShareBelow(most=1.0), table, features).columns) == ["never", "nan"]
    assert found(ExpectNullShareBelow(most=0.2), clean()).columns == ["sparse"]
    lost = planted(vector=pl.lit(None, dtype=pl.List(pl.Float32)))
    assert found(ExpectNullShareBelow(), lost).figures["null_share"]["vector"] == 1.0


def test_features_that_are_constant() -> None:
    train = pl.col("split") == "train"
    table = planted(
        one=pl.lit(1),
        text=pl.lit("same"),
        vector=pl.lit([1.0, 2.0], dtype=pl.List(pl.Float32)),
        elsewhere=pl.when(train).then(0).otherwise(1),
        or_null=pl.when(pl.col("x") > 0).then(1),
        never=pl.lit(None, dtype=pl.Int64),
    )
    features = (*FEATURES, "one", "text", "elsewhere", "or_null", "never")
    assert list(found(ExpectNoConstantFeature(), table, features).columns) == ["vector", "one", "text", "elsewhere"]


@pytest.mark.parametrize(
    ("rows", "named", "figures"),
    [
        (["a", "c"], ["b"], (1, 0, 0)),
        (["a", "b", "c", "d"], ["d"], (0, 1, 0)),
        (["a", "b", "b", "c"], ["b"], (0, 0, 1)),
        (["c", "c", "d"], ["a", "b", "d", "c"], (2, 1, 1)),
        (["c", "b", "a"], [], (0, 0, 0)),
    ],
)
def test_rows_out_are_rows_in(rows: list[str], named: list[str], figures: tuple[int, ...]) -> None:
    [told] = judge("unit", pl.DataFrame({"row_id": rows}), [Check(type="expect_rows_kept")], asked=["a", "b", "c"]).results
    assert (told.status, list(told.row_ids)) == ("fail" if named else "pass", named)
    assert told.figures == dict(zip(("missing", "added", "doubled"), figures))


def test_rows_are_not_kept_where_nobody_said_which() -> None:
    [told] = judge("unit", pl.DataFrame({"row_id": ["a"]}), [Check(type="expect_rows_kept")]).results
    assert (told.status, told.reason) == ("skipped", "the gate was not told which rows were asked")


@pytest.mark.parametrize("check", ALL, ids=lambda check: type(check).__name__)
def test_without_features_or_their_columns_nothing_is_judged(check: TableCheck) -> None:
    assert found(check, clean(), ()).skipped == "there is no feature"
    assert found(check, clean(), ("x", "gone")).skipped == "no column 'gone'"


def said(score: pl.Expr, where: str) -> pl.Expr:
    """What a judge would write, with the score ``where`` the reader may find it."""
    told = {"first": ("I give it a {} out of ", "10."), "last": ("It names 3 of 5 causes. Rating: [[", "{}]]")}[where]
    return pl.format("".join(told), score.round(1)) if where == "last" else pl.format(told[0] + told[1], score.round(1))


@pytest.mark.parametrize("where", ["first", "last"])
def test_the_judges_own_text_is_named(where: str) -> None:
    table = clean().with_columns(
        judgment=said(pl.col("y") + 20, where), answer=pl.format("{} apples, and then {}", "count", "age")
    )
    told = found(ExpectNoTargetLeak(), table, texts=("judgment", "answer"))
    assert list(told.columns) == [f"judgment ({where} number)"]
    assert found(ExpectNoTargetLeak(), table, texts=("answer",)).ok, "numbers that say nothing of the target"
