"""200 clean data sets, drawn at random: no check on rows or splits has anything to say of any of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from watertight.checks.suite import Check, declared, judge
from watertight.checks.verdict import Verdict
from watertight.core import workload
from watertight.core.witness import evidence, table, witness
from watertight.core.workload import SplitParams
from watertight.evaluation.splitting import split_rows
from watertight.features.temporal_state import temporal_state

START = datetime(2024, 1, 1, tzinfo=UTC)
WORDS = ["calm", "happy", "tired", "angry", "hopeful", "rain", "dinner", "sister", "नमस्ते", "😀", "don't", "café", "thak", "gaya"]
SETS, AT_ONCE = 200, 20


def clean(seed: int) -> pl.DataFrame:
    """Typed rows of up to 40 groups: some unlabelled, some labelled late, some with a child."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(8, 40)
    rows = [row for group in range(groups) for row in of_group(rng, seed, group)]
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"parent_id": pl.String})


def of_group(rng: np.random.Generator, seed: int, group: int) -> list[dict[str, object]]:
    base = START + timedelta(hours=int(rng.integers(0, 24 * 60)))
    gaps = np.cumsum(rng.integers(1, 24 * 9, size=rng.integers(2, 9)))
    rows = [
        told(rng, f"{seed}-{group}-{place}", f"{seed}-{group}", base + timedelta(hours=int(gap)))
        for place, gap in enumerate(gaps)
    ]
    child = {**rows[0], "row_id": f"{rows[0]['row_id']}-child", "parent_id": rows[0]["row_id"], "synthetic": True}
    return [*rows, child] if rng.random() < 0.2 else rows


def told(rng: np.random.Generator, row: str, group: str, asked: datetime) -> dict[str, object]:
    labelled = asked + timedelta(hours=int(rng.exponential(30))) if rng.random() < 0.9 else None
    return {
        "row_id": row,
        "group_id": group,
        "text": " ".join(rng.choice(WORDS, size=rng.integers(1, 40))) if rng.random() < 0.98 else None,
        "asked_at": asked,
        "labelled_at": labelled,
        "created_at": labelled or asked,
        "parent_id": None,
        "synthetic": False,
        "weight": float(rng.uniform(0.1, 2)),
        "drop": "first",
        "labelled": labelled is not None,
    }


PARAMS = SplitParams(
    seed=5, folds=3, test_groups=workload.TestGroups(share=0.15), test_future=workload.TestFuture(share=0.2, gap_days=3)
)
PROMISED = [
    Check(type="expect_future_after_training", kwargs={"gap_days": 3}),
    Check(type="expect_no_duplicates_across_splits", kwargs={"column": "text"}),
]
TEXT = [Check(type=f"expect_{kind}_text", kwargs={"column": "text"}) for kind in ("readable", "undamaged")]


