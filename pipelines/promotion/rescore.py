"""rescore: the version that holds a stage answers today's test rows, so that a candidate can be set beside it on these."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from pipelines.gates import TRAINING_SET, demand_guarded
from pipelines.looks import kept, look_at, predicted, record, test_rows
from pipelines.promotion.candidate import Candidate, candidate_of, out_of
from pipelines.promotion.record import view_digests
from pipelines.promotion.tree import demand_committed
from watertight.core.digests import file_digest
from watertight.core.errors import Refusal
from watertight.core.project import Project
from watertight.core.tables import read_json, read_table
from watertight.evaluation.figures import figures_table, of_cells, wide
from watertight.registry.bundle import MANIFEST, Bundle, open_bundle
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
    with (
        TemporaryDirectory() as folder,
        Objects(project.root) as objects,
        candidate_of(project, name, "HEAD", objects) as today,
    ):
        demand_guarded(today.work, PROVEN)
        bundle = _bundle(champion, objects, Path(folder, "bundle"))
        _demand_same_features(champion, bundle, today)
        rows = test_rows(read_table(today.work.data(*TRAINING_SET)))
        _demand_unseen(champion, rows, objects, Path(folder))
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


def _bundle(champion: VersionRecord, objects: Objects, to: Path) -> Bundle:
    objects.fetch(champion.bundle)
    objects.write(champion.bundle, to)
    bundle = open_bundle(to)
    if file_digest(to / MANIFEST) != champion.manifest:
        raise Refusal(
            f"the bundle of {champion.model} {champion.version} is not the one that was promoted",
            expected=f"a manifest with sha256 {champion.manifest}",
            next_step=f"watertight verify {champion.model}",
        )
    return bundle


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


def _demand_unseen(champion: VersionRecord, rows: pl.DataFrame, objects: Objects, folder: Path) -> None:
    """Raise Refusal where the champion was fitted on a test row, or on a row of a group that is held out whole."""
    stored = out_of(champion.stages, f"data/{champion.model}/training_set")
    objects.fetch(stored)
    objects.write(stored, folder / "training_set")
    table = read_table(folder / "training_set" / "training_set.parquet", ["row_id", "group_id", "split"])
    fitted = table.filter(pl.col("split") == "train")
    whole = pl.col("split").is_in(["test_groups", "test_drops"]) & pl.col("group_id").is_in(fitted["group_id"].unique().to_list())
    seen = rows.filter(pl.col("row_id").is_in(fitted["row_id"].to_list()) | whole)
    if not seen.is_empty():
        raise Refusal(
            f"{champion.model} {champion.version} was fitted on rows, or groups, that are test rows today; {PROVEN}",
            rows=seen["row_id"].to_list(),
            expected="test rows that no model has seen",
            next_step="keep the split as it was (its seed, shares and strata), or promote with --force --reason WHY",
        )


def as_text(answer: Mapping[str, Any], table: str) -> str:
    """What was scored, and the figures as a table."""
    return f"{answer['model']} {answer['version']} on today's test rows, look {answer['look']}\n{table}"
