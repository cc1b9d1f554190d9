"""The gate `model`: a verdict on the out-of-fold predictions of each train cell, which bars that cell and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from watertight.checks.columns import SLICE
from watertight.checks.suite import declared, judge
from watertight.core.contract import Target
from watertight.core.project import Workload
from watertight.core.witness import CELL
from watertight.evaluation.slices import slice_of
from watertight.progress import track


def judged_cells(work: Workload, rows: pl.DataFrame, predictions: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Per target, cell and seed of ``predictions`` its verdict; ``rows`` is the training set."""
    checks = declared("model", work.expectations)
    cells = predictions.partition_by(CELL, as_dict=True, maintain_order=True)
    roles = {name: _roles(work, rows, str(name)) for name in predictions["target"].unique(maintain_order=True)}
    for (name, cell, seed), part in track(cells.items(), len(cells), f"{work.name} · evaluate, cells"):
        target = work.contract.targets[str(name)]
        beside = predicted_beside(roles[name], part, target)
        verdict = judge("model", beside, checks, work.params.waive, targets={str(name): target})
        yield {"target": name, "cell": cell, "seed": seed, "verdict": verdict.summary()}


def predicted_beside(roles: pl.DataFrame, predictions: pl.DataFrame, target: Target) -> pl.DataFrame:
    """What the gate judges of one cell: row_id, group_id, ``truth``, slices, and the outputs that the cell gives."""
    known = ["row_id", "fold", target.output, "lower", "upper", "level"]
    given = [name for name in known if name in predictions.columns and predictions[name].null_count() < predictions.height]
    return roles.join(predictions.select(given), on="row_id", how="inner", maintain_order="left")


def _roles(work: Workload, rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """The rows with their group, the truth and their place in each declared slice."""
    edges = {column: given for column, given in work.params.evaluate.slices.items() if column in rows.columns}
    cut = [slice_of(rows[column], given).alias(f"{SLICE}{column}") for column, given in edges.items()]
    return rows.select("row_id", "group_id", truth=pl.col(name)).with_columns(cut)
