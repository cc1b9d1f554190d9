"""rescore: the version that holds a stage answers today's test rows, so that a candidate can be set beside it on these."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from pipelines.figures import as_text as figures_as_text
from pipelines.gates import TRAINING_SET, demand_guarded
from pipelines.looks import kept, kind_of, look_at, predicted, record, test_rows
from pipelines.promotion.candidate import Candidate, candidate_of, out_of
from pipelines.promotion.record import view_digests
from pipelines.promotion.tree import demand_committed
from watertight.core.errors import Refusal
from watertight.core.project import Project
from watertight.core.tables import read_json, read_table
from watertight.evaluation.figures import figures_table, of_cells, wide
from watertight.inference.kept import kept as kept_bundle
from watertight.registry.bundle import Bundle
from watertight.registry.history import Registry
from watertight.registry.objects import Objects
from watertight.registry.records import Stored, VersionRecord

PROVEN = "its answers would prove nothing"


def rescore(project: Project, name: str, version: str | None, stage: str | None) -> dict[str, Any]:
    """A look at today's test rows, those of the commit that is checked out, by a version of the registry; it is recorded.

    Raises Refusal where the version was fitted on one of these rows or, for whole groups held out, on their group; where its
    features are not those of today's definitions, so that its columns would mean something else; or where guard did not pass.
    """
    demand_committed(project)
    champion = Registry(project.root, name).resolve(version, stage)
    objects, bundle = Objects(project.root), kept_bundle(project.root, champion)
    with candidate_of(project, name, "HEAD", objects) as today:
        demand_guarded(today.work, PROVEN)
        _demand_same_features(champion, bundle, today)
        _demand_same_targets(champion, today)
        rows = test_rows(read_table(today.work.data(*TRAINING_SET)))
        _demand_unseen(champion, rows, objects)
        told = predicted(bundle.places(), rows).filter(pl.col("cell") == bundle.manifest.cell)
        look = look_at(today.work, bundle, rows, bundle.places(), told)
        look["predictions"] = kept(project.root, told, bundle.manifest.cell)
        objects.push(Stored(**look["predictions"]))
    place = record(project, name, look)
    shown = of_cells(figures_table(look["figures"])).filter(pl.col("slice") == "")
    return {
        "model": name,
        "version": champion.version,
        "look": place.stem,
        "figures": wide(shown, "target", "part", "cell"),
    }


def _demand_same_features(champion: VersionRecord, bundle: Bundle, today: Candidate) -> None:
    """Raise Refusal where a view that the champion reads is gone, or made in another way, or by another encoder."""
    told = read_json(today.work.data("training_set", "training_set.json"))
    known = view_digests(told["signature"])
    read = {column.partition("__")[0] for model in bundle.manifest.models for column in model.columns}
    changed = sorted(view for view in read if champion.views.get(view) != known.get(view))
    encoders = sorted(name for name, digest in champion.encoders.items() if told["encoders"].get(name) != digest)
    if changed or encoders:
        raise Refusal(
            f"{champion.model} {champion.version} reads features that are not today's: {', '.join([*changed, *encoders])}",
            expected="the views and encoders that it was fitted on",
            next_step="keep its views beside the new ones (a new name for what is new) until it is replaced, and dvc repro",
        )


def _demand_same_targets(champion: VersionRecord, today: Candidate) -> None:
    """Raise Refusal where a target of the champion is gone, or its classes lie in another order: its answers would mislead."""
    known = {name: kind_of(target) for name, target in today.work.contract.targets.items()}
    fitted = champion.interface.targets
    other = [f"{name} ({kind}, now {known.get(name)})" for name, kind in fitted.items() if known.get(name) != kind]
    if other:
        raise Refusal(
            f"{champion.model} {champion.version} predicts what is not a target today: {', '.join(other)}",
            expected="the targets that it was fitted for",
            next_step="promote with --force --reason WHY: there is nothing to compare",
        )


def _demand_unseen(champion: VersionRecord, rows: pl.DataFrame, objects: Objects) -> None:
    """Raise Refusal where the champion was fitted on a test row, or on a row of a group that is held out whole."""
    fitted = _roles(champion, objects).filter(pl.col("split") == "train")
    whole = pl.col("split").is_in(["test_groups", "test_drops"]) & pl.col("group_id").is_in(fitted["group_id"].unique().to_list())
    seen = rows.filter(pl.col("row_id").is_in(fitted["row_id"].to_list()) | whole)
    if not seen.is_empty():
        raise Refusal(
            f"{champion.model} {champion.version} was fitted on rows, or groups, that are test rows today; {PROVEN}",
            rows=seen["row_id"].to_list(),
            expected="test rows that no model has seen",
            next_step="keep the split as it was (its seed, shares and strata), or promote with --force --reason WHY",
        )


def _roles(champion: VersionRecord, objects: Objects) -> pl.DataFrame:
    """row_id, group_id and split of the training set that the champion was fitted on."""
    folder = out_of(champion.stages, f"data/{champion.model}/training_set")
    stored = Stored(md5=objects.files(folder)[TRAINING_SET[-1]], size=0)
    objects.fetch(stored)
    with TemporaryDirectory() as place:
        objects.write(stored, file := Path(place, TRAINING_SET[-1]))
        return read_table(file, ["row_id", "group_id", "split"])


def as_text(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What was scored, and the figures as tables."""
    told = {name: answer[name] for name in ("model", "version", "look")}
    return told | figures_as_text(answer["figures"], "target", "part")
