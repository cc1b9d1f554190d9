"""SemEval-2026 Task 2 through the stages before the encoder: what its contract says is so on the real files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import polars as pl
import pytest

from pipelines.check import check
from pipelines.ingest import ingest
from pipelines.source import rows_of_file
from pipelines.split import split
from pipelines.stage import execute
from watertight.core.project import Project, Workload
from watertight.core.rows import typed_rows
from watertight.core.tables import read_json, read_table
from watertight.core.time import known_at
from watertight.features.temporal_state import temporal_state

ROOT = Path(__file__).parents[2]
FOLDER = Path("perception") / "semeval2026_task2"
RAW = Path(os.environ.get("WATERTIGHT_RAW", ROOT / "data" / "raw")).resolve()

pytestmark = pytest.mark.skipif(
    not (RAW / FOLDER / "train_subtask1.csv").is_file(),
    reason=f"no {FOLDER}/train_subtask1.csv under {RAW}; `watertight fetch perception/semeval2026` brings it",
)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    root = tmp_path_factory.mktemp("semeval")
    for folder in ("pipelines", "feature_repo", "expectations"):
        shutil.copytree(ROOT / folder, root / folder)
    params = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("name: simulated\n", "name: semeval2026\n")
    (root / "params.yaml").write_text(params, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WATERTIGHT_RAW", str(RAW))
        found = Project(root).workload("perception")
        execute(found, "ingest", ingest, "data/{workload}/rows")
        execute(found, "check", check, "data/{workload}/checked")
        execute(found, "split", split, "data/{workload}/split")
    return found


def test_every_text_of_the_training_file_is_a_labelled_row(work: Workload) -> None:
    told = read_json(work.data("rows", "rows.json"))
    assert (told["rows"], told["labelled"], told["groups"], told["repeats_left_out"]) == (2764, 2764, 137, 0)


def test_no_row_breaks_a_check_and_the_absent_columns_are_skipped_with_the_reason(work: Workload) -> None:
    verdict = read_json(work.data("checked", "verdict.json"))
    skipped = {result["kwargs"]["column"]: result["reason"] for result in verdict["checks"] if result["status"] == "skipped"}
    warned = {result["type"]: result["row_ids"] for result in verdict["checks"] if result["status"] == "fail"}
    assert (verdict["status"], verdict["quarantined"]) == ("pass", 0)
    assert warned == {"expect_undamaged_text": ["semeval2026-1606", "semeval2026-1607"]}
    assert skipped == {name: f"no column {name!r}" for name in ("language", "risk_level")}


def test_the_gap_holds_within_each_author_and_strata_that_are_absent_are_said_to_be(work: Workload) -> None:
    report = read_json(work.data("split", "split.json"))
    rows = read_table(work.data("checked", "rows.parquet")).join(read_table(work.data("split", "split.parquet")), on="row_id")
    last = rows.filter(pl.col("split") == "train").group_by("author_id").agg(last=pl.col("asked_at").max())
    future = rows.filter(pl.col("split") == "test_future").join(last, on="author_id")
    assert set(report["strata_skipped"]) == {"language", "risk_level"}
    assert future.height == report["parts"]["test_future"]["rows"] > 200
    assert (future["asked_at"] - future["last"]).dt.total_seconds().min() >= 7 * 86_400


def test_an_author_of_two_hundred_texts_has_a_history_of_every_label_before(work: Workload) -> None:
    rows = read_table(work.data("checked", "rows.parquet"))
    author = rows["author_id"].value_counts(sort=True)["author_id"][0]
    own = rows.filter(pl.col("author_id") == author).sort("asked_at")
    labels = own.select(pl.col("author_id").alias("key"), "row_id", "asked_at", "labelled_at", "created_at", "valence")
    state = temporal_state(labels, ["valence"])
    seen = own.join_asof(state, left_on="asked_at", right_on="event_timestamp")["valence_count"].fill_null(0)
    known = own.select(known_at()).to_series()
    assert seen.to_list() == [(known < asked).sum() for asked in own["asked_at"]]
    assert seen.max() == own.height - 1


def test_the_unlabelled_test_file_is_rows_of_the_same_contract(work: Workload) -> None:
    raw = rows_of_file(work, RAW / FOLDER / "test_subtask1.csv")
    rows = typed_rows(raw, work.contract, "test_subtask1")
    known = read_table(work.data("checked", "rows.parquet"))["author_id"].unique().to_list()
    assert (rows.height, rows["valence"].null_count(), rows["labelled_at"].null_count()) == (1737, 1737, 1737)
    assert (rows["author_id"].n_unique(), rows.filter(pl.col("author_id").is_in(known))["author_id"].n_unique()) == (91, 46)
