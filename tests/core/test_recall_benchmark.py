"""The benchmark of ranks and first places runs, small; it ends with an error where a kernel answers other than a sort."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHOWN = {"ranks", "top 10", "csls, once", "csls, a hundred queries", "qb_norm, once", "dual_softmax, once"}


def test_quick() -> None:
    command = [sys.executable, "benchmarks/recall.py", "--quick"]
    own = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=False, cwd=ROOT, env=own, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2_000:]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines() if line.startswith("|")]
    measured = {row[0]: [float(cell.replace(",", "")) for cell in row[1:]] for row in lines if row[0] in SHOWN}
    assert set(measured) == SHOWN
    assert min(max(row) for row in measured.values()) > 0  # small ones take no tenth of a second
