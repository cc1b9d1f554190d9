"""score: final models on the test sets. Every look is recorded, so that nobody tunes on them unseen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipelines.as_of import as_of
from pipelines.features import Features
from pipelines.gates import PREDICTIONS, TRAINING_SET, demand_guarded
from pipelines.looks import demand_some, kept, look_at, predicted, record, test_rows
from pipelines.predict import bundle_of
from watertight.core.errors import Refusal
from watertight.core.project import Workload
from watertight.core.tables import read_json, read_table
from watertight.core.witness import witness
from watertight.evaluation.figures import figures_table, of_cells, wide
from watertight.registry.bundle import Model


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
    test = test_rows(table) if drop is None else demand_some(as_of(work, test_rows(table), drop))
    places = trained(work) if every_cell else bundle.places()
    demand_fitted_on([model for model, _ in places], table)
    registered = bundle.manifest.cell
    told = predicted(places, test).filter(pl.lit(every_cell) | (pl.col("cell") == registered))
    look = look_at(work, bundle, test, places, told, bank_of(work)) | ({} if drop is None else {"as_of": drop})
    if (work.project.root / ".dvc").is_dir():
        look["predictions"] = kept(work.project.root, told, registered)
    record(work.project, work.name, look)
    shown = of_cells(figures_table(look["figures"])).filter(pl.col("slice") == "")
    return {**look, "figures": wide(shown, "target", "part", "cell")}


def bank_of(work: Workload) -> pl.DataFrame | None:
    """The out-of-fold predictions, where corrections for hubs ask for queries that were known before."""
    inductive = any(one.bank == "inductive" for one in work.params.evaluate.corrections.values())
    return read_table(work.artifacts(*PREDICTIONS)) if inductive else None


def trained(work: Workload) -> list[tuple[Model, Path]]:
    """The final model of every cell with its folder, each after those that it stands over."""
    cells = read_json(work.artifacts("train", "train.json"))["cells"]
    return [(Model(**told), work.artifacts("train", told["folder"])) for told in cells]


def demand_fitted_on(models: list[Model], table: pl.DataFrame) -> None:
    """Raise Refusal where models were fitted on other rows than today's training rows: on test rows, perhaps."""
    for model in models:
        fitted = table.filter((pl.col("split") == "train") & pl.col(model.target).is_not_null())
        if witness(fitted).digest != model.fitted_on:
            raise Refusal(
                f"the model of {model.target!r} was fitted on other rows than today's training rows",
                expected=f"the witness {model.fitted_on} of the model",
                next_step="dvc repro, so that split and models are of one run",
            )
