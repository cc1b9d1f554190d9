"""The benchmark of training: a plain loop learns the very same as ours, and every line of its tables is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_plain_loop_has_the_same_losses_and_all_is_measured() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/alignment.py", "--quick", "--repeats", "1"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    [apart] = re.findall(r"losses of 8 batches, .*: ours and the loop's differ by (\S+) at most", done.stdout)
    assert float(apart) < 1e-5
    for name in ("floor", "ours", "ours, in 4 chunks", "loop", "one after another", "fused", "side by side, on the wall"):
        assert re.search(rf"^{name} +\d+\.\d\d +\d+\.\d\d +\d", done.stdout, re.MULTILINE), name
