"""guard: refuse a training set that leaks, on the evidence of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from feast.feature_view_projection import FeatureViewProjection

from pipelines.drift import judge_drift
from pipelines.features import Features, Served
from pipelines.gates import TRAINING_SET
from pipelines.stage import run
from watertight.checks.suite import Check, declared, judge, required
from watertight.core.digests import file_digest
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Workload
from watertight.core.tables import read_json, read_table, write_json
from watertight.core.view_spec import evidence_column
from watertight.stores.definitions import projections


def guard(work: Workload, out: Path) -> None:
    """The verdict on the training set; the stage fails where a critical check does.

    Beside it a verdict on drift, of all that is not of the reference profile: it is told and blocks nothing, since a drop is
    judged before it is let in.
    """
    table, features = read_table(work.data(*TRAINING_SET)), Features(work)
    evidence = map(required, [*_promised(work), *evidence_checks(features)])
    checks = [*declared("training_set", work.expectations), *evidence]
    beside = {
        "superseded": read_table(work.data("checked", "superseded.parquet")),
        "features": tuple(read_json(work.data("training_set", "training_set.json"))["features"]),
        "targets": work.contract.targets,
        "texts": work.contract.text,
        "asked": read_table(work.data("checked", "rows.parquet"), ["row_id"])["row_id"].to_list(),
    }
    verdict = judge("training_set", table, checks, work.params.waive, **beside)
    verdict.demand()
    reference = work.ledger.reference
    drift = judge_drift(work, table, features, reference.drops if reference else None)
    write_json({**verdict.summary(), "of": file_digest(work.data(*TRAINING_SET))}, out / "verdict.json")
    write_json(drift.summary(), out / "drift.json")


def evidence_checks(features: Features) -> Iterator[Check]:
    """The time contract for every served view, asked of what the join returned.

    Raises Refusal where it joins a view of a target, and Misuse where the service leaves out a column that the evidence
    stands in: without it nothing can be proven.
    """
    _refuse_targets(features)
    _demand_evidence(features)
    for view in features.served("content"):
        yield _known(features, view, strict=False)
    for view in features.served("labels"):
        yield _known(features, view, strict=True)
        yield Check(type="expect_history_within_groups", kwargs={"key": view.key})
        for label in view.spec.labels:
            joined = {name: _served(features, f"{view.name}__{label}_{name}") for name in ("count", "mean")}
            kwargs = {"key": view.key, "label": label, "column": joined["count"], "mean": joined["mean"]}
            yield Check(type="expect_history_to_match_rows", kwargs=kwargs)


def _refuse_targets(features: Features) -> None:
    """Raise Refusal for a view that holds a target, be it served itself or behind an on-demand view."""
    holding = {name: spec.labels[0] for name, spec in features.specs.items() if spec.derived_from == "target"}
    served = [view["view"] for view in projections(features.service).values()]
    for name in (*served, *(source.name for source in _behind(features))):
        if name in holding:
            raise Refusal(
                f"service {features.service.name!r} joins view {name!r}, which holds the target {holding[name]!r} itself",
                column=holding[name],
                expected="views of content, or of labels that were known: this one is there to be searched, and never joined",
                next_step="leave the view out of the service",
            )


def _behind(features: Features) -> list[FeatureViewProjection]:
    """The views that the served on-demand views read."""
    on_demand = [features.definitions.on_demand.get(name) for name in projections(features.service)]
    return [source for view in on_demand if view for source in view.source_feature_view_projections.values()]


def _demand_evidence(features: Features) -> None:
    """Raise Misuse for a served feature of which nothing can be proven, be it served itself or behind an on-demand view."""
    proven = {view.name for kind in ("content", "labels") for view in features.served(kind)}
    plain = [name for name in projections(features.service) if name not in features.definitions.on_demand]
    for name in (*plain, *(source.name_to_use() for source in _behind(features))):
        if name not in proven:
            raise Misuse(
                f"nothing can be proven of view {name!r}: service {features.service.name!r} serves no evidence for it",
                expected="a view made by watertight.features.views, served itself where an on-demand view reads it",
                next_step="add the view, with its source_at, to the service, or leave out what depends on it",
            )


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
    params = work.params.split
    yield Check(type="expect_future_after_training", kwargs={"gap_days": params.test_future.gap_days})
    if params.folds_by == "time":
        yield Check(type="expect_embargo_between_folds", kwargs={"days": params.embargo_days})


if __name__ == "__main__":
    run("guard", guard, "artifacts/{workload}/guard")
