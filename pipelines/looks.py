"""A look at the test sets: what models answered for these rows, its figures, and a record of it that stays."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from pipelines.gates import TRAINING_SET
from pipelines.promotion.predictions import of_cell
from watertight.core.contract import Target
from watertight.core.digests import file_digest, json_digest
from watertight.core.errors import Refusal
from watertight.core.project import Project, Workload
from watertight.core.rows import TEST_SPLITS
from watertight.core.tables import read_json, replacing, write_json, write_table
from watertight.core.time import microseconds
from watertight.evaluation.figures import cases, figures, figures_table, intervals_cover, of_cells
from watertight.evaluation.intervals import apart, first_seed
from watertight.evaluation.ranked import with_ranks
from watertight.inference.answers import answers, fitted
from watertight.learners.out_of_fold import output_columns
from watertight.registry.bundle import MANIFEST, Bundle, Model
from watertight.registry.objects import Objects

Places = list[tuple[Model, Path]]


def test_rows(table: pl.DataFrame) -> pl.DataFrame:
    """The rows of a training set that stand in a test split and were not made; raises Refusal where there are none."""
    return demand_some(table.filter(pl.col("split").is_in(TEST_SPLITS) & ~pl.col("synthetic")))


def demand_some(rows: pl.DataFrame) -> pl.DataFrame:
    """The test ``rows``; raises Refusal where there are none."""
    if rows.is_empty():
        raise Refusal(
            "there are no test rows to score", expected="a share for test_groups or test_future, or test_drops, in params.yaml"
        )
    return rows


def predicted(places: list[tuple[Model, Path]], rows: pl.DataFrame) -> pl.DataFrame:
    """Every model's outputs for ``rows`` (features and texts): row_id, target, cell, seed and the named outputs."""
    parts = []
    for model, outputs in answers(fitted(places), rows):
        named = {"target": pl.lit(model.target), "cell": pl.lit(model.cell), "seed": pl.lit(model.seed, dtype=pl.Int64)}
        parts.append(rows.select("row_id", **named).with_columns(output_columns(outputs)))
    return pl.concat(parts, how="diagonal")


def look_at(
    work: Workload, bundle: Bundle, rows: pl.DataFrame, places: Places, told: pl.DataFrame, bank: pl.DataFrame | None = None
) -> dict[str, Any]:
    """The look at test ``rows`` by the models at ``places``, which answered ``told``; slices are of the bundle's cell alone.

    ``bank``: the out-of-fold predictions of the same cells, for inductive corrections for hubs; without it they are not told.
    """
    registered = bundle.manifest.cell
    found = figures_table(_figures(work, rows, told, registered, bank))
    covered = [
        {"part": part, **line} for part in TEST_SPLITS for line in intervals_cover(of_cells(found.filter(part=part)), told)
    ]
    return {
        "bundle": file_digest(bundle.folder / MANIFEST),
        "of": {
            "inputs": inputs_digest(rows, work),
            "targets": {name: kind_of(work.contract.targets[name]) for name in told["target"].unique().sort()},
            "training_set": file_digest(work.data(*TRAINING_SET)),
        },
        "models": json_digest(sorted((model.folder, _files(folder)) for model, folder in places)),
        "figures": found.to_dicts(),
        "differences": list(_differences(work, rows, told, registered)),
        "intervals_cover": [line for line in covered if line["cell"] == registered],
    }


def kind_of(target: Target) -> str:
    """A target's kind, and how its outputs lie: the classes in their order, or the dimension."""
    sized = f": {target.dimension}" if target.dimension else f": {', '.join(target.classes or ())}" if target.classes else ""
    return f"{target.kind}{sized}"


def inputs_digest(rows: pl.DataFrame, work: Workload) -> str:
    """Digest of what test rows are but for their labels: ids, groups, keys, texts, splits and the times of asking."""
    own = ["row_id", "group_id", "split", "asked_at", *work.contract.keys, *work.contract.text]
    known = [name for name in dict.fromkeys(own) if name in rows.columns]
    return json_digest([known, rows.select(known).sort("row_id").with_columns(microseconds("asked_at")).rows()])


def kept(root: Path, told: pl.DataFrame, cell: str) -> dict[str, Any]:
    """What ``cell`` answered, put into DVC's cache of the project at ``root``: how a look names it."""
    with TemporaryDirectory() as folder:
        write_table(of_cell(told, cell), file := Path(folder, "predictions.parquet"))
        return Objects(root).keep(file).model_dump(mode="json")


def record(project: Project, name: str, look: dict[str, Any]) -> Path:
    """Write a look to ``models/<name>/looks/`` under a name that is its digest: the same models on the same rows are one look."""
    place = project.root / "models" / name / "looks" / f"{json_digest(look)[:16]}.json"
    if place.is_file() and read_json(place) == look:
        return place
    with replacing(place) as [draft]:
        write_json(look, draft)
    return place


def _files(folder: Path) -> list[str]:
    return [file_digest(file) for file in sorted(folder.iterdir())]


def _figures(
    work: Workload, rows: pl.DataFrame, told: pl.DataFrame, registered: str, bank: pl.DataFrame | None
) -> Iterator[dict[str, Any]]:
    """All rows of each test set for every cell, its slices for the registered one."""
    declared = work.params.evaluate
    for split in TEST_SPLITS:
        part = rows.filter(pl.col("split") == split)
        own = told.join(part.select("row_id"), on="row_id", how="semi")
        for case in cases(part, own, work.contract.targets, {}, declared, bank):
            yield from figures(case, declared.intervals, split)
        mine = own.filter(pl.col("cell") == registered)
        for case in cases(part, mine, work.contract.targets, declared.slices, declared, bank) if declared.slices else ():
            if case.column:
                yield from figures(case, declared.intervals, split)


def _differences(work: Workload, rows: pl.DataFrame, told: pl.DataFrame, registered: str) -> Iterator[dict[str, Any]]:
    """The registered cell less each other, per target, test set, first seed and metric, with a paired interval."""
    for split in TEST_SPLITS:
        part = rows.filter(pl.col("split") == split)
        for (name,), cells in told.partition_by("target", as_dict=True, maintain_order=True).items():
            target, mine = work.contract.targets[str(name)], cells.filter(pl.col("cell") == registered)
            ranked = partial(with_ranks, rows=part, name=str(name), target=target, declared=work.params.evaluate)
            blind = mine.is_empty() or part[str(name)].is_null().all()
            for other in [] if blind else cells.filter(pl.col("cell") != registered)["cell"].unique(maintain_order=True):
                named = {"target": name, "part": split, "cell": registered, "other": other}
                beside = cells.filter(pl.col("cell") == other)
                one, two = (ranked(first_seed(told)) for told in (mine, beside))
                lines = apart(part, one, two, str(name), target, work.params.evaluate.intervals)
                yield from ({**named, **line} for line in lines)
