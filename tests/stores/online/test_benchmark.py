"""The benchmark of the online stores runs, small: every table is whole, and every answer was that of the source.

The script ends with an error where a store answers anything but what the source holds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PARTS = ("memory", "read", "search")


def test_quick() -> None:
    only = [word for part in PARTS for word in ("--only", part)]
    command = [sys.executable, "benchmarks/online.py", "--quick", *only]
    own = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=False, cwd=ROOT, env=own, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2_000:]
    tables = {part.split("\n", 1)[0]: _table(part) for part in done.stdout.split("### ")[1:]}
    assert list(tables) == list(PARTS)
    assert [cells[0] for cells in tables["memory"]] == ["rows × 10 floats", "1,000", "2,000"]
    assert [cells[0] for cells in tables["read"]] == ["keys", "1", "100", "1,000"]
    assert len(tables["search"]) == 4
    measured = [float(cell.replace(",", "")) for cells in tables["read"][1:] for cell in cells[1:]]
    assert min(measured) > 0


def _table(part: str) -> list[list[str]]:
    """The head and the rows, each as wide as the head."""
    lines = [line for line in part.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {lines[0].count("|")}
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| ---")]