@pytest.mark.parametrize("block", range(SETS // AT_ONCE))
def test_clean_rows_raise_no_alarm(block: int) -> None:
    """Several sets stand in one frame, which no check on rows may mind."""
    sets = [clean(seed) for seed in range(block * AT_ONCE, (block + 1) * AT_ONCE)]
    assert alarms(judge("rows", pl.concat(sets), [*declared("rows", None), *TEXT])) == []


@pytest.mark.parametrize("block", range(SETS // AT_ONCE))
def test_clean_splits_raise_no_alarm(block: int) -> None:
    placed = []
    for seed in range(block * AT_ONCE, (block + 1) * AT_ONCE):
        rows = clean(seed)
        placed.append(rows.join(split_rows(rows, rows, PARAMS, []).rows, on="row_id", how="left", maintain_order="left"))
    assert alarms(judge("split", pl.concat(placed), [*declared("split", None), *PROMISED])) == []


def alarms(verdict: Verdict) -> list[str]:
    return [result.told() for result in verdict.results if result.status != "pass"]


# Histories, of labels that come late and are corrected, joined as of the moment each row was asked.

HISTORY = [
    Check(type="expect_known_when_asked", kwargs={"column": "source_at", "strict": True}),
    Check(
        type="expect_history_to_match_rows",
        kwargs={"key": "group_id", "label": "mood", "column": "mood_count", "mean": "mood_mean"},
    ),
    Check(type="expect_history_within_groups", kwargs={"key": "group_id"}),
]


def versions(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows as they are known now, and what was known of them before: a fifth were corrected, some twice, some taken back."""
    rng = np.random.default_rng([7, seed])
    first = clean(seed).filter(~pl.col("synthetic"))
    now = first.with_columns(mood=pl.when("labelled").then(pl.Series(rng.normal(size=first.height)))).drop("labelled")
    before = []
    for _ in range(2):
        chosen = pl.Series(rng.random(now.height) < 0.2) & now["labelled_at"].is_not_null()
        before.append(now.filter(chosen))
        later = pl.Series(rng.integers(1, 24 * 20, size=now.height)).cast(pl.Int64)
        value = pl.Series(np.where(rng.random(now.height) < 0.8, rng.normal(size=now.height), np.nan)).fill_nan(None)
        created = pl.max_horizontal("created_at", "labelled_at") + pl.duration(hours=later)
        now = now.with_columns(
            mood=pl.when(chosen).then(value).otherwise("mood"), created_at=pl.when(chosen).then(created).otherwise("created_at")
        )
    return now, pl.concat(before)


def joined(now: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Each row with the state of its group at the instant it was asked."""
    labels = pl.concat([before, now]).filter(pl.col("labelled_at").is_not_null()).with_columns(key="group_id")
    state = temporal_state(labels, ["mood"]).select("key", "event_timestamp", "source_at", "mood_count", "mood_mean")
    asked = now.with_row_index().sort("asked_at")
    found = asked.join_asof(
        state.sort("event_timestamp"),
        left_on="asked_at",
        right_on="event_timestamp",
        by_left="group_id",
        by_right="key",
        check_sortedness=False,
    )
    return found.sort("index").drop("index")


@pytest.mark.parametrize("block", range(SETS // AT_ONCE))
def test_clean_histories_raise_no_alarm(block: int) -> None:
    sets = [versions(seed) for seed in range(block * AT_ONCE, (block + 1) * AT_ONCE)]
    before = pl.concat([before for _, before in sets])
    frame = pl.concat([joined(*each) for each in sets])
    assert before["row_id"].is_duplicated().any()
    assert alarms(judge("training_set", frame, HISTORY, superseded=before)) == []


# Out-of-fold predictions by models of which each was fitted on the other folds.

CELL = {"target": pl.lit("mood"), "cell": pl.lit("one"), "seed": pl.lit(0)}


@pytest.mark.parametrize("block", range(SETS // AT_ONCE))
def test_clean_predictions_raise_no_alarm(block: int) -> None:
    told = []
    for seed in range(block * AT_ONCE, (block + 1) * AT_ONCE):
        rows = clean(seed)
        placed = rows.join(split_rows(rows, rows, PARAMS, []).rows, on="row_id", maintain_order="left")
        trained = placed.filter(split="train")
        fits = {fold: witness(trained.filter(pl.col("fold") != fold)) for fold in range(PARAMS.folds)}
        fitted = pl.col("fold").replace_strict({fold: fit.digest for fold, fit in fits.items()}, return_dtype=pl.String)
        predictions = trained.filter(~pl.col("synthetic")).select("row_id", "fold", **CELL, fitted_on=fitted)
        roles = placed.select("row_id", "group_id", "parent_id", "synthetic", "split", assigned_fold="fold")
        said = evidence(predictions, roles, table({fit.digest: fit for fit in fits.values()}))
        told.append(said.join(roles.drop("parent_id"), on="row_id", how="left", maintain_order="left"))
    assert alarms(judge("out_of_fold", pl.concat(told), declared("out_of_fold", None))) == []
