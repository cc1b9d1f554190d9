"""Made timelines of labels, late, corrected and tied, and what of a kernel's rows is seen at an instant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from hypothesis import settings
from hypothesis import strategies as st

from tests.oracle.temporal_oracle import DAY, HOUR, Row

NAMES = ("valence", "arousal")
TIMES = ("asked_at", "labelled_at", "created_at")
INSTANT = pl.Datetime("us", "UTC")
START = 19_786 * DAY  # 2024-03-04, a Monday
QUARTER = 6 * HOUR
STRANGER = "nobody"
Query = tuple[str, int]

SCHEMA = {"key": pl.String, "row_id": pl.String}
SCHEMA |= dict.fromkeys(TIMES, pl.Int64) | dict.fromkeys(NAMES, pl.Float64)


def examples(count: int) -> settings:
    """So many examples, the same in every run."""
    return settings(deadline=None, derandomize=True, max_examples=count)


def as_labels(rows: Sequence[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA).with_columns(pl.col(TIMES).cast(INSTANT))


def as_instants(times: Sequence[int]) -> pl.Series:
    return pl.Series("t", times, pl.Int64).cast(INSTANT)


def row(row_id: str, asked: float, labelled: float | None, valence: float | None, **more: Any) -> Row:
    """A row with times in days after START; created when labelled, unless told otherwise."""
    created = more.get("created", labelled)
    asked_at, labelled_at, created_at = (
        None if days is None else START + round(days * DAY) for days in (asked, labelled, created)
    )
    times = {"asked_at": asked_at, "labelled_at": labelled_at, "created_at": created_at}
    labels = {"valence": valence, "arousal": more.get("arousal")}
    return {"key": more.get("key", "ana"), "row_id": row_id} | times | labels


values = st.none() | st.floats(-4, 4, allow_subnormal=False) | st.sampled_from([-2.0, 0.0, 0.5, 2.0])
delays = st.sampled_from([0, 0, 1, 2, QUARTER, DAY, 3 * DAY, 9 * DAY]) | st.integers(0, 12 * DAY)


@st.composite
def versions(draw: st.DrawFn, row_id: str) -> list[Row]:
    """One row and its corrections; created mostly when labelled, at times before or after."""
    key = draw(st.sampled_from(["ana", "ana", "ana", "ben", "cleo"]))
    asked_at = START + draw(st.integers(0, 40)) * QUARTER + draw(st.integers(0, 1))
    labelled_at = asked_at + draw(delays)
    created_at = labelled_at + draw(st.sampled_from([0, 0, 0, 1, DAY, -QUARTER]))
    base = {"key": key, "row_id": row_id, "asked_at": asked_at, "labelled_at": labelled_at}
    if draw(st.integers(0, 9)) == 0:
        return [base | {"labelled_at": None, "created_at": None} | dict.fromkeys(NAMES)]
    rows = []
    for later in [0, *draw(st.lists(st.sampled_from([1, QUARTER, DAY, 4 * DAY]), max_size=2))]:
        created_at += later
        rows.append(base | {"created_at": created_at} | {name: draw(values) for name in NAMES})
    return rows


@st.composite
def timelines(draw: st.DrawFn) -> list[Row]:
    size = draw(st.integers(0, 24))
    rows = [version for i in range(size) for version in draw(versions(f"r{i}"))]
    return draw(st.permutations(rows))


def every_instant(rows: Sequence[Row]) -> list[Query]:
    """Each key at each of its events, a microsecond before and after, and long after; and an unknown key."""
    events = {(row["key"], row[time]) for row in rows for time in TIMES if row[time] is not None}
    near = {(key, t + step) for key, t in events for step in (-1, 0, 1)}
    return sorted(near | {(key, START + 90 * DAY) for key in ("ana", STRANGER)})


def joined(state: pl.DataFrame, queries: Sequence[Query]) -> pl.DataFrame:
    """The state as of each query, by an inclusive join; one row per query, in order."""
    asked = pl.DataFrame({"key": [key for key, _ in queries]}, schema={"key": pl.String})
    asked = asked.with_columns(as_instants([t for _, t in queries])).with_row_index().sort("t")
    news = state.sort("event_timestamp")
    found = asked.join_asof(news, left_on="t", right_on="event_timestamp", by="key", check_sortedness=False)
    return found.sort("index")


def same(told: Any, done: Any) -> bool:
    """Counts and times exactly, lists exactly as 32-bit floats, numbers to 1e-6 (relative above 1)."""
    if told is None or done is None:
        return told is done
    if isinstance(told, list):
        return [np.float32(x) if isinstance(x, float) else x for x in told] == done
    return told == done if isinstance(told, int) else math.isclose(told, done, rel_tol=1e-6, abs_tol=1e-6)


# With a tie, a late label, a label at its own instant, corrections, a null, and a second author.
STORY = [
    row("r1", 0.0, 0.5, 2.0, arousal=1.0),
    row("r2", 1.0, 3.0, 0.0),
    row("r3", 2.0, 2.0, 1.0, arousal=0.5),
    row("r4", 3.0, 4.0, -1.0),
    row("r5", 2.5, 4.0, 0.5, arousal=2.0),
    row("r1", 0.0, 0.5, -1.0, arousal=1.0, created=3.5),
    row("r6", 5.0, 6.0, None, arousal=-1.0),
    row("r3", 2.0, 2.0, None, arousal=0.5, created=7.0),
    row("r7", 1.0, 2.0, 1.5, key="ben"),
    row("r8", 8.0, None, None),
]
