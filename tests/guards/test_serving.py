"""The online store answers what the join answers, or it is not put in place: stores with faults planted in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from feast import FeatureStore
from tiny_project import HISTORY, Refused, TinyProject, digests

from pipelines import materialize as stage
from pipelines.features import Features
from pipelines.serving_gate import SAMPLE, sampled
from watertight.checks.suite import Check, judge
from watertight.checks.verdict import CheckResult
from watertight.core.errors import Refusal

EQUAL = "expect_online_equal_offline"
VERDICT = "artifacts/tiny/online/verdict.json"
Fault = Callable[[FeatureStore, pl.DataFrame], None]


def newest(history: pl.DataFrame, author: str, place: int = -1) -> pl.DataFrame:
    return history.filter(author_id=author).sort("event_timestamp", "created_timestamp")[place:][:1]


def planted(project: TinyProject, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    """Every build of the store is followed by ``fault``, before the gate looks."""
    honest, history = FeatureStore.materialize, project.table(HISTORY)

    def write(store: FeatureStore, **given: Any) -> None:
        honest(store, **given)
        fault(store, history)

    monkeypatch.setattr(FeatureStore, "materialize", write)


def overwritten(store: FeatureStore, history: pl.DataFrame) -> None:
    """By an older row, which the store itself would leave alone."""
    missing(store, history)
    store.write_to_online_store("tiny_history", newest(history, "a04", -2).to_pandas())


def last_digit(store: FeatureStore, history: pl.DataFrame) -> None:
    row = newest(history, "a04")
    off = float(np.nextafter(np.float32(row["mood_mean"].item()), np.float32(9)))
    store.write_to_online_store("tiny_history", row.with_columns(mood_mean=pl.lit(off, dtype=pl.Float32)).to_pandas())


def one_more(store: FeatureStore, history: pl.DataFrame) -> None:
    store.write_to_online_store("tiny_history", newest(history, "a04").with_columns(pl.col("mood_count") + 1).to_pandas())


def missing(store: FeatureStore, history: pl.DataFrame) -> None:
    where = Path(store.config.online_store.path)
    with sqlite3.connect(where) as base:
        [number] = base.execute("select id from views where view = 'tiny_history'").fetchone()
        table = f"rows_{number}"
        keys = base.execute(f"select distinct entity_key from {table}").fetchall()
        mine = [key for (key,) in keys if b"a04" in key]
        base.execute(f"delete from {table} where entity_key = ?", (mine[0],))


def of_author(project: TinyProject, author: str) -> set[str]:
    rows = project.table("data/tiny/checked/rows.parquet")
    return set(rows.filter(author_id=author)["row_id"])


def test_a_store_that_answers_as_the_join_does_is_put_in_place(project: TinyProject) -> None:
    project.execute("materialize")
    told = project.verdict(VERDICT)
    assert (told["gate"], told["status"], told["rows"]) == ("serving", "pass", 76)
    assert sorted(file.name for file in (project.root / "data" / "tiny" / "online").iterdir()) == ["online.db", "stamp.json"]


@pytest.mark.parametrize(
    ("fault", "column"),
    [(overwritten, "tiny_history__mood_count"), (last_digit, "tiny_history__mood_mean"), (one_more, "tiny_now__history"),
     (missing, "tiny_now__mood_gap_hours")],
)  # fmt: skip
def test_a_store_that_answers_otherwise_is_refused_and_the_old_one_stays(
    project: TinyProject, monkeypatch: pytest.MonkeyPatch, fault: Fault, column: str
) -> None:
    project.execute("materialize")
    planted(project, monkeypatch, fault)
    assert project.refused("materialize") == Refused({EQUAL}, of_author(project, "a04"))
    with pytest.raises(Refusal) as caught:
        project.execute("materialize")
    assert column in caught.value.what


def test_a_store_that_a_prediction_rebuilds_is_judged_too(project: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    planted(project, monkeypatch, overwritten)
    before = digests(project.root / "artifacts")
    with pytest.raises(Refusal, match=EQUAL):
        stage.online_store(Features(project.work))
    assert not (project.root / "data" / "tiny" / "online").exists()
    assert digests(project.root / "artifacts") == before


def test_the_sample_is_seeded_and_takes_each_group_before_it_takes_one_twice() -> None:
    rows = pl.DataFrame({"row_id": [f"r{n:04d}" for n in range(900)], "group_id": [f"g{n % 150}" for n in range(900)]})
    rows = rows.with_columns(key=pl.when(pl.col("row_id") != "r0001").then("row_id"))
    drawn = sampled(rows, ["key"])
    assert drawn.height == SAMPLE
    assert drawn["row_id"].to_list() == sampled(rows.sample(fraction=1, shuffle=True, seed=1), ["key"])["row_id"].to_list()
    assert drawn.join(rows, on="row_id")["group_id"].n_unique() == 150
    assert "r0001" not in drawn["row_id"]


def pairs(**columns: tuple[list[Any], list[Any]]) -> CheckResult:
    both = {f"{side}: {name}": values for name, two in columns.items() for side, values in zip(("offline", "online"), two)}
    sizes = {"offline: size": pl.Float32, "offline: list": pl.List(pl.Float32), "offline: count": pl.Int64}
    frame = pl.DataFrame({"row_id": ["r1", "r2", "r3"], **both}, strict=False)
    frame = frame.cast({name: kind for name, kind in sizes.items() if name in frame.columns})
    [found] = judge("serving", frame, [Check(type=EQUAL)]).results
    return found


def test_what_is_equal_is_equal_in_its_own_kind() -> None:
    third = float(np.float32(1 / 3))
    lists = [[1.0, third], [], None]
    good = pairs(size=([1 / 3, None, 2.0], [third, None, 2]), count=([1, None, 2**60], [1, None, 2**60]), list=(lists, lists))
    assert (good.status, good.columns) == ("pass", ())


@pytest.mark.parametrize(
    ("name", "offline", "online"),
    [
        ("size", [1 / 3, None, 2.0], [1 / 3, 0.0, 2.0000002]),
        ("size", [1.0, 1.0, 1.0], [1.0, None, 1.0000001]),
        ("count", [1, None, 2**60], [1, 0, 2**60 + 1]),
        ("list", [[1.0, 2.0], [1.0], None], [[1.0, 2.0], [1.0000001], []]),
        ("list", [[1.0], [1.0, 2.0], [3.0]], [[1.0], [2.0, 1.0], None]),
    ],
)
def test_what_differs_is_named_however_little(name: str, offline: list[Any], online: list[Any]) -> None:
    found = pairs(**{name: (offline, online)})
    assert (found.status, found.row_ids, found.columns) == ("fail", ("r2", "r3"), (name,))
    assert found.figures == {name: 2}
    assert found.reason.startswith(f"{name} of r2: ")


def test_the_newest_row_of_the_fixture_is_not_its_only_one(built: TinyProject) -> None:
    history = built.table(HISTORY).filter(author_id="a04")
    assert history.height > 1
    assert newest(history, "a04")["event_timestamp"].item() - newest(history, "a04", -2)["event_timestamp"].item() > timedelta(0)
