"""What a candidate is set beside: the version that holds the stage, on the very same rows, or a baseline where none does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from pipelines.looks import predicted
from pipelines.promotion.candidate import Candidate
from pipelines.promotion.predictions import of_cell
from pipelines.score import trained
from watertight.core.errors import Refusal
from watertight.core.project import Project
from watertight.core.tables import read_json, read_table
from watertight.registry.bundle import Model
from watertight.registry.objects import Objects
from watertight.registry.records import Stored, VersionRecord

RowSets = dict[tuple[str, str], tuple[str, int]]


@dataclass(frozen=True)
class Beside:
    """``name``: a version, or ``cell <baseline>``. ``predictions``: target, row_id, outputs. ``look``: the name of its look."""

    name: str
    predictions: pl.DataFrame
    look: str = ""

    def with_(self, other: Beside) -> Beside:
        """Both, for targets that only the other one has."""
        both = pl.concat([self.predictions, other.predictions], how="diagonal")
        return Beside(f"{self.name}, and {other.name} for what it lacks", both, self.look)


def champion(project: Project, record: VersionRecord, look: Mapping[str, Any], stage: str, objects: Objects) -> Beside:
    """What the version ``record`` answered for the rows of the candidate's ``look``, when it was looked at with them.

    Raises Refusal where it never was: it saw other rows or labels.
    """
    asked = row_sets(look)
    seen = [(place, told) for place, told in looks_of(project, record) if _agree(row_sets(told), asked)]
    if not seen:
        raise Refusal(
            f"{record.model} {record.version} holds {stage}, and was not scored on these rows: {_told(project, record, asked)}",
            expected="both on one row set",
            next_step=f"watertight rescore {record.model}#{stage}",
        )
    place, told = seen[-1]
    stored = Stored(**told["predictions"])
    objects.fetch(stored)
    with TemporaryDirectory() as folder:
        objects.write(stored, file := Path(folder, "predictions.parquet"))
        return Beside(record.version, read_table(file), place.stem)


def looks_of(project: Project, record: VersionRecord) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The recorded looks at the test sets, as they are, by the bundle of ``record``, whose answers were kept."""
    for place in sorted((project.root / "models" / record.model / "looks").glob("*.json")):
        told = read_json(place)
        if told.get("bundle") == record.manifest and "predictions" in told and "as_of" not in told:
            yield place, told


def row_sets(look: Mapping[str, Any]) -> RowSets:
    """Per target and test set of a look the digest of its rows and labels, and how many they are."""
    return {(line["target"], line["part"]): (line["row_set"], line["rows"]) for line in look["figures"] if not line["slice"]}


def _agree(mine: RowSets, asked: RowSets) -> bool:
    """Whether two looks are of the same rows and labels, for the targets that both have."""
    shared = {target for target, _ in mine} & {target for target, _ in asked}
    return bool(shared) and _of(mine, shared) == _of(asked, shared)


def _of(sets: RowSets, targets: set[str]) -> RowSets:
    return {key: told for key, told in sets.items() if key[0] in targets}


def _told(project: Project, record: VersionRecord, asked: RowSets) -> str:
    known = [row_sets(told) for _, told in looks_of(project, record)]
    if not known:
        return "its answers were not kept"
    lines = []
    for key, (digest, rows) in asked.items():
        mine, count = known[-1].get(key, ("none", 0))
        if mine != digest:
            lines.append(f"{key[0]} on {key[1]}: row set {mine} ({count} rows), candidate {digest} ({rows} rows)")
    return "; ".join(lines) or "it has none of the candidate's targets"


def baseline(candidate: Candidate, rows: pl.DataFrame, targets: Sequence[str]) -> Beside:
    """What the first declared baseline that has the target answers, for each of ``targets``.

    Raises Refusal where a target has none: a first version has to be better than something.
    """
    places = trained(candidate.work)
    told = predicted([(model, folder) for model, folder in places if model.cell in _needed(candidate, places)], rows)
    parts = {target: part for target in targets if (part := _first(candidate, told, target))}
    lacking = [target for target in targets if target not in parts]
    if lacking:
        raise Refusal(
            f"no version in the stage predicts {', '.join(lacking)}, and no baseline does",
            expected="a cell in evaluate.baselines that predicts each target, for the first version to be better than",
            next_step="name a baseline in params.yaml",
        )
    cells = dict.fromkeys(cell for cell, _ in parts.values())
    return Beside(f"cell {', '.join(cells)}", pl.concat([part for _, part in parts.values()], how="diagonal"))


def _needed(candidate: Candidate, places: list[tuple[Model, Path]]) -> set[str]:
    """The declared baselines, and every cell that one of them stands over."""
    needed = {*candidate.work.params.evaluate.baselines} - {candidate.bundle.manifest.cell}
    for model, _ in reversed(places):
        needed |= set(model.over) if model.cell in needed else set()
    return needed


def _first(candidate: Candidate, told: pl.DataFrame, target: str) -> tuple[str, pl.DataFrame] | None:
    for cell in candidate.work.params.evaluate.baselines:
        mine = told.filter((pl.col("cell") == cell) & (pl.col("target") == target))
        if not mine.is_empty() and cell != candidate.bundle.manifest.cell:
            return cell, of_cell(mine, cell)
    return None
