"""A training set that lost rows, or whose features know the target, planted where the guard reads it."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
import yaml
from tiny_project import TRAINING_SET, TinyProject

SPLIT, GUARD = "data/tiny/split/split.json", "artifacts/tiny/guard/verdict.json"
FEATURE = "tiny_lexical__char_count_log"
MONTH = timedelta(days=30)


def answers(project: TinyProject, place: str) -> dict[str, dict]:
    return {check["type"]: check for check in project.verdict(place)["checks"]}


def test_a_row_that_was_lost_after_the_join(project: TinyProject) -> None:
    project.tamper(TRAINING_SET, lambda rows: rows.filter(pl.col("row_id") != "a08-4"))
    seen = project.refused("guard")
    assert "expect_rows_kept" in seen.checks
    assert "a08-4" in seen.rows


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_feature_that_is_the_target(project: TinyProject, noise: float) -> None:
    told = pl.col("mood") * 3 + noise * pl.col("energy").fill_null(0)
    project.tamper(TRAINING_SET, lambda rows: rows.with_columns(told.cast(pl.Float32).alias(FEATURE)))
    assert project.refused("guard").checks == {"expect_no_target_leak"}


def test_what_only_warns_goes_on_and_is_told(project: TinyProject) -> None:
    never = pl.lit(None, dtype=pl.Float32).alias(FEATURE)
    project.tamper(TRAINING_SET, lambda rows: rows.with_columns(never))
    project.execute("guard")
    told = answers(project, GUARD)["expect_null_share_below"]
    assert told["status"] == "fail"
    assert FEATURE in told["columns"]


def test_the_guard_tells_the_strongest_features_of_a_clean_run(project: TinyProject) -> None:
    project.execute("guard")
    told = answers(project, GUARD)["expect_no_target_leak"]
    assert told["status"] == "pass"
    assert 0 < told["figures"]["strongest"][0]["strength"] < 0.95
    assert answers(project, GUARD)["expect_rows_kept"]["figures"] == {"missing": 0, "added": 0, "doubled": 0}


def test_blocks_of_time_are_declared_made_and_verified(project: TinyProject) -> None:
    path = project.root / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["tiny"]["split"] |= {"folds": 2, "folds_by": "time", "embargo_days": 1}
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
    later = MONTH * pl.col("author_id").str.slice(1).cast(pl.Int64)
    times = ["asked_at", "labelled_at", "created_at"]
    project.tamper("data/tiny/checked/rows.parquet", lambda rows: rows.with_columns(pl.col(times) + later))
    project.execute("split")
    told = answers(project, SPLIT)["expect_embargo_between_folds"]
    assert (told["status"], told["kwargs"]) == ("pass", {"days": 1.0})
