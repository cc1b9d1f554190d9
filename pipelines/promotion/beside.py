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
from watertight.core.digests import SHORT, json_digest
from watertight.core.errors import Refusal
from watertight.core.project import Project
from watertight.core.tables import read_json, read_table
from watertight.registry.bundle import Model
from watertight.registry.objects import Objects
from watertight.registry.records import Stored, VersionRecord

RowSets = dict[tuple[str, str], tuple[str, int]]
Seen = tuple[Path, dict[str, Any]]


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

    Raises Refusal where it never was, for these texts, labels and kinds of target, or where its answers are kept no more.
    """
    again = f"watertight rescore {record.model}#{stage}"
    seen = [(place, told) for place, told in looks_of(project, record) if _agree(told, look)]
    if not seen:
        raise Refusal(
            f"{record.model} {record.version} holds {stage}, and was not scored on these rows: {_told(project, record, look)}",
            expected="both on the same rows, labels and targets",
            next_step=again,
        )
    place, told = _fitting(seen, look, record, again)
    stored = Stored(**told["predictions"])
    try:
        objects.fetch(stored)
    except Refusal as error:
        raise Refusal(f"the answers of {record.model} {record.version} are gone: {error.what}", next_step=again) from error
    with TemporaryDirectory() as folder:
        objects.write(stored, file := Path(folder, "predictions.parquet"))
        return Beside(record.version, read_table(file), place.stem)


def _fitting(seen: Sequence[Seen], look: Mapping[str, Any], record: VersionRecord, again: str) -> Seen:
    """Of several looks the one with the candidate's own features, if there is one; else they must have answered alike."""
    alike = [(place, told) for place, told in seen if told["of"]["training_set"] == look["of"]["training_set"]]
    chosen = alike or list(seen)
    if len({told["predictions"]["md5"] for _, told in chosen}) > 1:
        raise Refusal(
            f"{record.model} {record.version} answered these rows differently at {len(chosen)} looks: its features changed",
            expected="one look with the features of today",
            next_step=f"git checkout the candidate's commit, and {again}",
        )
    return chosen[-1]


def looks_of(project: Project, record: VersionRecord) -> Iterator[Seen]:
    """The recorded looks at the test sets, as they are, by the bundle of ``record``, whose answers were kept.

    Raises Refusal where one was edited: its name is the digest of what it says.
    """
    for place in sorted((project.root / "models" / record.model / "looks").glob("*.json")):
        told = read_json(place)
        if told.get("bundle") == record.manifest and "of" in told and "predictions" in told and "as_of" not in told:
            if json_digest(told)[:SHORT] != place.stem:
                raise Refusal(f"the look {place.name} was edited", next_step=f"git checkout -- models/{record.model}/looks")
            yield place, told


def row_sets(look: Mapping[str, Any]) -> RowSets:
    """Per target and test set of a look the digest of its rows and labels, and how many they are."""
    return {(line["target"], line["part"]): (line["row_set"], line["rows"]) for line in look["figures"] if not line["slice"]}


def _agree(mine: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether two looks are of the same rows: labels, kinds and classes of the targets that both have, texts, keys, times."""
    shared = mine["of"]["targets"].keys() & asked["of"]["targets"].keys()
    kinds = all(mine["of"]["targets"][name] == asked["of"]["targets"][name] for name in shared)
    inputs = mine["of"]["inputs"] == asked["of"]["inputs"]
    return bool(shared) and kinds and inputs and _of(row_sets(mine), shared) == _of(row_sets(asked), shared)


def _of(sets: RowSets, targets: set[str]) -> RowSets:
    return {key: told for key, told in sets.items() if key[0] in targets}


def _told(project: Project, record: VersionRecord, look: Mapping[str, Any]) -> str:
    """In what the version's last look differs from the candidate's."""
    known = [told for _, told in looks_of(project, record)]
    if not known:
        return "its answers were not kept"
    mine, lines = row_sets(known[-1]), []
    for key, (digest, rows) in row_sets(look).items():
        own, count = mine.get(key, ("none", 0))
        if own != digest:
            lines.append(f"{key[0]} on {key[1]}: row set {own} ({count} rows), candidate {digest} ({rows} rows)")
    of, theirs = known[-1]["of"], look["of"]
    kinds = ((name, of["targets"].get(name), kind) for name, kind in theirs["targets"].items())
    lines += [f"{name} is {kind}, was {was}" for name, was, kind in kinds if was != kind]
    return "; ".join(lines) or "their texts, keys or times differ"


def baseline(candidate: Candidate, declared: Sequence[str], rows: pl.DataFrame, targets: Sequence[str]) -> Beside:
    """What the first of the ``declared`` baselines that has the target answers, for each of ``targets``.

    Raises Refusal where a target has none: a first version has to be better than something.
    """
    places = trained(candidate.work)
    told = predicted([(model, folder) for model, folder in places if model.cell in _needed(candidate, declared, places)], rows)
    parts = {target: part for target in targets if (part := _first(candidate, declared, told, target))}
    lacking = [target for target in targets if target not in parts]
    if lacking:
        raise Refusal(
            f"no version in the stage predicts {', '.join(lacking)}, and no baseline does",
            expected="a cell in evaluate.baselines that predicts each target, for the first version to be better than",
            next_step="name a baseline in params.yaml",
        )
    cells = dict.fromkeys(cell for cell, _ in parts.values())
    return Beside(f"cell {', '.join(cells)}", pl.concat([part for _, part in parts.values()], how="diagonal"))


def _needed(candidate: Candidate, declared: Sequence[str], places: list[tuple[Model, Path]]) -> set[str]:
    """The declared baselines, and every cell that one of them stands over."""
    needed = {*declared} - {candidate.bundle.manifest.cell}
    for model, _ in reversed(places):
        needed |= set(model.over) if model.cell in needed else set()
    return needed


def _first(candidate: Candidate, declared: Sequence[str], told: pl.DataFrame, target: str) -> tuple[str, pl.DataFrame] | None:
    for cell in declared:
        mine = told.filter((pl.col("cell") == cell) & (pl.col("target") == target))
        if not mine.is_empty() and cell != candidate.bundle.manifest.cell:
            return cell, of_cell(mine, cell)
    return None
