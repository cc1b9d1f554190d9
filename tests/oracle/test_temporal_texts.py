"""The kernel of labelled texts against the oracle, at every instant that could matter, and against planted leaks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

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
    as_labels,
    every_instant,
    examples,
    joined,
    row,
    same,
    timelines,
)
from tests.oracle.temporal_oracle import DAY, Row, texts_at
from watertight.features.temporal_state import temporal_state
from watertight.features.temporal_texts import temporal_texts

VECTORS = pl.List(pl.Float32)
WIDTH = 3


def with_texts(rows: Sequence[Row], seed: int) -> list[Row]:
    """The same rows, each version with the vector of a text of its own, every fifth or so without."""
    draw = random.Random(seed)
    return [row | {"vector": None if draw.random() < 0.2 else _vector(draw)} for row in rows]


def _vector(draw: random.Random) -> list[float]:
    """Multiples of 1/8192: a mean of two of the encoder's."""
    return [draw.choice([-8192, 8192, 0, draw.randint(-8192, 8192)]) / 8192 for _ in range(WIDTH)]


def vectors_of(rows: Sequence[Row]) -> pl.Series:
    return pl.Series("vector", [row["vector"] for row in rows], dtype=VECTORS)


def labels_of(rows: Sequence[Row]) -> pl.DataFrame:
    return as_labels([{name: value for name, value in row.items() if name != "vector"} for row in rows])


def folded(rows: Sequence[Row]) -> pl.DataFrame:
    return temporal_texts(labels_of(rows), vectors_of(rows), NAMES)


def differences(rows: Sequence[Row], state: pl.DataFrame, queries: Sequence[Query]) -> list[str]:
    """Where the oracle and the joined kernel differ: query, column, both values. Vectors are compared to the bit."""
    wrong = []
    for (key, t), done in zip(queries, joined(state, queries).iter_rows(named=True), strict=True):
        told = dict.fromkeys(state.columns[3:]) | texts_at(rows, key, t, NAMES)
        wrong += [f"{key} {t} {c}: {told[c]} {done[c]}" for c in told if not same(told[c], done[c])]
    return wrong


@examples(150)
@given(rows=timelines(), seed=st.integers(0, 99))
def test_the_joined_kernel_equals_the_oracle(rows: list[Row], seed: int) -> None:
    said = with_texts(rows, seed)
    assert differences(said, folded(said), every_instant(said)) == []


@examples(75)
@given(rows=timelines(), seed=st.integers(0, 99))
def test_counts_means_and_times_are_those_of_the_history_bit_for_bit(rows: list[Row], seed: int) -> None:
    texts = folded(with_texts(rows, seed)).drop(f"{name}_text" for name in NAMES)
    assert texts.equals(temporal_state(as_labels(rows), NAMES).select(texts.columns))


@examples(75)
@given(rows=timelines(), seed=st.integers(0, 99), cut=st.integers(0, 25 * DAY))
def test_what_becomes_known_later_changes_no_bit_of_an_earlier_row(rows: list[Row], seed: int, cut: int) -> None:
    said = with_texts(rows, seed)
    early = [row for row in said if row["labelled_at"] and max(row["labelled_at"], row["created_at"]) <= START + cut]
    until = pl.lit(START + cut).cast(INSTANT)
    assert folded(early).equals(folded(said).filter(pl.col("created_timestamp") <= until))


@examples(75)
@given(rows=timelines(), seed=st.integers(0, 99))
def test_the_order_of_the_rows_and_the_other_keys_are_of_no_account(rows: list[Row], seed: int) -> None:
    said = with_texts(rows, seed)
    state = folded(said)
    assert state.equals(folded(said[::-1]))
    parts = [folded([row for row in said if row["key"] == key]) for key in ("ana", "ben", "cleo")]
    assert state.equals(pl.concat(parts))


# The fixed timeline: r3 has no text, until a correction brings one; that of r1 brings another than the first version had.
DRAW = random.Random(4)
SAID = [row | {"vector": _vector(DRAW)} for row in STORY]
SAID[2]["vector"] = None


def without_the_microsecond(rows: Sequence[Row]) -> pl.DataFrame:
    return folded(rows).with_columns(pl.col("event_timestamp") - pl.duration(microseconds=1))


def known_when_asked(rows: Sequence[Row]) -> pl.DataFrame:
    times = [row | {"labelled_at": row["asked_at"], "created_at": row["asked_at"]} for row in rows if row["labelled_at"]]
    return folded(list({row["row_id"]: row for row in times}.values()))


def corrections_keep_the_first_text(rows: Sequence[Row]) -> pl.DataFrame:
    first = {row["row_id"]: row["vector"] for row in rows[::-1]}
    return folded([row | {"vector": first[row["row_id"]]} for row in rows])


def corrections_are_ignored(rows: Sequence[Row]) -> pl.DataFrame:
    return folded(list({row["row_id"]: row for row in rows[::-1]}.values()))


