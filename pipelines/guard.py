"""guard: refuse a training set that leaks, on the evidence of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines.features import Features, Served
from pipelines.stage import run
from watertight.checks.suite import Check, declared, judge, required
from watertight.core.errors import Misuse
from watertight.core.project import Workload
from watertight.core.tables import read_table, write_json
from watertight.core.view_spec import evidence_column


def guard(work: Workload, out: Path) -> None:
    """The verdict on the training set; the stage fails where a critical check does."""
    table = read_table(work.data("training_set", "training_set.parquet"))
    evidence = map(required, [*_promised(work), *evidence_checks(Features(work))])
    checks = [*declared("training_set", work.expectations), *evidence]
    verdict = judge("training_set", table, checks)
    verdict.demand()
    write_json(verdict.summary(), out / "verdict.json")


def evidence_checks(features: Features) -> Iterator[Check]:
    """The time contract for every served view, asked of what the join returned.

    Raises Misuse where the service leaves out a column that the evidence stands in: without it nothing can be proven.
    """
    for view in features.served("content"):
        yield _known(features, view, strict=False)
    for view in features.served("labels"):
        yield _known(features, view, strict=True)
        for label in view.spec.labels:
            column = _served(features, f"{view.name}__{label}_count")
            yield Check(type="expect_history_to_match_rows", kwargs={"key": view.key, "label": label, "column": column})


def _known(features: Features, view: Served, *, strict: bool) -> Check:
    column = _served(features, evidence_column(view.name))
    return Check(type="expect_known_when_asked", kwargs={"column": column, "strict": strict})


def _served(features: Features, column: str) -> str:
    if column not in features.columns:
        raise Misuse(
            f"service {features.service.name!r} leaves out {column!r}, which the guard needs as evidence",
            column=column,
            next_step="add the feature to the service, or serve the whole view",
        )
    return column


def _promised(work: Workload) -> Iterator[Check]:
    yield Check(type="expect_future_after_training", kwargs={"gap_days": work.params.split.test_future.gap_days})


if __name__ == "__main__":
    run("guard", guard, "artifacts/{workload}/guard")
