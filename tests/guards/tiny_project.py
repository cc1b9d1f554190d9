"""A small project on disk, whose stages run in this process and whose tables a test may tamper with."""

from __future__ import annotations

import hashlib
import re
import runpy
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest

from pipelines.stage import execute
from watertight.core.errors import Refusal
from watertight.core.project import Project, Workload
from watertight.core.tables import read_json, read_table, write_table

STAGES = ("ingest", "check", "split", "featurize", "join", "guard", "train", "evaluate")
WORKLOAD = "tiny"

TRAINING_SET = "data/tiny/training_set/training_set.parquet"
HISTORY = "data/tiny/features/tiny_history.parquet"
LEXICAL = "data/tiny/features/tiny_lexical.parquet"
PREDICTIONS = "artifacts/tiny/train/predictions.parquet"
WITNESSES = "artifacts/tiny/train/witnesses.parquet"
INPUTS = "artifacts/tiny/train/inputs.parquet"

Change = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class Refused:
    """What a gate refused: the checks that did not pass, and every row that it named."""

    checks: set[str]
    rows: set[str]


@dataclass(frozen=True)
class TinyProject:
    """The project at ``root``, which is the working directory."""

    root: Path

    @property
    def work(self) -> Workload:
        """The workload, read anew: a test may have changed a declaration."""
        return Project(self.root).workload(WORKLOAD)

    def table(self, place: str) -> pl.DataFrame:
        """A table of the project."""
        return read_table(self.root / place)

    def tamper(self, place: str, change: Change) -> None:
        """Put a changed table in the place of a stage's own."""
        write_table(change(self.table(place)), self.root / place)

    def execute(self, *stages: str) -> None:
        """Run stages; raises what they raise."""
        for stage in stages:
            execute(self.work, stage, *_declared(stage))

    def verdict(self, place: str) -> dict[str, Any]:
        """A verdict as a stage wrote it."""
        return read_json(self.root / place)

    def refused(self, stage: str) -> Refused:
        """Run a stage that must refuse, and leave everything on disk as it was."""
        before = digests(self.root)
        with pytest.raises(Refusal) as caught:
            self.execute(stage)
        assert digests(self.root) == before, "a refusal changes nothing"
        return Refused(set(re.findall(r"^  - (\w+)\(", caught.value.what, re.MULTILINE)), set(caught.value.rows))

    def command(self, stage: str) -> int:
        """``python -m pipelines.<stage> tiny`` in this process: its exit status."""
        with patch.object(sys, "argv", [stage, WORKLOAD]), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                runpy.run_module(f"pipelines.{stage}", run_name="__main__")
            except SystemExit as end:
                return int(end.code or 0)
        return 0


@cache
def _declared(stage: str) -> tuple[Any, ...]:
    """A stage's function and the places of its outputs, as its own last lines give them to ``run``."""
    found: list[tuple[Any, ...]] = []
    with patch("pipelines.stage.run", lambda *given: found.append(given)), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        runpy.run_module(f"pipelines.{stage}", run_name="__main__")
    return found[0][1:]


def digests(root: Path) -> dict[str, str]:
    """Every file below a folder with the digest of its bytes."""
    files = [file for file in sorted(root.rglob("*")) if file.is_file() and "__pycache__" not in file.parts]
    return {file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def where(rows: str | tuple[str, ...], **values: Any) -> Change:
    """A change that sets columns of the named rows; a value may be an expression, a null keeps the column's type."""
    named = pl.col("row_id").is_in([rows] if isinstance(rows, str) else list(rows))

    def change(table: pl.DataFrame) -> pl.DataFrame:
        new = {name: value if isinstance(value, pl.Expr) else pl.lit(value) for name, value in values.items()}
        return table.with_columns(
            **{name: pl.when(named).then(value.cast(table[name].dtype)).otherwise(name) for name, value in new.items()}
        )

    return change
