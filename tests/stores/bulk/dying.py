"""Run by a test in a process of its own: materialise a view, slowly enough to be killed half-way.

Arguments: the project's folder, and its online store as JSON. A batch is a few rows.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from projects import END, START, project

SMALL = {"materialization_config": {"online_write_batch_size": 25}}

if __name__ == "__main__":
    store = project(Path(sys.argv[1]), json.loads(sys.argv[2]), **SMALL)
    print("ready", flush=True)
    store.materialize(START, END)
