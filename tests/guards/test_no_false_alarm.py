"""200 clean data sets, drawn at random: no check on rows or splits has anything to say of any of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from watertight.checks.suite import Check, declared, judge
from watertight.checks.verdict import Verdict
from watertight.core import workload
from watertight.core.workload import SplitParams
from watertight.evaluation.splitting import split_rows

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
