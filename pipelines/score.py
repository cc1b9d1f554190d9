"""score: final models on the test sets. Every look is recorded, so that nobody tunes on them unseen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.as_of import as_of
from pipelines.features import Features
from pipelines.gates import TRAINING_SET, demand_guarded
from pipelines.predict import bundle_of
from watertight.core.digests import file_digest, json_digest
from watertight.core.errors import Refusal
from watertight.core.project import Workload
from watertight.core.rows import TEST_SPLITS
from watertight.core.tables import read_json, read_table, replacing, write_json
from watertight.core.witness import witness
from watertight.evaluation.figures import cases, figures, figures_table, intervals_cover, of_cells, wide
from watertight.evaluation.intervals import apart
from watertight.inference.answers import answers, fitted
from watertight.learners.out_of_fold import output_columns
from watertight.registry.bundle import MANIFEST, Model


def score_test(work: Workload, every_cell: bool = False, drop: str | None = None) -> dict[str, Any]:
    """A look at the test sets by the registered bundle, or by every cell that was trained; as of ``drop``, or of now.

    ``figures``: a row per target, test split (``part``) and cell, each metric as figure, low and high, then rows, groups and
    row set. ``differences``, of ``every_cell``: the registered cell less each other on the same rows. ``intervals_cover``: of
    the registered cell, whether its intervals cover what they claim, overall and per slice.

    The look, with the records of ``FIGURES``, is written to ``models/<workload>/looks/``; the same models on the same rows
    are one look, however often it is asked for. Raises Refusal where guard has not passed this training set, where the workload
    has no test rows, or where a model was fitted on other rows than today's training rows.
    """
    demand_guarded(work, "the test sets are not looked at")
    bundle = bundle_of(Features(work))
    table = read_table(work.data(*TRAINING_SET))
    test = table.filter(pl.col("split").is_in(TEST_SPLITS) & ~pl.col("synthetic"))
    test = test if drop is None else as_of(work, test, drop)
    if test.is_empty():
        raise Refusal(
            "there are no test rows to score", expected="a share for test_groups or test_future, or test_drops, in params.yaml"
        )
    places = trained(work) if every_cell else bundle.places()
    _demand_same_training_rows([model for model, _ in places], table)
    registered = bundle.manifest.cell
    told = predicted(places, test).filter(pl.lit(every_cell) | (pl.col("cell") == registered))
    found = figures_table(_figures(work, test, told, registered))
    covered = [
        {"part": part, **line} for part in TEST_SPLITS for line in intervals_cover(of_cells(found.filter(part=part)), told)
    ]
    look = {
        "bundle": file_digest(bundle.folder / MANIFEST),
        "models": json_digest(sorted((model.folder, _files(folder)) for model, folder in places)),
        "figures": found.to_dicts(),
        "differences": list(_differences(work, test, told, registered)),
        "intervals_cover": [line for line in covered if line["cell"] == registered],
        **({} if drop is None else {"as_of": drop}),
    }
    record(work, look)
    return {**look, "figures": wide(of_cells(found).filter(pl.col("slice") == ""), "target", "part", "cell")}


def predicted(places: list[tuple[Model, Path]], rows: pl.DataFrame) -> pl.DataFrame:
    """Every model's outputs for ``rows`` (features and texts): row_id, target, cell, seed and the named outputs."""
    parts = []
    for model, outputs in answers(fitted(places), rows):
        named = {"target": pl.lit(model.target), "cell": pl.lit(model.cell), "seed": pl.lit(model.seed, dtype=pl.Int64)}
        parts.append(rows.select("row_id", **named).with_columns(output_columns(outputs)))
    return pl.concat(parts, how="diagonal")


def trained(work: Workload) -> list[tuple[Model, Path]]:
    """The final model of every cell with its folder, each after those that it stands over."""
    cells = read_json(work.artifacts("train", "train.json"))["cells"]
    return [(Model(**told), work.artifacts("train", told["folder"])) for told in cells]


def _files(folder: Path) -> list[str]:
    return [file_digest(file) for file in sorted(folder.iterdir())]


def _demand_same_training_rows(models: list[Model], table: pl.DataFrame) -> None:
    """Raise Refusal where models were fitted on other rows than today's training rows: on test rows, perhaps."""
    for model in models:
        fitted = table.filter((pl.col("split") == "train") & pl.col(model.target).is_not_null())
        if witness(fitted).digest != model.fitted_on:
            raise Refusal(
                f"the model of {model.target!r} was fitted on other rows than today's training rows",
                expected=f"the witness {model.fitted_on} of the model",
                next_step="dvc repro, so that split and models are of one run",
            )


def _figures(work: Workload, rows: pl.DataFrame, told: pl.DataFrame, registered: str) -> Iterator[dict[str, Any]]:
    """All rows of each test set for every cell, its slices for the registered one."""
    declared = work.params.evaluate
    for split in TEST_SPLITS:
        part = rows.filter(pl.col("split") == split)
        own = told.join(part.select("row_id"), on="row_id", how="semi")
        for case in cases(part, own, work.contract.targets, {}):
            yield from figures(case, declared.intervals, split)
        for case in cases(part, own.filter(pl.col("cell") == registered), work.contract.targets, declared.slices):
            if case.column:
                yield from figures(case, declared.intervals, split)


def _differences(work: Workload, rows: pl.DataFrame, told: pl.DataFrame, registered: str) -> Iterator[dict[str, Any]]:
    """The registered cell less each other, per target, test set, first seed and metric, with a paired interval."""
    for split in TEST_SPLITS:
        part = rows.filter(pl.col("split") == split)
        for (name,), cells in told.partition_by("target", as_dict=True, maintain_order=True).items():
            target, mine = work.contract.targets[str(name)], cells.filter(pl.col("cell") == registered)
            blind = mine.is_empty() or part[str(name)].is_null().all()
            for other in [] if blind else cells.filter(pl.col("cell") != registered)["cell"].unique(maintain_order=True):
                named = {"target": name, "part": split, "cell": registered, "other": other}
                beside = cells.filter(pl.col("cell") == other)
                lines = apart(part, mine, beside, str(name), target, work.params.evaluate.intervals)
                yield from ({**named, **line} for line in lines)


def record(work: Workload, look: dict[str, Any]) -> None:
    """Write a look at the test sets to ``models/<workload>/looks/``, under a name that is its digest."""
    place = work.project.root / "models" / work.name / "looks" / f"{json_digest(look)[:16]}.json"
    if place.is_file() and read_json(place) == look:
        return
    with replacing(place) as [draft]:
        write_json(look, draft)
