"""The benchmark of the point-in-time join, on small files: every engine in its table, ours right everywhere; and its judge."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
ENGINES = ["floor", "ours", "Feast dask", "Feast DuckDB", "DuckDB carried", "DuckDB gathered", "Polars"]
RIGHT = {"lost": "0", "wrong": "0", "order": "kept"}


@pytest.fixture(autouse=True)
def _parts_of_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that the runs share."""
    return tmp_path_factory.mktemp("data")


def told(*arguments: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The lines of both tables."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(BENCHMARKS / "point_in_time.py"), "--quick", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=300)
    first, second = list(tables(run.stdout))
    return first, second


def tables(text: str) -> Iterator[list[dict[str, str]]]:
    for part in text.split("\n\n"):
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in part.splitlines() if row.startswith("|")]
        if rows:
            yield [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


def test_every_engine_answers_and_ours_is_right(data: Path) -> None:
    figures, ratios = told("--data", str(data), "--only", "TTL")
    assert [line["engine"] for line in figures] == ENGINES
    assert all(float(line["seconds"]) > 0 and float(line["peak MB"]) > 0 for line in figures)
    for engine in ("ours", "DuckDB carried", "DuckDB gathered", "Polars"):
        (line,) = [line for line in figures if line["engine"] == engine]
        assert {name: line[name] for name in RIGHT} == RIGHT, engine
    (line,) = ratios
    assert float(line["ours / best bare"]) > 0 and float(line["best Feast / ours"]) > 0
    assert (line["best bare"] in ENGINES) and (line["best Feast"] == "Feast DuckDB" or line["best Feast"] == "Feast dask")


def test_an_engine_that_takes_too_long_or_too_much_is_shown_as_such(data: Path) -> None:
    chosen = ("--data", str(data), "--only", "TTL", "--only", "DuckDB carried")
    slow, _ = told(*chosen, "--limit-seconds", "0.001")
    assert slow[1]["engine"] == "DuckDB carried" and slow[1]["seconds"] == "> 0.001 s"
    big, _ = told(*chosen, "--limit-gb", "0.01")
    assert big[1]["seconds"] == "> 0.01 GB" and big[1]["lost"] == ""


def test_the_judge_sees_what_is_lost_added_wrong_and_out_of_order(tmp_path: Path) -> None:
    from point_in_time_engines.cases import quick_cases
    from point_in_time_engines.engines import engine
    from point_in_time_engines.files import Files, make
    from point_in_time_engines.truth import Verdict, judge, settle

    for case in quick_cases():
        files = Files(case.small(), tmp_path, 500)
        make(files)
        settle(files)
        right = engine("DuckDB gathered")(files, tmp_path)()
        assert judge(files, right) == Verdict(0, 0, 0, in_order=True)
        assert judge(files, right.slice(1)) == Verdict(1, 0, 0, in_order=True)
        assert judge(files, pa.concat_tables([right, right.slice(5, 2)])) == Verdict(0, 2, 0, in_order=False)
        name = right.column_names[-1]
        other = right[name].take(pa.array([*range(1, 100), 0]))
        apart = sum(mine != true for mine, true in zip(other.to_pylist(), right[name].to_pylist(), strict=True))
        assert judge(files, right.set_column(right.num_columns - 1, name, other)).wrong == apart > 0
        known = right[name].is_valid().to_pylist()
        nulled = right.set_column(right.num_columns - 1, name, pa.nulls(100, right[name].type))
        assert judge(files, nulled).wrong == sum(known) > 0


def test_right_rows_are_the_newest_within_the_ttl_and_ties_go_to_the_newest_created() -> None:
    import numpy as np
    from point_in_time_engines.truth import EVER, Instants, right_rows

    rows = Instants(np.array([1, 1, 1, 2]), np.array([10, 20, 20, 5]), np.array([11, 99, 21, 6]))
    labels = Instants(np.array([1, 1, 1, 2, 3, 1]), np.array([20, 19, 9, 15, 15, 31]), np.zeros(6, dtype=np.int64))
    assert right_rows(rows, labels, EVER).tolist() == [1, 0, -1, 3, -1, 1]
    assert right_rows(rows, labels, 10).tolist() == [1, 0, -1, 3, -1, -1]
