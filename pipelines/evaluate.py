"""evaluate: refuse predictions whose witness speaks against them; figures, each with its row set; slices; plots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.stage import run
from watertight.checks.suite import declared, judge
from watertight.core.project import Workload
from watertight.core.tables import read_table, write_json, write_table
from watertight.core.witness import evidence
from watertight.evaluation.metrics import scores
from watertight.evaluation.plots import calibration_points, slice_points
from watertight.evaluation.slices import slices

ROLES = ("row_id", "group_id", "parent_id", "synthetic", "split", pl.col("fold").alias("assigned_fold"))


def evaluate(work: Workload, out: Path, metrics: Path, plots: Path) -> None:
    """The verdict on the out-of-fold predictions, then figures per target and cell, overall and by slice."""
    rows = read_table(work.data("training_set", "training_set.parquet"))
    predictions = read_table(work.artifacts("train", "predictions.parquet"))
    witnesses = read_table(work.artifacts("train", "witnesses.parquet"))
    verdict = judge("out_of_fold", witnessed(rows, predictions, witnesses), declared("out_of_fold", work.expectations))
    verdict.demand()
    overall = pl.DataFrame(list(_figures(work, rows, predictions)), infer_schema_length=None)
    parts = list(_sliced(work, rows, predictions))
    write_table(overall, out / "figures.parquet")
    write_json({"verdict": verdict.summary(), "slices": parts}, out / "evaluation.json")
    write_json(_headline(overall, work), metrics)
    plots.mkdir()
    calibration_points(rows, predictions, work.contract.targets).write_csv(plots / "calibration.csv")
    slice_points(parts).write_csv(plots / "slices.csv")


def witnessed(rows: pl.DataFrame, predictions: pl.DataFrame, witnesses: pl.DataFrame) -> pl.DataFrame:
    """Predictions beside the roles of their rows and what their witnesses say: what the gate judges."""
    roles = rows.select(ROLES)
    own = evidence(predictions.select("row_id", "target", "cell", "seed", "fold", "fitted_on"), roles, witnesses)
    return own.join(roles.drop("parent_id"), on="row_id", how="left", maintain_order="left")


def _cells(work: Workload, rows: pl.DataFrame, predictions: pl.DataFrame) -> Iterator[tuple[dict[str, Any], pl.DataFrame]]:
    """Each cell's predictions beside their rows."""
    keys = ["target", "cell", "seed"]
    for (target, cell, seed), part in predictions.partition_by(keys, as_dict=True, maintain_order=True).items():
        outputs = part.drop(*keys, "fold", "fitted_on").select(~pl.selectors.by_dtype(pl.Null))
        yield {"target": target, "cell": cell, "seed": seed}, rows.join(outputs, on="row_id", how="inner", maintain_order="left")


def _figures(work: Workload, rows: pl.DataFrame, predictions: pl.DataFrame) -> Iterator[dict[str, Any]]:
    for name, part in _cells(work, rows, predictions):
        yield {**name, **scores(part, name["target"], work.contract.targets[name["target"]])}


def _sliced(work: Workload, rows: pl.DataFrame, predictions: pl.DataFrame) -> Iterator[dict[str, Any]]:
    for name, part in _cells(work, rows, predictions):
        target = work.contract.targets[name["target"]]
        for column, edges in work.params.evaluate.slices.items():
            for found in slices(part, column, edges):
                told = scores(found.rows, name["target"], target) if found.rows is not None else {"skipped": found.reason}
                yield {**name, "slice": column, "value": found.value, **told}


def _headline(figures: pl.DataFrame, work: Workload) -> dict[str, Any]:
    """What ``dvc metrics show`` and ``dvc exp show`` print: per target the row set once, then each cell's figures.

    Cells are averaged over their seeds.
    """
    told: dict[str, Any] = {}
    numbers = [name for name in figures.columns if name not in ("target", "cell", "seed", "rows", "groups", "row_set")]
    for (target,), part in figures.partition_by("target", as_dict=True, maintain_order=True).items():
        first = part.row(0, named=True)
        told[str(target)] = {"rows": first["rows"], "row_set": first["row_set"]}
        for (cell,), seeds in part.partition_by("cell", as_dict=True, maintain_order=True).items():
            means = seeds.select(pl.col(numbers).mean().round(6)).row(0, named=True)
            told[str(target)][str(cell)] = {name: value for name, value in means.items() if value is not None}
    return told


if __name__ == "__main__":
    run(
        "evaluate",
        evaluate,
        "artifacts/{workload}/evaluate",
        "artifacts/{workload}/metrics.json",
        "artifacts/{workload}/plots",
    )
