"""What the record of a version says of a candidate: where it comes from, down to the rows, and what it may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from pipelines.gates import TRAINING_SET
from pipelines.looks import kind_of
from pipelines.promotion.candidate import Candidate
from pipelines.promotion.proofs import verdicts
from watertight.core.contract import Target
from watertight.core.digests import json_digest
from watertight.core.tables import read_json, read_table
from watertight.evaluation.figures import of_cells
from watertight.registry.bundle import Manifest
from watertight.registry.records import Interface, VersionFacts

NAMED = ("target", "part", "metric", "figure", "low", "high", "rows", "groups", "row_set")


def facts(candidate: Candidate, look: Mapping[str, Any]) -> VersionFacts:
    """All that the record of a version says of it but its number. ``look``: the candidate's at the test sets."""
    work, manifest = candidate.work, candidate.bundle.manifest
    return VersionFacts(
        model=work.name,
        revision=candidate.found.commit,
        experiment=candidate.found.experiment,
        source=manifest.source,
        cell=manifest.cell,
        families=tuple(sorted({model.family for model in manifest.models})),
        interface=interface(manifest, work.contract.targets),
        service=manifest.service,
        signature=json_digest(manifest.signature),
        correction=manifest.correction.told if manifest.correction else "",
        views=view_digests(manifest.signature),
        encoders=read_json(work.data("training_set", "training_set.json"))["encoders"],
        drops=_drops(candidate),
        parts={part.name: part.part for part in work.ledger.drops},
        bundle=candidate.stored,
        manifest=candidate.manifest,
        stages=dict(candidate.stages),
        params=work.project.params[work.name],
        verdicts=verdicts(candidate),
        figures=_figures(candidate, look),
    )


def interface(manifest: Manifest, targets: Mapping[str, Target]) -> Interface:
    """What a caller of the bundle gives, keys and texts, and what it gets, each target with its kind."""
    signature = manifest.signature
    inputs = {text for model in manifest.models for text in model.texts}
    for view in signature["serves"].values():
        spec = signature["views"].get(view["view"])
        if spec:
            inputs.add(view["keys"].get(spec["join_key"], spec["join_key"]))
            inputs |= {name for texts in spec["texts"].values() for name in ([texts] if isinstance(texts, str) else texts)}
    predicted = {model.target for model in manifest.models if model.cell == manifest.cell}
    return Interface(inputs=tuple(sorted(inputs)), targets={name: kind_of(targets[name]) for name in sorted(predicted)})


def view_digests(signature: Mapping[str, Any]) -> dict[str, str]:
    """By the name under which it is served, the digest of all that fixes a view's columns: what fills it, its types and keys.

    An interaction view is what it is made of, the views that it reads among it.
    """
    found = {name: json_digest(_defined(signature, served)) for name, served in signature["serves"].items()}
    made = signature.get("interactions", {})
    return found | {name: json_digest([found[name], *_sources(made[name], found)]) for name in found if name in made}


def _defined(signature: Mapping[str, Any], served: Mapping[str, Any]) -> dict[str, Any]:
    view = served["view"]
    return {**served, **{part: signature.get(part, {}).get(view) for part in ("views", "types", "interactions")}}


def _sources(made: Mapping[str, Any], found: Mapping[str, str]) -> list[str]:
    return [found.get(made[side].partition("__")[0], "") for side in ("left", "right")]


def _drops(candidate: Candidate) -> dict[str, int]:
    """How many rows of the training set each drop brought."""
    counts = read_table(candidate.work.data(*TRAINING_SET), ["drop"]).group_by("drop").len().sort("drop")
    return dict(counts.iter_rows())


def _figures(candidate: Candidate, look: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Of all rows and the registered cell: out of fold, and of each test set."""
    evaluated: pl.DataFrame = read_table(candidate.work.artifacts("evaluate", "figures.parquet"))
    cell = candidate.bundle.manifest.cell
    both = pl.concat([evaluated, pl.DataFrame(look["figures"], schema=evaluated.schema)])
    own = both.filter((pl.col("cell") == cell) & (pl.col("slice") == "") & pl.col("figure").is_not_null())
    parts = own.partition_by("part", maintain_order=True)
    return tuple(row for part in parts for row in of_cells(part).select(NAMED).to_dicts())
