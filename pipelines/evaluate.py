"""evaluate: refuse predictions whose witness speaks against them; figures, each with its row set; slices; plots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.stage import run, tell_left_out
from watertight.checks.suite import declared, judge
from watertight.core.errors import Refusal
from watertight.core.known_names import demand_known_names
from watertight.core.project import Workload
from watertight.core.tables import read_table, write_json, write_table
from watertight.core.witness import evidence
from watertight.evaluation.metrics import scores
from watertight.evaluation.plots import calibration_points, slice_points
from watertight.evaluation.slices import slices

CELL = ("target", "cell", "seed")
ROW_SET = ("rows", "groups", "row_set")
ROLES = ("row_id", "group_id", "parent_id", "synthetic", "split", pl.col("fold").alias("assigned_fold"))


def evaluate(work: Workload, out: Path, metrics: Path, plots: Path) -> None:
    """The verdict on the out-of-fold predictions, then figures per target and cell, overall and by slice."""
    demand_known_names(work)
    rows = read_table(work.data("training_set", "training_set.parquet"))
    predictions = read_table(work.artifacts("train", "predictions.parquet"))
    witnesses = read_table(work.artifacts("train", "witnesses.parquet"))
    verdict = judge("out_of_fold", witnessed(rows, predictions, witnesses), declared("out_of_fold", work.expectations))
    verdict.demand()
    _demand_every_row(rows, predictions)
    overall = pl.DataFrame(list(_figures(work, rows, predictions)), infer_schema_length=None)
    parts = list(_sliced(work, rows, predictions))
    tell_left_out(work, "evaluate", "slices", {part["slice"]: part["skipped"] for part in parts if "skipped" in part})
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


def _demand_every_row(rows: pl.DataFrame, predictions: pl.DataFrame) -> None:
    """A cell that leaves out hard rows would look better than it is: raise Refusal with the rows that it leaves out."""
    real = rows.filter((pl.col("split") == "train") & ~pl.col("synthetic"))
    for (target, cell, seed), part in predictions.partition_by(CELL, as_dict=True, maintain_order=True).items():
        wanted = real.filter(pl.col(str(target)).is_not_null())["row_id"]
        lost = wanted.filter(~wanted.is_in(part["row_id"].to_list()))
        if len(lost):
            raise Refusal(
                f"cell {cell!r} (seed {seed}) leaves out training rows that have {target!r}",
                rows=lost.to_list(),
                expected=f"an out-of-fold prediction of each of the {len(wanted)} rows",
                next_step="train the cell again; nothing was scored",
            )


def _cells(work: Workload, rows: pl.DataFrame, predictions: pl.DataFrame) -> Iterator[tuple[dict[str, Any], pl.DataFrame]]:
    """Each cell's predictions beside their rows."""
    for (target, cell, seed), part in predictions.partition_by(CELL, as_dict=True, maintain_order=True).items():
        outputs = part.drop(*CELL, "fold", "fitted_on").select(~pl.selectors.by_dtype(pl.Null))
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
    """What ``dvc metrics show`` and ``dvc exp show`` print: per target the registered cell's figures and their row set.

    Seeds are averaged. Beside them ``<baseline>_<metric>``, the first metric of each declared baseline. All cells stand
    in ``figures.parquet`` and are printed by ``watertight metrics``.
    """
    return {
        str(target): _told(part, work.params.register_.cell, work.params.evaluate.baselines)
        for (target,), part in figures.partition_by("target", as_dict=True, maintain_order=True).items()
    }


def _told(figures: pl.DataFrame, cell: str, baselines: tuple[str, ...]) -> dict[str, Any]:
    names = [name for name in figures.columns if name not in (*CELL, *ROW_SET) and figures[name].is_not_null().any()]
    means = {name: row for name, *row in figures.group_by("cell").agg(pl.col(names).mean().round(6)).iter_rows()}
    told = dict(zip(names, means.get(cell, []), strict=False))
    first = {f"{baseline}_{names[0]}": means[baseline][0] for baseline in baselines if baseline in means}
    return {**told, **first, **figures.select("rows", "row_set").row(0, named=True)}


if __name__ == "__main__":
    run(
        "evaluate",
        evaluate,
        "artifacts/{workload}/evaluate",
        "artifacts/{workload}/metrics.json",
        "artifacts/{workload}/plots",
    )
