"""train: every cell (target × family × seed) out-of-fold with its witness, and its final model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.stage import run, tell_left_out
from watertight.core.cell import Cell
from watertight.core.cell_matrix import WHOLE
from watertight.core.declare import nearest
from watertight.core.errors import Misuse
from watertight.core.known_names import JOINED, demand_known_names
from watertight.core.project import Workload
from watertight.core.tables import read_json, read_table, write_json, write_table
from watertight.core.treatment import EXCHANGING, Filtered
from watertight.core.witness import Witness
from watertight.core.witness import table as witness_table
from watertight.learners.catalogue import build
from watertight.learners.cross_fit import CrossFit, Task
from watertight.learners.importance import importance
from watertight.learners.out_of_fold import Fit, out_of_fold
from watertight.learners.search import Searching
from watertight.learners.selected import Selected
from watertight.learners.treatments.served import served_as
from watertight.learners.treatments.treatment import Treatment, demand_steps_fit
from watertight.progress import track

MEMBERS = "members"
"""Among what was chosen for a cell: how often each cell below it counts in its final model."""


@dataclass(frozen=True)
class Job:
    """One cell of the grid for one target and seed: the grid's, or the cell's own."""

    cell: str
    family: str
    models: CrossFit

    @property
    def task(self) -> Task:
        """What it reads."""
        return self.models.tasks[self.cell]

    @property
    def named(self) -> dict[str, Any]:
        """What its tables and its lines in the summary are known by."""
        return {"target": self.models.name, "cell": self.cell, "seed": self.models.seed_of(self.cell)}

    @property
    def folder(self) -> str:
        """Where its final model lies, under ``models/``."""
        return f"{self.models.name}/{self.cell}-seed{self.named['seed']}"


def train(work: Workload, out: Path) -> None:
    """Out-of-fold predictions, their witnesses, and the final models."""
    demand_known_names(work)
    table = read_table(work.data("training_set", "training_set.parquet"))
    joined = read_json(work.data("training_set", "training_set.json"))
    skipped = {
        name: f"the source has no target {name!r}" for name in work.params.train.targets if name not in work.contract.targets
    }
    tell_left_out(work, "train", "targets", skipped)
    left_out = _left_out(work)
    tell_left_out(work, "train", "cells", left_out)
    cells = [name for name in work.params.train.cells if name not in left_out]
    jobs = [job for models in _grid(work, table, joined, cells) for job in _jobs(work, models)]
    if not jobs:
        raise Misuse("no declared target is in the source", expected=f"one of {', '.join(work.contract.targets)}")
    _fit_all(jobs, f"{work.name} · train, fits")
    done = [(job, out_of_fold(job.models, job.cell)) for job in jobs]
    witnesses: dict[str, Witness] = {}
    for job, fit in done:
        witnesses |= fit.witnesses
        _save(job, fit, out / "models")
    write_table(pl.concat([_labelled(job, fit.predictions) for job, fit in done], how="diagonal"), out / "predictions.parquet")
    write_table(pl.concat([_labelled(job, fit.inputs) for job, fit in done]), out / "inputs.parquet")
    write_table(pl.concat([_labelled(job, fit.made) for job, fit in done]), out / "made.parquet")
    write_table(pl.concat([_labelled(job, _kept(job, fit)) for job, fit in done]), out / "kept.parquet")
    write_table(pl.concat([_labelled(job, _importance(fit)) for job, fit in done]), out / "importance.parquet")
    write_table(witness_table(witnesses), out / "witnesses.parquet")
    told = {"cells": [_told(job, fit) for job, fit in done], "fits": [line for job, fit in done for line in _fits(job, fit)]}
    told["made"] = [_made(job, fit) for job, fit in done if job.task.treatment.makers]
    told["data"] = [_data(work, job, fit) for job, fit in done]
    write_json({**told, "targets_skipped": skipped, "cells_skipped": left_out}, out / "train.json")


def _grid(work: Workload, table: pl.DataFrame, joined: dict[str, Any], cells: list[str]) -> Iterator[CrossFit]:
    """The models of ``cells`` for each target of the source and each seed."""
    params, targets = work.params.train, work.contract.targets
    for name in (name for name in params.targets if name in targets):
        mine = [cell for cell in cells if name in params.targets_of(params.cells[cell])]
        tasks = [_task(work, name, cell, joined, table.columns) for cell in mine]
        first = CrossFit(table, name, targets[name], tasks, params.seeds[0]) if tasks else None
        yield from [] if first is None else [first]
        yield from (CrossFit(table, name, targets[name], tasks, seed, first) for seed in params.seeds[1:] if tasks)


def _task(work: Workload, name: str, cell_name: str, joined: dict[str, Any], known: list[str]) -> Task:
    cell, target = work.params.train.cells[cell_name], work.contract.targets[name]
    options = {**work.params.train.families.get(cell.family, {}), **cell.options}
    builder = lambda chosen: build(cell.family, name, target, {**options, **chosen})  # noqa: E731
    search = Searching({"family": cell.family, **options}, cell.search) if cell.search else None
    steps = work.params.train.steps_of(cell)
    demand_steps_fit(steps, name, target)
    strange = [step.by for step in steps if isinstance(step, Filtered) and step.by is not None and step.by not in known]
    if strange:
        raise Misuse(f"cell {cell_name!r} is filtered by {strange[0]!r}, no column of the rows; {nearest(strange[0], known)}")
    return Task(
        cell_name,
        _columns(cell, joined["features"], cell_name),
        builder,
        cell.texts,
        work.params.train.members_of(cell, name),
        search,
        Treatment(steps, served_as(joined["signature"])),
        cell.seed,
    )


def _left_out(work: Workload) -> dict[str, str]:
    """The cells that read texts or keys which this source lacks, and those that stand over them, each with the reason."""
    have, cells = {*work.contract.text, *work.contract.keys}, work.params.train.cells
    found = {
        name: f"the source has no text or key {read!r}"
        for name, cell in cells.items()
        for read in _reads(work, cell)
        if read not in have
    }
    for name, cell in cells.items():
        for reason in work.contract.absent(_scores(work, cell)).values():
            found.setdefault(name, reason)
    for name in TopologicalSorter({name: cell.over for name, cell in cells.items()}).static_order():
        below = [member for member in cells[name].over if member in found]
        if below:
            found.setdefault(name, f"it stands over {below[0]!r}, which is left out")
    return found


def _columns(cell: Cell, served: list[str], name: str) -> tuple[str, ...]:
    known = sorted({column.split("__")[0] for column in served})
    views = known if cell.views == "all" else cell.views
    strange = [f"view {view!r} ({nearest(view, known)})" for view in views if view not in known]
    strange += [f"feature {column!r} ({nearest(column, served)})" for column in cell.columns if column not in served]
    if strange:
        raise Misuse(f"cell {name!r} names what the service does not serve: {', '.join(strange)}")
    return tuple(column for column in served if column.split("__")[0] in views or column in cell.columns)


def _jobs(work: Workload, models: CrossFit) -> Iterator[Job]:
    """Cells below others first, as whoever runs their final models needs them."""
    mine = (cell for cell in models.cells if models.owner(cell) is models)
    return (Job(cell, work.params.train.cells[cell].family, models) for cell in mine)


def _fit_all(jobs: list[Job], what: str) -> None:
    """Fit every model that the jobs need, side by side, those below others first."""
    grids = list({id(job.models): job.models for job in jobs}.values())
    fits = [(models, cell, left) for models in grids for cell, left in models.fits() if models.owner(cell) is models]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in track(pool.map(lambda fit: fit[0].settle(*fit[1:]), fits), len(fits), what):
            pass


def _labelled(job: Job, table: pl.DataFrame) -> pl.DataFrame:
    literals = [pl.lit(value).alias(name) for name, value in job.named.items()]
    first = [name for name in ("row_id",) if name in table.columns]
    return table.select(*first, *literals, pl.exclude("row_id"))


def _fits(job: Job, fit: Fit) -> Iterator[dict[str, Any]]:
    """Every model over other cells, with each cell that it has to say something of."""
    yield from ({**job.named, "member": member, "fitted_on": fitted_on} for fitted_on in fit.fits for member in job.task.over)


def _importance(fit: Fit) -> pl.DataFrame:
    shares: Mapping[str, float] = importance(fit.final, fit.names)
    return pl.DataFrame(
        {"column": list(shares), "share": list(shares.values())}, schema={"column": pl.String, "share": pl.Float64}
    )


def _save(job: Job, fit: Fit, models: Path) -> None:
    folder = models / job.folder
    folder.mkdir(parents=True)
    fit.final.save(folder)


def _told(job: Job, fit: Fit) -> dict[str, Any]:
    """What stands of a cell in the stage's summary, and later in a bundle's manifest; ``over``: what its final model reads."""
    chosen = fit.final.counts if isinstance(fit.final, Selected) else None
    return {
        **job.named,
        "kind": job.models.target.kind,
        "family": job.family,
        "folder": f"models/{job.folder}",
        "columns": list(job.task.columns),
        "texts": list(job.task.texts),
        "over": [member for member in job.task.over if chosen is None or member in chosen],
        "widths": fit.widths,
        "fitted_on": fit.fitted_on,
        "chosen": fit.chosen if chosen is None else {**fit.chosen, MEMBERS: chosen},
    }


def _reads(work: Workload, cell: Cell) -> Iterator[str]:
    """The texts that a cell reads, and the entities that its treatments change."""
    yield from cell.texts
    yield from (step.entity for step in work.params.train.steps_of(cell) if isinstance(step, EXCHANGING))


def _made(job: Job, fit: Fit) -> dict[str, Any]:
    """How many rows were made for each model of a cell, by what made them; ``final`` says which model that is."""
    counts: dict[str, dict[str, int]] = {model: {} for model in sorted(fit.fits)}
    for model, step, rows in fit.made.group_by("fitted_on", "step").len().sort("fitted_on", "step").iter_rows():
        counts[model][step] = rows
    return {**job.named, "final": fit.fitted_on, "made": counts}


def _scores(work: Workload, cell: Cell) -> Iterator[str]:
    """The columns of the rows that a cell is filtered by, joined features apart."""
    steps = work.params.train.steps_of(cell)
    yield from (step.by for step in steps if isinstance(step, Filtered) and step.by is not None and JOINED not in step.by)


def _kept(job: Job, fit: Fit) -> pl.DataFrame:
    """The rows that the filters of a cell left to its final model; none where it has no filters."""
    left = fit.kept[fit.fitted_on].row_ids.alias("row_id").to_frame()
    return left if job.task.treatment.filters else left.clear()


def _data(work: Workload, job: Job, fit: Fit) -> dict[str, Any]:
    """The version of the data that a cell is fitted on, and which rows that is for each model of it."""
    name = "+".join(work.params.train.cells[job.cell].treatments) or WHOLE
    models = {model: {"digest": kept.digest, "rows": len(kept.row_ids), "of": kept.of} for model, kept in fit.kept.items()}
    return {**job.named, "data": name, "final": fit.fitted_on, "models": models}


if __name__ == "__main__":
    run("train", train, "artifacts/{workload}/train")
