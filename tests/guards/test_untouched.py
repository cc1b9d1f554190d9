"""The clean twin of every planted leak: the untouched project passes every gate, with nothing skipped."""

from __future__ import annotations

import polars as pl
import pytest
from tiny_project import STAGES, TRAINING_SET, TinyProject, digests

WARNED = {
    "rows": set(),
    "split": {"expect_no_duplicates_across_splits"},
    "training_set": {"expect_no_constant_feature", "expect_null_share_below", "expect_train_like_test"},
}


@pytest.mark.parametrize(
    ("place", "gate"),
    [
        ("data/tiny/checked/verdict.json", "rows"),
        ("data/tiny/split/split.json", "split"),
        ("artifacts/tiny/guard/verdict.json", "training_set"),
    ],
)
def test_every_check_passes(built: TinyProject, place: str, gate: str) -> None:
    """Or warns of what so small and regular a project cannot help."""
    verdict = built.verdict(place)
    failed = {check["type"]: check["severity"] for check in verdict["checks"] if check["status"] == "fail"}
    assert (verdict["gate"], verdict["status"], failed) == (gate, "pass", dict.fromkeys(WARNED[gate], "warning"))
    assert verdict["counts"]["skipped"] == 0


def test_the_predictions_pass(built: TinyProject) -> None:
    for verdict in built.verdict("artifacts/tiny/evaluate/evaluation.json")["verdicts"]:
        assert verdict["counts"] == {"pass": len(verdict["checks"]), "fail": 0, "skipped": 0}


def test_running_every_stage_again_changes_no_byte(project: TinyProject) -> None:
    before = digests(project.root)
    project.execute(*STAGES)
    assert digests(project.root) == before


def test_the_tied_instants_are_joined_and_do_not_show_the_label_of_that_instant(built: TinyProject) -> None:
    seen = built.table(TRAINING_SET).select("row_id", count=pl.col("tiny_history__mood_count").fill_null(0))
    counts = dict(seen.iter_rows())
    assert (counts["a00-2"], counts["a00-3"]) == (1, 3)
    assert (counts["a01-3"], counts["a01-4"]) == (1, 3)
    assert (counts["a06-3"], counts["a06-4"]) == (1, 3)


def test_every_place_of_a_row_is_there_to_be_tampered_with(built: TinyProject) -> None:
    """The planted leaks below name rows; this says what those rows are before anybody touches them."""
    places = {
        row: (split, fold is not None)
        for row, split, fold in built.table(TRAINING_SET).select("row_id", "split", "fold").iter_rows()
    }
    assert places["a05-1"] == places["a05-1-child"] == ("train", True)
    assert places["a05-4"] == ("embargo", False)
    assert places["a05-5"] == places["a08-5"] == ("test_future", False)
    assert places["a08-5-child"] == places["a03-1-child"] == ("embargo", False)
    assert places["a03-1"] == ("test_groups", False)
    assert places["a02-5"] == ("unlabelled", False)
