"""train: every cell (target × family × seed) out-of-fold with its witness, and its final model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.stage import run, tell_left_out
from watertight.core.errors import Misuse
from watertight.core.known_names import demand_known_names
from watertight.core.project import Workload
from watertight.core.tables import read_json, read_table, write_json, write_table
from watertight.core.witness import Witness
from watertight.core.witness import table as witness_table
from watertight.core.workload import Cell
from watertight.learners.catalogue import build
from watertight.learners.out_of_fold import Fit, Task, out_of_fold
from watertight.progress import track


@dataclass(frozen=True)
class Job:
    """One cell of the grid."""

    cell: str
    family: str
    task: Task

    @property
    def folder(self) -> str:
        """Where its final model lies, under ``models/``."""
        return f"{self.task.name}/{self.cell}-seed{self.task.seed}"


def train(work: Workload, out: Path) -> None:
    """Out-of-fold predictions, their witnesses, and the final models."""
    demand_known_names(work)
    table = read_table(work.data("training_set", "training_set.parquet"))
    served = read_json(work.data("training_set", "training_set.json"))["features"]
    jobs, skipped = list(_jobs(work, served)), _skipped(work)
    tell_left_out(work, "train", "targets", skipped)
    if not jobs:
        raise Misuse("no declared target is in the source", expected=f"one of {', '.join(work.contract.targets)}")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        fits = pool.map(lambda job: out_of_fold(table, job.task), jobs)
        done = list(track(zip(jobs, fits, strict=True), len(jobs), f"{work.name} · train, cells"))
    witnesses: dict[str, Witness] = {}
    for job, fit in done:
        witnesses |= fit.witnesses
        _save(job, fit, out / "models")
    write_table(pl.concat([_labelled(job, fit) for job, fit in done], how="diagonal"), out / "predictions.parquet")
    write_table(witness_table(witnesses), out / "witnesses.parquet")
    write_json({"cells": [_told(job, fit) for job, fit in done], "targets_skipped": skipped}, out / "train.json")


def _jobs(work: Workload, served: list[str]) -> Iterator[Job]:
    """The grid, in declared order; cells that do not fit a kind of target are left out by their ``targets``."""
    params, targets = work.params.train, work.contract.targets
    for name in (name for name in params.targets if name in targets):
        for cell_name, cell in params.cells.items():
            if cell.targets is not None and name not in cell.targets:
                continue
            options = {**params.families.get(cell.family, {}), **cell.options}
            builder = partial(build, cell.family, name, targets[name], options)
            for seed in params.seeds:
                task = Task(name, targets[name], _columns(cell, served, cell_name), builder, seed)
                yield Job(cell_name, cell.family, task)


def _columns(cell: Cell, served: list[str], name: str) -> tuple[str, ...]:
    if cell.views == "all":
        return tuple(served)
    known = sorted({column.split("__")[0] for column in served})
    strange = [view for view in cell.views if view not in known]
    if strange:
        told = f"cell {name!r} names views that the service does not serve: {', '.join(strange)}"
        raise Misuse(told, expected=", ".join(known))
    return tuple(column for column in served if column.split("__")[0] in cell.views)


def _skipped(work: Workload) -> dict[str, str]:
    return {name: f"the source has no target {name!r}" for name in work.params.train.targets if name not in work.contract.targets}


def _labelled(job: Job, fit: Fit) -> pl.DataFrame:
    names = {"target": job.task.name, "cell": job.cell}
    literals = [pl.lit(value).alias(name) for name, value in names.items()]
    return fit.predictions.select("row_id", *literals, pl.lit(job.task.seed).alias("seed"), pl.exclude("row_id"))


def _save(job: Job, fit: Fit, models: Path) -> None:
    folder = models / job.folder
    folder.mkdir(parents=True)
    fit.final.save(folder)


def _told(job: Job, fit: Fit) -> dict[str, Any]:
    """What stands of a cell in the stage's summary, and later in a bundle's manifest."""
    return {
        "target": job.task.name,
        "kind": job.task.target.kind,
        "cell": job.cell,
        "seed": job.task.seed,
        "family": job.family,
        "folder": f"models/{job.folder}",
        "columns": list(job.task.columns),
        "widths": fit.widths,
        "fitted_on": fit.fitted_on,
    }


if __name__ == "__main__":
    run("train", train, "artifacts/{workload}/train")
