"""The example on docs/point-in-time.md, read from the page itself, is what the code does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from watertight.features.temporal_now import temporal_now
from watertight.features.temporal_state import temporal_state

PAGE = Path(__file__).parents[2] / "docs" / "point-in-time.md"
INSTANT = pl.Datetime("us", "UTC")
TIMES = ("asked_at", "labelled_at", "created_at", "event_timestamp", "created_timestamp", "t")
COUNTS = ("valence_count", "history")
TEXTS = ("row_id", "key")


def _dtype(column: str) -> Any:
    if column in TIMES:
        return INSTANT
    if column in TEXTS:
        return pl.String
    if column in COUNTS:
        return pl.Int64
    return pl.List(pl.Float32) if column == "valence_last" else pl.Float32


def _value(column: str, cell: str) -> Any:
    if cell in ("–", ""):
        return None
    if column in TIMES:
        return datetime.fromisoformat(cell).replace(tzinfo=UTC)
    return cell if column in TEXTS else json.loads(cell)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _table(heading: str) -> pl.DataFrame:
    """The first table below a heading of the page."""
    lines = PAGE.read_text(encoding="utf-8").split(f"\n### {heading}\n")[1].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    stop = next((i for i in range(start, len(lines)) if not lines[i].startswith("|")), len(lines))
    columns, body = _cells(lines[start]), [_cells(line) for line in lines[start + 2 : stop]]
    rows = [[_value(column, cell) for column, cell in zip(columns, cells, strict=True)] for cells in body]
    return pl.DataFrame(rows, schema={column: _dtype(column) for column in columns}, orient="row")


def _state() -> pl.DataFrame:
    return temporal_state(pl.concat([_table("Rows"), _table("Correction")]), ["valence"])


def _seen(asked: pl.DataFrame, state: pl.DataFrame) -> pl.DataFrame:
    """What each (key, t) sees by an inclusive join, the newest event at or before t."""
    news = state.sort("event_timestamp")
    joined = (
        asked.select("key", "t")
        .with_row_index()
        .sort("t")
        .join_asof(news, left_on="t", right_on="event_timestamp", by="key", check_sortedness=False)
        .sort("index")
    )
    features = temporal_now(joined, joined["t"], ["valence"])
    return pl.concat([joined, features], how="horizontal").select(set(asked.columns) - {"row_id"})


def _differences(told: pl.DataFrame, done: pl.DataFrame) -> list[str]:
    """The columns in which the page and the code differ, with both."""
    if told.height != done.height:
        return [f"{told.height} rows on the page, {done.height} from the code"]
    shared = [column for column in told.columns if column != "row_id"]
    unlike = [column for column in shared if not told[column].equals(done[column], check_dtypes=True)]
    return [f"{column}: {told[column].to_list()} told, {done[column].to_list()} done" for column in unlike]


def test_the_state_rows_are_those_on_the_page() -> None:
    assert _differences(_table("State rows"), _state()) == []


@pytest.mark.parametrize("heading", ["What each row sees", "What ana's history looks like at other instants"])
def test_what_is_seen_is_what_the_page_says(heading: str) -> None:
    told = _table(heading)
    assert _differences(told, _seen(told, _state())) == []


def test_each_row_of_the_example_is_asked_at_its_own_instant() -> None:
    rows, seen = _table("Rows"), _table("What each row sees")
    assert seen.select("row_id", "key", "t").rows() == rows.select("row_id", "key", "asked_at").rows()


def test_without_the_microsecond_r3_would_see_its_own_label() -> None:
    told = _table("What each row sees")
    leaking = _state().with_columns(pl.col("event_timestamp") - pl.duration(microseconds=1))
    assert _seen(told, leaking).filter(told["row_id"] == "r3")["valence_last"].to_list() == [[2.0, 1.0]]
    assert _differences(told, _seen(told, leaking)) != []


def test_every_state_row_is_created_before_it_may_be_used() -> None:
    state = _state()
    later = (state["event_timestamp"] - state["created_timestamp"]).dt.total_microseconds()
    assert later.to_list() == [1] * 5
    assert state["source_at"].equals(state["created_timestamp"].dt.epoch("us"), check_names=False)
