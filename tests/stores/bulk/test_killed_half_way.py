"""A materialisation that is killed and run again leaves what an undisturbed one leaves."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from feast import FeatureStore
from feast.types import Float32, Int64, String
from projects import END, NOON, START, project, rows_of, view

ROWS = 2_000
FEATURES = {"single": Float32, "large": Int64, "text": String}


def test_killed_half_way_and_run_again(place: Any, tmp_path: Path) -> None:
    """Between the two runs the source changed: rows of the same instants were corrected, and a key came that is new."""
    folder = tmp_path / "p"
    _apply(folder, place, rows_of(ROWS))
    _killed(folder, place)
    rerun = _apply(folder, place, _corrected(rows_of(ROWS)))
    rerun.materialize(START, END)
    resumed = place.records()
    _apply(folder, place.emptied(), _corrected(rows_of(ROWS))).materialize(START, END)
    assert resumed == place.records()
    assert place.rows() == ROWS + 1


def _killed(folder: Path, place: Any) -> None:
    """Start one in a process of its own and kill it -9 as soon as some rows are there."""
    command = [sys.executable, str(Path(__file__).with_name("dying.py")), str(folder), json.dumps(place.online_store())]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while place.rows() < ROWS // 20:
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait()
    assert 0 < place.rows() < ROWS


def _corrected(rows: pa.Table) -> pa.Table:
    """Every other value is another one, created two hours later."""
    values = [row if row % 2 else value for row, value in enumerate(rows["large"].to_pylist())]
    created = [at + timedelta(hours=2) if row % 2 else at for row, at in enumerate(rows["created"].to_pylist())]
    changed = rows.set_column(rows.column_names.index("large"), "large", pa.array(values, pa.int64()))
    changed = changed.set_column(rows.column_names.index("created"), "created", pa.array(created))
    return pa.concat_tables([changed, rows_of(1, NOON, lambda _: ROWS).cast(changed.schema)])


def _apply(folder: Path, place: Any, rows: pa.Table) -> FeatureStore:
    store = project(folder, place.online_store())
    pq.write_table(rows, folder / "rows.parquet")
    store.apply(list(view(folder / "rows.parquet", FEATURES)))
    return store
