"""What the gates cost: each check on 100,000 rows × 50 columns, and near-duplicates among as many texts.

    python benchmarks/checks.py

Each check is run in its gate alone, three times, and the median told, less that of a gate without any check (the copy for
Great Expectations). Told are seconds on the clock, and of the processor, to which other work on the machine does not add.
*All together* is the gate as a stage runs it. The neighbours among embeddings are on by no default (those
among vector targets are); they are timed with ``--neighbours`` (100,000 vectors of 384 numbers).
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watertight.checks.suite import Check, declared, judge
from watertight.core.contract import Target

ROWS, GROUPS, WORDS, REPEATS, DIMENSION = 100_000, 800, 60, 3, 384
TARGETS = {"valence": Target(kind="scalar", range=(-2, 2)), "arousal": Target(kind="scalar", range=(0, 2))}
BOUND = 10.0
Spent = NDArray[np.float64]


@dataclass(frozen=True)
class Gate:
    """A gate by its name, the frame it judges, its checks, and what they know besides."""

    name: str
    frame: pl.DataFrame
    checks: list[Check]
    beside: dict[str, Any] = field(default_factory=dict)


def main() -> None:
    """Print a table per gate, and the total."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neighbours", action="store_true")
    with_neighbours = parser.parse_args().neighbours
    table = training_set()
    print(f"{_machine()}; {ROWS:,} rows × {table.width} columns, {GROUPS} groups, texts of {WORDS} words; medians of {REPEATS}\n")
    print("| gate | check | seconds | processor |\n| --- | --- | ---: | ---: |")
    whole = np.sum([_timed(gate) for gate in gates(table)], axis=0)
    print(f"| all gates | all together (at most {BOUND:.0f}) | {_shown(whole)} |")
    if with_neighbours:
        _neighbours(table)


def training_set() -> pl.DataFrame:
    """Rows as the guard sees them: roles, a text, two targets, split and fold, and features with the evidence for them."""
    chance = np.random.default_rng(0)
    asked = pl.Series(
        np.sort(chance.choice(10**8, ROWS, replace=False)) * 10**6 + int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 10**6
    )
    rows = pl.DataFrame({"number": range(ROWS), "group": chance.integers(0, GROUPS, ROWS), "at": asked, "text": _texts(chance)})
    valence = chance.normal(size=ROWS).clip(-2, 2)
    rows = rows.with_columns(valence=valence, arousal=chance.integers(0, 9, ROWS) / 4).select(
        row_id=pl.format("r{}", "number"),
        group_id=pl.format("g{}", "group"),
        author=pl.format("g{}", "group"),
        asked_at=pl.col("at").cast(pl.Datetime("us", "UTC")),
        labelled_at=pl.col("at").cast(pl.Datetime("us", "UTC")),
        created_at=pl.col("at").cast(pl.Datetime("us", "UTC")),
        parent_id=pl.lit(None, dtype=pl.String),
        synthetic=False,
        weight=1.0,
        drop=pl.lit("first"),
        text="text",
        valence="valence",
        arousal="arousal",
        split=pl.when(pl.col("group") % 8 == 7).then(pl.lit("test_groups")).otherwise(pl.lit("train")),
        fold=pl.when(pl.col("group") % 8 != 7).then(pl.col("group") % 5),
        source_at=pl.col("at").shift(1).over("group"),
        content_at="at",
    )
    before = pl.col("valence").cum_sum().shift(1).over("group_id")
    seen = pl.int_range(pl.len()).over("group_id")
    past = rows.with_columns(history_count=seen, history_mean=before / seen.replace(0, None))
    return past.hstack(_features(chance, 50 - past.width))


def _texts(chance: np.random.Generator) -> list[str]:
    """Words drawn as language draws them (Zipf), every tenth text with signs beyond ASCII."""
    words = np.array([f"word{number}" for number in range(20_000)])
    share = 1 / np.arange(1, len(words) + 1)
    drawn = words[chance.choice(len(words), (ROWS, WORDS), p=share / share.sum())]
    return [f"{' '.join(text)}{' – naïve café 🙂' if place % 10 == 0 else ''}" for place, text in enumerate(drawn)]


