"""The gate of drift on a built project: what it asks of which columns, and when it blocks."""

from __future__ import annotations

import polars as pl
import pytest
from tiny_project import TRAINING_SET, TinyProject

from pipelines.drift import judge_drift
from pipelines.features import Features
from watertight.checks.verdict import CheckResult, Verdict

REFERENCE = ("first",)


@pytest.fixture(scope="module")
def joined(built: TinyProject) -> pl.DataFrame:
    """The training set as two drops: a third of the authors come with the second. Eight times as many authors as there are."""
    copies = [pl.concat_str("group_id", pl.lit(f"-{number}")).alias("group_id") for number in range(8)]
    table = pl.concat([built.table(TRAINING_SET).with_columns(copy) for copy in copies])
    late = pl.col("group_id").hash(5) % 3 == 0
    return table.with_columns(drop=pl.when(late).then(pl.lit("second")).otherwise(pl.lit("first")))


def judged(project: TinyProject, frame: pl.DataFrame, reference: tuple[str, ...] | None = REFERENCE) -> Verdict:
    return judge_drift(project.work, frame, Features(project.work), reference)


def of(verdict: Verdict, kind: str) -> list[CheckResult]:
    return [result for result in verdict.results if result.type == f"expect_{kind}_unchanged"]


def test_a_drop_like_the_first_passes(project: TinyProject, joined: pl.DataFrame) -> None:
    verdict = judged(project, joined)
    verdict.demand()
    assert {result.status for result in of(verdict, "features")} == {"pass"}
    assert [result.kwargs["column"] for result in of(verdict, "text")] == list(project.work.contract.text)
    content, past = of(verdict, "features")
    assert (content.kwargs["views"], content.severity, past.severity) == (["tiny_lexical"], "critical", "info")
    assert set(past.kwargs["views"]) == {"tiny_history", "tiny_now"}
    assert content.figures["tested"] == sum(name.startswith("tiny_lexical__") for name in Features(project.work).model_columns)


def test_content_that_drifted_blocks_and_the_past_does_not(project: TinyProject, joined: pl.DataFrame) -> None:
    second = pl.col("drop") == "second"
    name, grown = "tiny_lexical__word_count_log", "tiny_history__mood_count"
    moved = {one: pl.when(second).then(pl.col(one).fill_null(0) + 50).otherwise(pl.col(one)) for one in (name, grown)}
    blocking = judged(project, joined.with_columns(**moved)).blocking
    assert [(result.type, result.columns) for result in blocking] == [("expect_features_unchanged", (name,))]
    judged(project, joined.with_columns(**{grown: moved[grown]})).demand()


def test_without_a_profile_nothing_is_judged_and_nothing_blocks(project: TinyProject, joined: pl.DataFrame) -> None:
    verdict = judged(project, joined, None)
    verdict.demand()
    assert {(result.status, result.reason) for result in verdict.results} == {
        ("skipped", "no reference profile is frozen: watertight profile WORKLOAD")
    }


def test_rows_whose_features_are_not_joined_yet_are_judged_by_their_text(project: TinyProject, joined: pl.DataFrame) -> None:
    verdict = judged(project, joined.drop(Features(project.work).model_columns))
    assert {result.status for result in of(verdict, "features")} == {"skipped"}
    assert {result.status for result in of(verdict, "text")} == {"pass"}


def test_a_bound_of_the_workload_takes_the_place_of_the_usual_one(project: TinyProject, joined: pl.DataFrame) -> None:
    second, name = pl.col("drop") == "second", "tiny_lexical__word_count_log"
    moved = joined.with_columns(pl.when(second).then(pl.col(name) + 50).otherwise(name).alias(name))
    suite = project.root / "expectations" / "tiny.yaml"
    declared = "drift:\n  - {type: expect_features_unchanged, kwargs: {views: [tiny_lexical], psi: 100}}\n"
    suite.write_text(suite.read_text(encoding="utf-8") + declared, encoding="utf-8")
    verdict = judged(project, moved)
    verdict.demand()
    assert [result.kwargs for result in of(verdict, "features")] == [{"views": ["tiny_lexical"], "psi": 100}]
