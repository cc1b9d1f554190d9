"""Rows that come again: repeats, late labels and corrections, against the obvious way to do it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from watertight.core.contract import DTYPES, SourceContract
from watertight.core.errors import Refusal
from watertight.core.versions import CHANGED, NOT_LATER, TAKEN_BACK, first_versions, merged, version_faults

CONTRACT = SourceContract.model_validate(
    {
        "about": "answers",
        "group": "prompt_id",
        "keys": ["prompt_id"],
        "text": ["text"],
        "targets": {"score": {"kind": "scalar", "range": [0, 1]}, "image": {"kind": "vector", "dimension": 2}},
    }
)
NOON = datetime(2025, 5, 3, 12, tzinfo=UTC)
SCHEMA = {name: DTYPES[kind] for name, kind in CONTRACT.column_types().items()}
Fact = tuple[str, str, float | None, int]
"""A version by: row_id, text, score, hours after noon at which it was known."""


def drop(name: str, *facts: Fact) -> pl.DataFrame:
    return pl.DataFrame([told(name, *fact) for fact in facts], schema=SCHEMA)


def told(name: str, row: str, text: str, score: float | None, hours: int) -> dict[str, Any]:
    known = NOON + timedelta(hours=hours)
    label = {"score": score, "labelled_at": known, "image": [score, 1.0]} if score is not None else {}
    given = {"row_id": row, "group_id": "p", "prompt_id": "p", "text": text, "asked_at": NOON, "created_at": known}
    return {**dict.fromkeys(SCHEMA), **given, **label, "synthetic": False, "weight": 1.0, "drop": name}


facts = st.tuples(
    st.sampled_from("abcd"), st.sampled_from(["t", "t", "t", "u"]), st.sampled_from([None, 0.0, 1.0]), st.integers(0, 3)
)
parts = st.lists(st.lists(facts, max_size=5), min_size=1, max_size=4)


def again(known: list[tuple[str, Fact]], place: int) -> bool:
    """Whether a version says what the one before it said: text and score."""
    return place > 0 and known[place][1][1:3] == known[place - 1][1][1:3]


def by_hand(given: list[list[Fact]]) -> tuple[dict[str, list[tuple[str, Fact]]], dict[str, str]]:
    """Each row's versions with their drops, and what is wrong with a row."""
    versions: dict[str, list[tuple[str, Fact]]] = {}
    for number, part in enumerate(given):
        for fact in part:
            known = versions.setdefault(fact[0], [])
            if fact not in [old for _, old in known]:
                known.append((f"drop {number}", fact))
    versions = {row: [each for place, each in enumerate(known) if not again(known, place)] for row, known in versions.items()}
    faults: dict[str, str] = {}
    for row, known in versions.items():
        pairs = [(old, new) for (_, old), (_, new) in pairwise(known)]
        if len({text for _, (_, text, _, _) in known}) > 1:
            faults[row] = CHANGED
        elif any(new[3] <= old[3] for old, new in pairs):
            faults[row] = NOT_LATER
        elif any(old[2] is not None and new[2] is None for old, new in pairs):
            faults[row] = TAKEN_BACK
    return versions, faults


@given(parts)
def test_drops_are_merged_as_by_hand(given: list[list[Fact]]) -> None:
    frames = [drop(f"drop {number}", *part) for number, part in enumerate(given)]
    versions, faults = by_hand(given)
    assert dict(version_faults(pl.concat(frames), CONTRACT).iter_rows()) == faults
    if faults:
        with pytest.raises(Refusal) as caught:
            merged(frames, CONTRACT)
        assert set(caught.value.rows) == set(faults)
        return
    found = merged(frames, CONTRACT)
    last = [known[-1][1] for known in versions.values()]
    assert found.rows.select("row_id", "text", "score").rows() == [fact[:3] for fact in last]
    assert found.rows["drop"].to_list() == [known[0][0] for known in versions.values()], "a row is of the drop it first came in"
    superseded = [fact[:3] for known in versions.values() for _, fact in known[:-1]]
    assert sorted(found.superseded.select("row_id", "text", "score").rows(), key=repr) == sorted(superseded, key=repr)
    assert found.repeats == sum(map(len, given)) - found.versions.height
    first = [known[0][1] for known in versions.values()]
    assert first_versions(found.rows, found.superseded).select("row_id", "text", "score").rows() == [fact[:3] for fact in first]


def test_a_late_label_and_a_correction_are_versions() -> None:
    found = merged(
        [drop("a", ("r", "t", None, 0), ("s", "t", 0.5, 1)), drop("b", ("r", "t", 0.2, 9)), drop("c", ("r", "t", 0.9, 10))],
        CONTRACT,
    )
    assert_frame_equal(found.rows, drop("a", ("r", "t", 0.9, 10), ("s", "t", 0.5, 1)))
    assert_frame_equal(found.superseded, pl.concat([drop("a", ("r", "t", None, 0)), drop("b", ("r", "t", 0.2, 9))]))
    assert_frame_equal(first_versions(found.rows, found.superseded), drop("a", ("r", "t", None, 0), ("s", "t", 0.5, 1)))


def test_a_label_that_is_told_again_is_no_correction_whenever_it_is_said_to_be_known() -> None:
    found = merged([drop("a", ("r", "t", 0.5, 1)), drop("b", ("r", "t", 0.5, 9)), drop("c", ("r", "t", 0.9, 10))], CONTRACT)
    assert (found.rows["score"].to_list(), found.superseded["score"].to_list(), found.repeats) == ([0.9], [0.5], 1)


def test_a_label_is_taken_back_by_a_version_without_it_that_says_when() -> None:
    taken = drop("b", ("r", "t", None, 9)).with_columns(labelled_at="created_at")
    found = merged([drop("a", ("r", "t", 0.5, 1)), taken], CONTRACT)
    assert (found.rows["score"].to_list(), found.superseded["score"].to_list()) == ([None], [0.5])


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (("r", "other", 0.5, 9), CHANGED),
        (("r", "t", 0.6, 1), NOT_LATER),
        (("r", "t", 0.6, 0), NOT_LATER),
        (("r", "t", None, 9), TAKEN_BACK),
    ],
)
def test_what_is_no_version_is_refused_with_the_reason(second: Fact, reason: str) -> None:
    with pytest.raises(Refusal, match="the same row_id stands for different rows") as caught:
        merged([drop("a", ("r", "t", 0.5, 1), ("s", "t", 0.5, 1)), drop("b", second)], CONTRACT)
    assert caught.value.rows == ("r",)
    assert reason in caught.value.what
