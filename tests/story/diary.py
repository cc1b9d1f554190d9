"""A small perception project whose source is a file: a diary of a few authors, labelled late, built in this process."""

from __future__ import annotations

import hashlib
import runpy
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from project_copies import copy_product

STAGES = ("ingest", "check", "split", "featurize", "join", "guard", "train", "evaluate", "register", "materialize")
AUTHORS = ("ana", "ben", "cleo", "dev", "eva", "finn")
ENTRIES = 9
START = datetime(2025, 2, 3, 7, tzinfo=UTC)
MOODS = {
    "I am so happy about the garden": 1.6,
    "A calm and quiet evening": 0.7,
    "Nothing much to tell of the office": 0.0,
    "I feel tired and a little sad": -0.8,
    "It was an awful day and I am furious": -1.7,
}
COLUMNS = ["entry", "author", "text", "written", "labelled", "valence", "arousal"]
QUERY = """
SELECT entry AS row_id, entry AS reflection_id, author AS author_id, text, written AS asked_at, labelled AS labelled_at,
    valence, arousal, len(string_split(text, ' ')) AS words
FROM raw
"""
CONTRACT = {
    "about": "A diary.",
    "group": "author_id",
    "keys": ["reflection_id", "author_id"],
    "text": ["text"],
    "targets": {"valence": {"kind": "scalar", "range": [-2, 2]}, "arousal": {"kind": "scalar", "range": [0, 2]}},
    "columns": {"words": "int"},
    "required": COLUMNS[:4],
    "optional": COLUMNS[4:],
}
SECTION = {
    "source": {"name": "diary", "options": {"diary": {"drops": ["diary.csv"]}}},
    "split": {"seed": 2, "folds": 2, "test_future": {"share": 0.2, "gap_days": 1}},
    "featurize": {"encoder": "all-MiniLM-L6-v2"},
    "join": {"service": "perception"},
    "train": {
        "targets": ["valence", "arousal"],
        "families": {"lightgbm": {"rounds": 15, "learning_rate": 0.2, "min_data_in_leaf": 3}},
        "cells": {"mean": {"family": "mean"}, "all": {"family": "lightgbm", "views": "all"}},
    },
    "evaluate": {"baselines": ["mean"]},
    "register": {"cell": "all"},
}


def entries() -> pl.DataFrame:
    """The raw file, oldest entry first. Labels come up to three days late; the last entry of each author has none."""
    rng = np.random.default_rng(8)
    rows = [_entry(author, number, rng) for author in AUTHORS for number in range(ENTRIES)]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row").sort("written", "entry")


def _entry(author: str, number: int, rng: np.random.Generator) -> tuple[object, ...]:
    text = str(rng.choice(list(MOODS)))
    written = START + timedelta(days=3 * number, minutes=int(rng.integers(0, 2000)), microseconds=int(rng.integers(0, 10**6)))
    labelled = written + timedelta(hours=float(rng.integers(0, 70)))
    valence, arousal = np.clip(MOODS[text] + 0.2 * rng.standard_normal(), -2, 2), rng.uniform(0, 2)
    label = (None, None, None) if number == ENTRIES - 1 else (labelled.isoformat(), f"{valence:.3f}", f"{arousal:.3f}")
    return (f"{author}-{number}", author, f"{text}, {number + 1} of {ENTRIES}.", written.isoformat(), *label)


def write_diary(root: Path) -> None:
    """The product's files with the diary as the only source of the only workload."""
    copy_product(root)
    raw = root / "data" / "raw" / "diary.csv"
    raw.parent.mkdir(parents=True)
    entries().write_csv(raw)
    source = root / "pipelines" / "sources" / "perception"
    pinned = {"diary.csv": {"path": "diary.csv", "sha256": hashlib.sha256(raw.read_bytes()).hexdigest()}}
    (source / "diary.sql").write_text(QUERY, encoding="utf-8")
    (source / "diary.yaml").write_text(yaml.safe_dump({**CONTRACT, "files": pinned}), encoding="utf-8")
    (root / "params.yaml").write_text(yaml.safe_dump({"workloads": ["perception"], "perception": SECTION}), encoding="utf-8")


def run_stages(workload: str, patch: pytest.MonkeyPatch) -> None:
    """Every stage in this process, in the project of the working directory; raises SystemExit where one refuses."""
    for stage in STAGES:
        patch.setattr(sys, "argv", [stage, workload])
        patch.delitem(sys.modules, f"pipelines.{stage}", raising=False)
        runpy.run_module(f"pipelines.{stage}", run_name="__main__")
