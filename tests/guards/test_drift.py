"""Drift beside the reference profile: gross and mild faults are named, a clean drop passes, nothing to compare is told."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from drops import FEATURES, NEW, answered, changed, drops

DRIFT = ("features", "labels", "embeddings")
SOME = pl.int_range(pl.len()) % 10
VECTOR = pl.col("v__vector")


def check(what: str) -> str:
    return f"expect_{what}_unchanged"


FEATURE_FAULTS = {
    "shifted by three": ("v__size", NEW, pl.col("v__size") + 3),
    "shifted by one": ("v__size", NEW, pl.col("v__size") + 1.0),
    "another unit": ("v__size", NEW, pl.col("v__size") * 1000),
    "wider": ("v__size", NEW, pl.col("v__size") * 3),
    "a fifth in another unit": ("v__size", NEW & (SOME < 2), pl.col("v__size") * 1000 + 5000),
    "null": ("v__size", NEW, None),
    "a third null": ("v__size", NEW & (SOME < 3), None),
    "constant": ("v__share", NEW, 0.5),
    "no longer zero": ("v__share", NEW & (SOME < 6), pl.col("v__share") + 0.1),
    "counted twice": ("v__count", NEW, pl.col("v__count") * 2 + 1),
    "flipped": ("v__flag", NEW, ~pl.col("v__flag")),
    "a third set": ("v__flag", NEW & (SOME < 4), True),
    "a new class": ("v__kind", NEW & (SOME < 3), "strange"),
    "a class gone": ("v__kind", NEW, pl.col("v__kind").replace({"a": "c"})),
    "vectors lost": ("v__vector", NEW & (SOME < 4), None),
}


@pytest.mark.parametrize("fault", FEATURE_FAULTS)
def test_a_feature_that_drifted_is_named_and_no_other(fault: str) -> None:
    name, where, to = FEATURE_FAULTS[fault]
    found = answered(check("features"), changed(drops(), where, **{name: to}))
    assert (found.status, found.columns) == ("fail", (name,))
    told = found.figures["columns"][name]
    assert told["psi"] >= 0.25
    assert told["p_adjusted"] <= 0.01


def test_it_names_the_new_rows_of_the_class_that_grew() -> None:
    frame = changed(drops(), NEW & (SOME < 3), v__kind="strange")
    found = answered(check("features"), frame)
    assert list(found.row_ids) == frame.filter(NEW & (pl.col("v__kind") == "strange"))["row_id"].to_list()


def test_it_names_the_new_rows_of_the_bin_that_grew() -> None:
    frame = drops()
    top = float(frame.filter(~NEW)["v__size"].max())  # type: ignore[arg-type]
    frame = changed(frame, NEW & (SOME < 4), v__size=top + pl.int_range(pl.len()))
    assert list(answered(check("features"), frame).row_ids) == frame.filter(NEW & (pl.col("v__size") > top))["row_id"].to_list()


def test_several_drift_and_the_worst_comes_first() -> None:
    found = answered(check("features"), changed(drops(), v__size=pl.col("v__size") + 1, v__flag=~pl.col("v__flag"), v__share=9.0))
    assert set(found.columns) == {"v__size", "v__flag", "v__share"}
    assert found.columns[0] == "v__share"
    assert found.reason.startswith("3 of 6 columns drifted, most v__share")


@pytest.mark.parametrize("what", DRIFT)
def test_twenty_clean_drops_pass(what: str) -> None:
    assert {answered(check(what), drops(seed)).status for seed in range(20)} == {"pass"}


def test_two_hundred_clean_drops_pass_whatever_the_size_of_the_effect() -> None:
    """The level alone bounds the false alarms: no bound on the effect helps it here."""
    failed = sum(answered(check("features"), drops(seed, 60, 30), psi=0.0, level=0.05).status == "fail" for seed in range(200))
    assert failed <= 20  # 10 expected at most; more than 20 come once in a thousand


def test_an_effect_alone_is_no_drift() -> None:
    """Four new groups differ in many bins by chance: an index without a test would call it drift."""
    found = answered(check("features"), drops(3, 60, 14).filter(~NEW | pl.col("group_id").is_in(["g62", "g63"])))
    assert found.status == "pass"
    assert max(told["psi"] for told in found.figures["columns"].values()) > 0.25


def test_one_strange_author_makes_no_drift() -> None:
    frame = drops().filter(~NEW | (pl.col("group_id") == "g200"))
    frame = changed(frame, v__size=pl.lit(50.0), v__flag=True, v__kind="strange")
    assert answered(check("features"), frame).status == "pass"
    assert "fewer than two groups" in answered(check("embeddings"), frame).reason


def test_a_feature_of_the_past_may_be_left_out() -> None:
    frame = changed(drops(), v__size=pl.col("v__size") + 3).rename({"v__size": "history__size"})
    frame = frame.with_columns(v__size=pl.col("v__count").cast(pl.Float64))
    assert answered(check("features"), frame, views=["v"]).status == "pass"
    assert "no scalar feature" in answered(check("features"), frame, views=["other"]).reason


def test_synthetic_rows_are_on_neither_side() -> None:
    frame = changed(drops(), NEW & (SOME < 5), v__size=pl.lit(99.0), synthetic=True)
    assert answered(check("features"), frame).status == "pass"


@pytest.mark.parametrize("what", [*DRIFT, "text"])
@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (None, "no reference profile is frozen: watertight profile WORKLOAD"),
        (("old", "new"), "every row is of the reference profile's drops"),
        (("gone",), "no row is of the reference profile's drops: gone"),
    ],
)
def test_with_nothing_to_compare_it_is_skipped(what: str, reference: tuple[str, ...] | None, reason: str) -> None:
    kwargs = {"column": "text"} if what == "text" else {}
    found = answered(check(what), drops(), reference, **kwargs)
    assert (found.status, found.reason) == ("skipped", reason)


TEXT_FAULTS = {
    "twice as long": ({"text.words"}, NEW, pl.col("text") + " " + pl.col("text")),
    "cut short": ({"text.words"}, NEW & (SOME < 6), pl.col("text").str.slice(0, 6)),
    "spanish": ({"text.common_words"}, NEW & (SOME < 5), pl.col("text").str.replace_all(r"\w+", "palabra")),
    "hindi": ({"text.common_words", "text.script"}, NEW & (SOME < 3), pl.col("text").str.replace_all(r"\w+", "मन")),
    "null": ({"text.words", "text.common_words", "text.script"}, NEW & (SOME < 3), None),
}


@pytest.mark.parametrize("fault", TEXT_FAULTS)
def test_a_text_that_drifted_is_told_by_its_measure(fault: str) -> None:
    named, where, to = TEXT_FAULTS[fault]
    found = answered("expect_text_unchanged", changed(drops(), where, text=to), column="text")
    assert found.status == "fail"
    assert named <= set(found.columns)
    assert "text.script" in named or "text.script" not in found.columns


def test_clean_texts_pass() -> None:
    assert {answered("expect_text_unchanged", drops(seed), column="text").status for seed in range(20)} == {"pass"}


def test_a_sample_of_texts_tells_the_same() -> None:
    frame = changed(drops(), NEW & (SOME < 5), text=pl.lit("мир и ещё раз мир"))
    assert "text.script" in answered("expect_text_unchanged", frame, column="text", most=200).columns


LABEL_FAULTS = {
    "all better": ("mood", NEW, pl.col("mood") + 1.0),
    "much better": ("mood", NEW, pl.lit(2.9)),
    "another scale": ("mood", NEW, pl.col("mood") / 10),
    "one class less": ("kind", NEW & (pl.col("kind") == "z"), "x"),
    "always one class": ("kind", NEW & pl.col("kind").is_not_null(), "y"),
}


@pytest.mark.parametrize("fault", LABEL_FAULTS)
def test_a_target_that_drifted_is_named_and_no_other(fault: str) -> None:
    name, where, to = LABEL_FAULTS[fault]
    found = answered(check("labels"), changed(drops(), where, **{name: to}))
    assert (found.status, found.columns) == ("fail", (name,))


def test_labels_that_are_not_there_are_no_drift() -> None:
    assert answered(check("labels"), changed(drops(), NEW & (SOME < 5), mood=None)).status == "pass"
    found = answered(check("labels"), changed(drops(), mood=None, kind=None))
    assert (found.status, found.reason) == ("skipped", "no scalar or class target is labelled on both sides")


def moved(by: float, where: pl.Expr = NEW) -> pl.DataFrame:
    """The drops with vectors moved along every other axis."""
    frame = drops()
    step = pl.Series(np.tile(by * (np.arange(16) % 2), (frame.height, 1)).astype(np.float32)).cast(pl.List(pl.Float32))
    return frame.with_columns(step=step).with_columns(v__vector=pl.when(where).then(VECTOR + pl.col("step")).otherwise(VECTOR))


@pytest.mark.parametrize(("by", "where"), [(5.0, NEW), (0.6, NEW), (3.0, NEW & (SOME < 6))], ids=["gross", "mild", "a new topic"])
def test_vectors_that_drifted_are_named_with_the_strangest_rows(by: float, where: pl.Expr) -> None:
    frame = moved(by, where)
    found = answered(check("embeddings"), frame)
    assert (found.status, found.columns) == ("fail", ("v__vector",))
    assert set(found.row_ids) <= set(frame.filter(where)["row_id"]) and len(found.row_ids) == 20
    told = found.figures["columns"]["v__vector"]
    assert 0.65 < told["low"] <= told["auc"] <= told["high"] <= 1


def test_the_bound_is_one_on_the_effect() -> None:
    assert answered(check("embeddings"), moved(0.6), auc=0.95).status == "pass"


def test_vectors_alone_are_asked_of_the_embeddings_and_scalars_of_the_features() -> None:
    assert answered(check("features"), moved(5.0)).status == "pass"
    assert answered(check("embeddings"), changed(drops(), v__size=pl.lit(99.0))).status == "pass"
    assert answered(check("embeddings"), drops().drop("v__vector")).reason == "no column of vectors to compare"
    assert "no scalar feature" in answered(check("features"), drops().drop(FEATURES)).reason
