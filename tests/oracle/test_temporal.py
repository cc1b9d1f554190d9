"""The temporal kernel against the oracle, at every instant that could matter, and against planted leaks."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.made_timelines import (
    INSTANT,
    NAMES,
    START,
    STORY,
    Query,
    as_instants,
    as_labels,
    every_instant,
    examples,
    joined,
    row,
    same,
    timelines,
)
from tests.oracle.temporal_oracle import DAY, HOUR, Row, now_at, state_at
from watertight.features.temporal_now import temporal_now
from watertight.features.temporal_state import temporal_state


def differences(rows: list[Row], state: pl.DataFrame, queries: list[Query], last: int = 10) -> list[str]:
    """Where the oracle and the joined kernel differ: query, column, both values."""
    asof = joined(state, queries)
    seen = pl.concat([asof, temporal_now(asof, asof["t"], NAMES)], how="horizontal")
    wrong = []
    for (key, t), done in zip(queries, seen.iter_rows(named=True), strict=True):
        known = state_at(rows, key, t, NAMES, last)
        stored = dict.fromkeys(state.columns[3:]) | known
        told = stored | now_at(rows, key, t, NAMES, last)
        wrong += [f"{key} {t} {c}: {told[c]} {done[c]}" for c in told if not same(told[c], done[c])]
    return wrong


@examples(150)
@given(rows=timelines(), last=st.sampled_from([1, 3, 10]), more=st.lists(st.integers(0, 30 * DAY)))
def test_the_joined_kernel_equals_the_oracle(rows: list[Row], last: int, more: list[int]) -> None:
    queries = every_instant(rows) + [(key, START + t) for t in more for key in ("ana", "ben")]
    assert differences(rows, temporal_state(as_labels(rows), NAMES, last=last), queries, last) == []


def long_history(size: int, seed: int) -> list[Row]:
    """Rows of two authors over sixty days, by the hour, every fifth corrected once."""
    draw = random.Random(seed)
    rows = []
    for i in range(size):
        asked, key = draw.randrange(60 * 24) / 24, draw.choice(["ana", "ben"])
        labelled = asked + draw.choice([0, 0, 1 / 24, 1, draw.uniform(0, 9)])
        more = {"key": key, "arousal": draw.choice([None, draw.uniform(0, 2)])}
        rows.append(row(f"r{i}", asked, labelled, draw.uniform(-2, 2), **more))
        if i % 5 == 0:
            rows.append(row(f"r{i}", asked, labelled, draw.uniform(-2, 2), created=labelled + 3, **more))
    return rows


def test_the_joined_kernel_equals_the_oracle_over_long_histories() -> None:
    rows = long_history(300, seed=11)
    state = temporal_state(as_labels(rows), NAMES)
    assert state["valence_count"].max() > 100
    assert differences(rows, state, random.Random(12).sample(every_instant(rows), 400)) == []


@examples(75)
@given(rows=timelines())
def test_each_instant_of_news_makes_one_row_that_may_be_used_a_microsecond_later(rows: list[Row]) -> None:
    state = temporal_state(as_labels(rows), NAMES)
    labelled = [row for row in rows if row["labelled_at"] is not None]
    news = sorted({(row["key"], max(row["labelled_at"], row["created_at"])) for row in labelled})
    at = state.select("key", pl.col("event_timestamp", "created_timestamp").dt.epoch("us")).rows()
    assert at == [(key, known_at + 1, known_at) for key, known_at in news]
    assert (state["source_at"] <= state["created_timestamp"].dt.epoch("us")).all()


@examples(75)
@given(rows=timelines(), cut=st.integers(0, 25 * DAY))
def test_what_becomes_known_later_changes_no_bit_of_an_earlier_state(rows: list[Row], cut: int) -> None:
    until = pl.lit(START + cut).cast(INSTANT)
    labels, known_at = as_labels(rows), pl.max_horizontal("labelled_at", "created_at")
    before = temporal_state(labels.filter(known_at <= until), NAMES)
    assert before.equals(temporal_state(labels, NAMES).filter(pl.col("created_timestamp") <= until))


@examples(75)
@given(rows=timelines())
def test_the_order_of_the_rows_and_the_other_keys_are_of_no_account(rows: list[Row]) -> None:
    state = temporal_state(as_labels(rows), NAMES)
    assert state.equals(temporal_state(as_labels(rows[::-1]), NAMES))
    parts = as_labels(rows).sort("key").partition_by("key", maintain_order=True)
    assert not parts or state.equals(pl.concat(temporal_state(part, NAMES) for part in parts))


@examples(40)
@given(rows=timelines())
def test_a_row_gets_the_same_bits_alone_as_in_a_batch(rows: list[Row]) -> None:
    asof = joined(temporal_state(as_labels(rows), NAMES), every_instant(rows))
    batch = temporal_now(asof, asof["t"], NAMES)
    turned = temporal_now(asof[::-1], asof["t"][::-1], NAMES)[::-1]
    picked = range(0, asof.height, 7)
    alone = [temporal_now(asof[i : i + 1], asof["t"][i : i + 1], NAMES) for i in picked]
    assert turned.equals(batch)
    assert pl.concat(alone).equals(batch[list(picked)])


def without_the_microsecond(labels: pl.DataFrame) -> pl.DataFrame:
    state = temporal_state(labels, NAMES)
    return state.with_columns(pl.col("event_timestamp") - pl.duration(microseconds=1))


def two_microseconds(labels: pl.DataFrame) -> pl.DataFrame:
    return temporal_state(labels, NAMES).with_columns(pl.col("event_timestamp") + pl.duration(microseconds=1))


def known_when_asked(labels: pl.DataFrame) -> pl.DataFrame:
    first = labels.sort("created_at").unique("row_id", keep="first")
    return temporal_state(first.with_columns(labelled_at="asked_at", created_at="asked_at"), NAMES)


def corrections_rewrite_the_past(labels: pl.DataFrame) -> pl.DataFrame:
    newest = labels.sort("created_at").unique("row_id", keep="last")
    return temporal_state(newest.with_columns(created_at="labelled_at"), NAMES)


def corrections_are_ignored(labels: pl.DataFrame) -> pl.DataFrame:
    return temporal_state(labels.sort("created_at").unique("row_id", keep="first"), NAMES)


def corrections_are_new_labels(labels: pl.DataFrame) -> pl.DataFrame:
    renamed = pl.col("row_id") + pl.int_range(pl.len()).cast(pl.String)
    return temporal_state(labels.with_columns(renamed), NAMES)


def history_is_shared(labels: pl.DataFrame) -> pl.DataFrame:
    return temporal_state(labels.with_columns(key=pl.lit("ana")), NAMES)


def null_is_zero(labels: pl.DataFrame) -> pl.DataFrame:
    return temporal_state(labels.with_columns(pl.col(NAMES).fill_null(0.0)), NAMES)


MUTANTS = [
    without_the_microsecond,
    two_microseconds,
    known_when_asked,
    corrections_rewrite_the_past,
    corrections_are_ignored,
    corrections_are_new_labels,
    history_is_shared,
    null_is_zero,
]


def test_the_fixed_timeline_agrees_with_the_oracle() -> None:
    assert differences(STORY, temporal_state(as_labels(STORY), NAMES), every_instant(STORY)) == []


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_oracle_catches_the_planted(mutant: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    assert differences(STORY, mutant(as_labels(STORY)), every_instant(STORY)) != []


def test_a_row_labelled_at_the_instant_it_is_asked_does_not_see_its_own_label() -> None:
    labels = as_labels([row("r1", 0, 0, 2.0)])
    own, after = [("ana", START)], [("ana", START + 1)]
    assert joined(temporal_state(labels, NAMES), own)["valence_count"].to_list() == [None]
    assert joined(temporal_state(labels, NAMES), after)["valence_count"].to_list() == [1]
    assert joined(without_the_microsecond(labels), own)["valence_count"].to_list() == [1]


def test_the_created_timestamp_hides_no_state_that_the_event_timestamp_shows() -> None:
    asof = joined(temporal_state(as_labels(STORY), NAMES), every_instant(STORY)).drop_nulls("event_timestamp")
    assert (asof["created_timestamp"] < asof["t"]).all()
    assert (asof["source_at"] < asof["t"].dt.epoch("us")).all()


def test_a_correction_to_null_takes_the_label_back() -> None:
    labels = as_labels([row("r1", 0, 1, 2.0), row("r1", 0, 1, None, created=2)])
    state = temporal_state(labels, ["valence"])
    assert state["valence_count"].to_list() == [1, 0]
    assert state["valence_ema_fast"].to_list() == [2.0, None]
    assert state["valence_last"].to_list() == [[2.0], []]


def test_only_the_last_ten_labels_are_kept_and_windows_see_no_others() -> None:
    labels = as_labels([row(f"r{i:02}", i / 10, i / 10, float(i)) for i in range(30)])
    asof = joined(temporal_state(labels, ["valence"]), [("ana", START + 3 * DAY)])
    now = temporal_now(asof, asof["t"], ["valence"])
    assert asof["valence_last"].to_list() == [[float(i) for i in range(20, 30)]]
    assert now["valence_density_7d"].to_list() == [pytest.approx(10 / 7)]
    assert now["history"].to_list() == [30]


def test_the_variance_stands_far_from_zero() -> None:
    drawn = [1e6 + x for x in np.random.default_rng(7).normal(size=500)]
    labels = as_labels([row(f"r{i:03}", i, i, x) for i, x in enumerate(drawn)])
    told = [statistics.variance(drawn[: i + 1]) for i in range(1, 500)]
    assert temporal_state(labels, ["valence"])["valence_var"].to_list()[1:] == pytest.approx(told, rel=1e-6)


def test_equal_labels_have_no_variance_at_all() -> None:
    labels = as_labels([row(f"r{i:02}", i / 4, i / 4, 0.1) for i in range(20)])
    asof = joined(temporal_state(labels, ["valence"]), [("ana", START + 6 * DAY)])
    assert asof["valence_var"].to_list() == [0.0]
    assert temporal_now(asof, asof["t"], ["valence"])["valence_var_7d"].to_list() == [0.0]


STATE = {"valence_count": pl.Int64, "valence_mean": pl.Float32}
STATE |= {"valence_last": pl.List(pl.Float32), "valence_last_at": pl.List(pl.Int64)}


def state_of(values: list[float], asked: list[int]) -> pl.DataFrame:
    return pl.DataFrame([[len(values), statistics.fmean(values), values, asked]], schema=STATE, orient="row")


def test_windows_are_open_at_both_ends() -> None:
    t = START + 30 * DAY
    state = state_of([1.0, 2.0, 4.0, 9.0], [t - 7 * DAY, t - 7 * DAY + 1, t - 1, t])
    now = temporal_now(state, as_instants([t]), ["valence"]).row(0, named=True)
    assert now["valence_var_7d"] == 2.0  # of 2 and 4
    assert now["valence_density_7d"] == pytest.approx(2 / 7)
    assert now["valence_gap_hours"] == pytest.approx(1 / HOUR)


def test_a_shift_after_decades_is_still_a_number() -> None:
    state = state_of([1.0, 3.0], [START, START + 7 * DAY])
    now = temporal_now(state, as_instants([START + 365 * 40 * DAY]), ["valence"]).row(0, named=True)
    assert now["valence_shift"] == pytest.approx((1 * math.exp(-1) + 3) / (math.exp(-1) + 1) - 2)


@pytest.mark.parametrize("dtypes", [STATE, dict.fromkeys(STATE, pl.Null)], ids=["typed", "untyped"])
def test_no_history_is_null_save_for_counts_and_clock(dtypes: dict[str, Any]) -> None:
    state = pl.DataFrame([[None] * 4], schema=dtypes, orient="row")
    now = temporal_now(state, as_instants([START + 6 * HOUR]), ["valence"])
    assert now.select("valence_var_7d", "valence_shift", "valence_gap_hours").row(0) == (None, None, None)
    assert now.select("valence_density_7d", "history").row(0) == (0.0, 0)
    week = 2 * math.pi * 0.25 / 7
    clock = now.select("hour_sin", "hour_cos", "weekday_sin", "weekday_cos").row(0)
    assert clock == pytest.approx((1, 0, math.sin(week), math.cos(week)), abs=1e-7)


def test_no_rows_make_no_rows_of_the_same_types() -> None:
    some = temporal_state(as_labels(STORY), NAMES)
    none = temporal_state(as_labels([]), NAMES)
    asof, empty = joined(some, [("ana", START + 9 * DAY)]), joined(none, [])
    assert none.height == 0
    assert none.schema == some.schema
    assert temporal_now(empty, empty["t"], NAMES).schema == temporal_now(asof, asof["t"], NAMES).schema


def test_the_types_are_those_promised() -> None:
    state = temporal_state(as_labels(STORY), ["valence"])
    asof = joined(state, [("ana", START + 9 * DAY)])
    lists = {"valence_last": pl.List(pl.Float32), "valence_last_at": pl.List(pl.Int64)}
    figures = dict.fromkeys([f"valence_{x}" for x in ("ema_fast", "ema_slow", "mean", "var")], pl.Float32)
    times = {"event_timestamp": INSTANT, "created_timestamp": INSTANT}
    count, source = {"valence_count": pl.Int64}, {"source_at": pl.Int64}
    assert dict(state.schema) == {"key": pl.String} | times | count | figures | lists | source
    now = dict(temporal_now(asof, asof["t"], ["valence"]).schema)
    assert now.pop("history") == pl.Int64
    assert set(now.values()) == {pl.Float32}


def spoilt(**changes: Any) -> pl.DataFrame:
    """Two versions of one row and another row, with the first version changed."""
    rows = [row("r1", 0, 1, 2.0), row("r1", 0, 1, 1.0, created=2), row("r2", 0, 1, 1.0)]
    return as_labels([rows[0] | changes, *rows[1:]])


FAULTS = [
    ({"labelled_at": START - 1}, "labelled_at is before asked_at"),
    ({"created_at": None}, "created_at is null"),
    ({"key": None}, "key is null"),
    ({"valence": math.nan}, "valence is neither finite nor null"),
    ({"valence": math.inf}, "valence is neither finite nor null"),
    ({"created_at": START + 2 * DAY}, "two versions with one created_at"),
    ({"asked_at": START + 1}, "asked_at differs between versions"),
]


@pytest.mark.parametrize(("changes", "text"), FAULTS)
def test_labels_that_cannot_be_placed_are_refused_by_name(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=f"{text}.*'r1'"):
        temporal_state(spoilt(**changes), NAMES)


def test_all_faults_are_told_together() -> None:
    with pytest.raises(ValueError, match=r"(?s)valence is neither.*labelled_at is before"):
        temporal_state(spoilt(labelled_at=START - 1, valence=math.nan), NAMES)


def test_faults_of_unlabelled_rows_are_no_concern_here() -> None:
    labels = as_labels([row("r1", 0, None, math.nan), row("r1", 1, None, None)])
    assert temporal_state(labels, NAMES).height == 0


def test_columns_that_lack_or_have_another_type_are_named() -> None:
    with pytest.raises(ValueError, match=r"lack the columns \['arousal'\]"):
        temporal_state(as_labels(STORY).drop("arousal"), NAMES)
    naive = as_labels(STORY).with_columns(pl.col("asked_at").dt.replace_time_zone(None))
    with pytest.raises(ValueError, match="asked_at"):
        temporal_state(naive, NAMES)


@pytest.mark.parametrize("wrong", [{"last": 0}, {"fast": 0.0}, {"slow": 1.5}])
def test_parameters_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        temporal_state(as_labels(STORY), NAMES, **wrong)


@pytest.mark.parametrize("names", [[], "valence", ["valence", "valence"]])
def test_names_are_a_list_of_distinct_columns(names: Sequence[str]) -> None:
    with pytest.raises(ValueError, match="distinct label columns"):
        temporal_state(as_labels(STORY), names)


BAD_INSTANTS = [
    as_instants([START, START]),
    pl.Series("t", [None], INSTANT),
    pl.Series("t", [datetime(2024, 3, 4)]),
    pl.Series("t", [START]),
]


@pytest.mark.parametrize("at", BAD_INSTANTS, ids=["two for one", "null", "zoneless", "number"])
def test_instants_that_are_none_are_refused(at: pl.Series) -> None:
    with pytest.raises(ValueError, match="instants"):
        temporal_now(state_of([1.0], [START]), at, ["valence"])


def test_lists_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        temporal_now(state_of([1.0, 2.0], [START]), as_instants([START + 1]), ["valence"])


@pytest.mark.parametrize("unit", ["ms", "ns"])
def test_instants_of_another_unit_are_the_same_instants(unit: Any) -> None:
    t = datetime(2024, 3, 9, 8, 30, tzinfo=UTC) + timedelta(milliseconds=5)
    state, at = state_of([1.0, 2.0], [START, START + DAY]), pl.Series("t", [t], INSTANT)
    told = temporal_now(state, at, ["valence"])
    assert told.equals(temporal_now(state, at.cast(pl.Datetime(unit, "UTC")), ["valence"]))