def no_text_is_a_zero_vector(rows: Sequence[Row]) -> pl.DataFrame:
    return folded([row | {"vector": row["vector"] or [0.0] * WIDTH} for row in rows])


def every_text_counts(rows: Sequence[Row]) -> pl.DataFrame:
    """The mean over all known texts, whichever label they bear."""
    texts = folded([row | dict.fromkeys(NAMES, 1.0) for row in rows])
    return folded(rows).with_columns(texts[f"{name}_text"] for name in NAMES)


def texts_are_shared(rows: Sequence[Row]) -> pl.DataFrame:
    return folded([row | {"key": "ana"} for row in rows])


def texts_of_others(rows: Sequence[Row]) -> pl.DataFrame:
    return temporal_texts(labels_of(rows), vectors_of(rows).reverse(), NAMES)


MUTANTS = [
    without_the_microsecond,
    known_when_asked,
    corrections_keep_the_first_text,
    corrections_are_ignored,
    no_text_is_a_zero_vector,
    every_text_counts,
    texts_are_shared,
    texts_of_others,
]


def test_the_fixed_timeline_agrees_with_the_oracle() -> None:
    assert differences(SAID, folded(SAID), every_instant(SAID)) == []


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_oracle_catches_the_planted(mutant: Callable[[Sequence[Row]], pl.DataFrame]) -> None:
    found = differences(SAID, mutant(SAID), every_instant(SAID))
    assert any("_text" in difference for difference in found)


def test_a_row_labelled_at_the_instant_it_is_asked_does_not_see_its_own_text() -> None:
    rows = [row("r1", 0, 0, 2.0) | {"vector": [0.5, -0.25, 0.0]}]
    own, after = [("ana", START)], [("ana", START + 1)]
    assert joined(folded(rows), own)["valence_text"].to_list() == [None]
    assert joined(folded(rows), after)["valence_text"].to_list() == [[0.5, -0.25, 0.0]]
    assert joined(without_the_microsecond(rows), own)["valence_text"].to_list() == [[0.5, -0.25, 0.0]]


def test_nothing_that_is_known_at_an_instant_or_later_is_in_what_is_seen_then() -> None:
    """The texts that may not be seen yet are marked; no mark shows."""
    for key, t in every_instant(STORY):
        marked = [one | {"vector": [float(bool(one["labelled_at"]) and _known(one) >= t)] * WIDTH} for one in STORY]
        seen = joined(folded(marked), [(key, t)])
        assert {part for name in NAMES for part in seen[f"{name}_text"].explode()} <= {0.0, None}


def _known(row: Row) -> int:
    return max(row["labelled_at"], row["created_at"])


def test_a_label_without_a_text_is_counted_and_has_no_part_in_the_mean() -> None:
    rows = [row("r1", 0, 1, 2.0) | {"vector": [1.0]}, row("r2", 0, 2, 1.0) | {"vector": None}]
    state = folded(rows)
    assert state["valence_count"].to_list() == [1, 2]
    assert state["valence_text"].to_list() == [[1.0], [1.0]]
    assert state["arousal_text"].to_list() == [None, None]


def test_the_mean_of_many_texts_is_rounded_once() -> None:
    """The sum of a hundred thousand is exact; in Float32 it would have lost its last places."""
    size = 100_000
    labels = as_labels([row(f"r{i:06}", 0, i / 10**6, 1.0) for i in range(size)])
    state = temporal_texts(labels, pl.Series([[4095 / 4096, 1 / 4096]] * size, dtype=VECTORS), ["valence"])
    assert state["valence_text"].unique().to_list() == [[4095 / 4096, 1 / 4096]]


def test_no_rows_make_no_rows_and_no_texts_make_nulls_of_the_same_types() -> None:
    some, none = folded(SAID), folded([])
    assert none.height == 0
    assert none.schema == some.schema
    mute = folded([row | {"vector": None} for row in STORY])
    assert mute.schema == some.schema
    assert mute["valence_text"].null_count() == mute.height > 0


@pytest.mark.parametrize("vectors", [[[1.0]], [[1.0], [1.0, 2.0]]], ids=["one for two", "of two lengths"])
def test_vectors_that_do_not_fit_are_refused(vectors: list[list[float]]) -> None:
    labels = as_labels([row("r1", 0, 1, 2.0), row("r2", 0, 2, 1.0)])
    with pytest.raises(ValueError, match="2 rows of labels need as many vectors of one length"):
        temporal_texts(labels, pl.Series(vectors, dtype=VECTORS), ["valence"])


def test_labels_that_cannot_be_placed_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"labelled_at is before asked_at.*'r1'"):
        folded([row("r1", 1, 0, 2.0) | {"vector": [1.0]}])
    with pytest.raises(ValueError, match="distinct label columns"):
        temporal_texts(as_labels([]), pl.Series([], dtype=VECTORS), "valence")