def _features(chance: np.random.Generator, count: int) -> pl.DataFrame:
    """A fifth counts, the rest numbers; a third of all with a tenth of nulls."""
    made = {}
    for place in range(count):
        values = chance.poisson(3, ROWS) if place % 5 == 0 else chance.normal(size=ROWS).astype(np.float32)
        null = chance.random(ROWS) < (0.1 if place % 3 == 0 else 0)
        made[f"feature_{place}"] = pl.select(pl.when(~pl.Series(null)).then(pl.Series(values))).to_series()
    return pl.DataFrame(made)


def gates(table: pl.DataFrame) -> Iterator[Gate]:
    """The gates of rows, split and training set, with the contract's checks and those that the stages add."""
    text, asked = {"column": "text"}, table["row_id"].to_list()
    ranges = [
        Check(type="expect_column_values_to_be_between", kwargs={"column": name, "min_value": low, "max_value": high})
        for name, (low, high) in ((name, target.range or (0, 0)) for name, target in TARGETS.items())
    ]
    own = [Check(type="expect_readable_text", kwargs=text), Check(type="expect_undamaged_text", kwargs=text), *ranges]
    yield Gate("rows", table, [*declared("rows", None), *own])
    future = Check(type="expect_future_after_training")
    share = Check(type="expect_groups_share", kwargs={"split": "test_groups", "share": 0.125})
    alike = Check(type="expect_no_duplicates_across_splits", kwargs=text)
    embargo = Check(type="expect_embargo_between_folds", kwargs={"days": 1}, severity="warning")
    yield Gate("split", table, [*declared("split", None), future, share, embargo, alike])
    history = {"key": "author", "label": "valence", "column": "history_count", "mean": "history_mean"}
    evidence = [
        Check(type="expect_known_when_asked", kwargs={"column": "content_at"}),
        Check(type="expect_known_when_asked", kwargs={"column": "source_at", "strict": True}),
        Check(type="expect_history_within_groups", kwargs={"key": "author"}),
        Check(type="expect_history_to_match_rows", kwargs=history),
    ]
    features = tuple(name for name in table.columns if name.startswith(("feature_", "history_")))
    beside = {"features": features, "targets": TARGETS, "asked": asked}
    yield Gate("training_set", table, [*declared("training_set", None), future, *evidence], beside)


def _timed(gate: Gate) -> Spent:
    """Print the checks of a gate, the slowest first; answers what all together took."""
    empty = _median(lambda: judge(gate.name, gate.frame, [], **gate.beside))
    told = []
    for check in gate.checks:
        spent = _median(lambda check=check: judge(gate.name, gate.frame, [check], **gate.beside))  # type: ignore[misc]
        told.append((np.maximum(spent - empty, 0), f"{check.type} {check.kwargs.get('column', '')}"))
    for spent, name in sorted(told, key=lambda one: -one[0][1]):
        print(f"| {gate.name} | {name.strip()} | {_shown(spent)} |", flush=True)
    print(f"| {gate.name} | a gate without checks | {_shown(empty)} |")
    whole = _median(lambda: judge(gate.name, gate.frame, gate.checks, **gate.beside))
    print(f"| {gate.name} | all together | {_shown(whole)} |", flush=True)
    return whole


def _shown(spent: Spent) -> str:
    return f"{spent[0]:.2f} | {spent[1]:.2f}"


def _neighbours(table: pl.DataFrame) -> None:
    vectors = np.random.default_rng(1).normal(size=(ROWS, DIMENSION)).astype(np.float32)
    frame = table.select("row_id", "split", "fold").with_columns(vector=pl.Series(vectors).arr.to_list())
    check = Check(type="expect_no_neighbours_across_splits", kwargs={"column": "vector"})
    spent = _median(lambda: judge("training_set", frame, [check]), repeats=1)
    print(f"| training_set | {check.type}, once | {_shown(spent)} |")


def _median(work: Callable[[], object], repeats: int = REPEATS) -> Spent:
    """Seconds on the clock and of the processor, the median of each."""
    spent = []
    for _ in range(repeats):
        began = time.perf_counter(), time.process_time()
        work()
        spent.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    return np.median(spent, axis=0)


def _machine() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
