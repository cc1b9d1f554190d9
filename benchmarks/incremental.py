"""What a small drop costs beside a full run: the stages up to the training set, in a project of its own, cold and then again.

    python benchmarks/incremental.py --rows 100000 --words 12

The rows are the simulated reflections, with as many authors and texts as it takes, no text twice, each cut to its first so many
words: short texts are the harder case, since they cost little the first time. First every stage runs with
an empty cache; then 1 % more rows are let in by `watertight ingest`, and every stage runs again. Each is a process of its own;
told are its seconds on the wall and of the processor.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import yaml

from pipelines.source import typed_drops
from watertight.core.digests import file_digest
from watertight.core.project import find_project

ROOT = Path(__file__).parents[1]
WORKLOAD, STAGES = "perception", ("ingest", "check", "split", "featurize", "join")
OWN = ("row_id", "group_id", "reflection_id", "author_id")


@dataclass(frozen=True)
class Spent:
    """Seconds of one command."""

    wall: float
    processor: float


def main() -> None:
    """Run both, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=12)
    rows, words = parser.parse_args().rows, parser.parse_args().words
    with tempfile.TemporaryDirectory(prefix="watertight-incremental-") as folder:
        root, environment = Path(folder) / "project", {**os.environ, "WATERTIGHT_CACHE": str(Path(folder) / "cache")}
        every = reflections(rows + rows // 100, words)
        make_project(root, every[:rows])
        full = {stage: spent(root, environment, "-m", f"pipelines.{stage}", WORKLOAD) for stage in STAGES}
        drop = Path(folder) / "drop.parquet"
        every[rows:].write_parquet(drop)
        watertight = "from watertight.cli import app; app()"
        again = {"watertight ingest": spent(root, environment, "-c", watertight, "ingest", str(drop), "-w", WORKLOAD)}
        again |= {stage: spent(root, environment, "-m", f"pipelines.{stage}", WORKLOAD) for stage in STAGES}
    tell(rows, words, full, again)


def reflections(rows: int, words: int) -> pl.DataFrame:
    """Simulated reflections over and over, each time by other authors and in other words; whole authors last."""
    [once] = typed_drops(find_project(ROOT).workload(WORKLOAD))
    copies = [
        once.with_columns(
            *(pl.concat_str(name, pl.lit(f"-{copy}")) for name in OWN),
            text=pl.format(
                "{} ({}-{})", pl.col("text").str.split(" ").list.head(words).list.join(" "), pl.int_range(pl.len()), pl.lit(copy)
            ),
            parent_id=pl.lit(None, dtype=pl.String),
        )
        for copy in range(rows // once.height + 1)
    ]
    return pl.concat(copies)[:rows].drop("drop")


def make_project(root: Path, rows: pl.DataFrame) -> None:
    """The committed product's declarations with these rows as the one raw file of the source, under git and DVC."""
    clone = ["git", "clone", "--quiet", str(ROOT), str(root)]
    subprocess.run(clone, check=True)
    raw = root / "data" / "raw" / "rows.parquet"
    raw.parent.mkdir(parents=True)
    rows.write_parquet(raw)
    source = root / "pipelines" / "sources" / WORKLOAD
    contract = yaml.safe_load((source / "simulated.yaml").read_text(encoding="utf-8"))
    contract["files"] = {"rows.parquet": {"path": "rows.parquet", "sha256": file_digest(raw)}}
    (source / "copies.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    declared = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    declared[WORKLOAD]["source"] = {"name": "copies"}
    (root / "params.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")


def spent(root: Path, environment: dict[str, str], *command: str) -> Spent:
    """Run Python in the project; raises CalledProcessError where the command fails."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    own = {name: value for name, value in environment.items() if name != "WATERTIGHT_RAW"}
    subprocess.run([sys.executable, *command], cwd=root, env={**own, "PYTHONPATH": str(root)}, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def tell(rows: int, words: int, full: dict[str, Spent], again: dict[str, Spent]) -> None:
    """A line per command, and the sum."""
    print(f"\n{rows:,} rows of {words} words, then {rows // 100:,} more; {os.cpu_count()} cores, {platform.machine()}\n")
    print("| | full run: s | processor s | 1 % drop: s | processor s | of the full run |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, second in again.items():
        print(line(name, full.get(name), second))
    print(line("all", total(full), total(again)))


def total(every: dict[str, Spent]) -> Spent:
    """The sum of several commands."""
    return Spent(sum(each.wall for each in every.values()), sum(each.processor for each in every.values()))


def line(name: str, full: Spent | None, again: Spent) -> str:
    """A row of the table; shares are of the processor's seconds."""
    first = f"{full.wall:.1f} | {full.processor:.1f}" if full else " | "
    share = f"{again.processor / full.processor:.1%}" if full else ""
    return f"| {name} | {first} | {again.wall:.1f} | {again.processor:.1f} | {share} |"


if __name__ == "__main__":
    main()
