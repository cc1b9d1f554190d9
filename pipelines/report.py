"""report: one HTML page of the run, that needs nothing beside itself; what is red stands first."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.sought import sought_of_targets
from pipelines.stage import run
from watertight.core.project import Workload
from watertight.core.tables import read_json, read_table
from watertight.evaluation.figures import of_cells
from watertight.evaluation.metrics import METRICS, metrics_declared
from watertight.evaluation.slices import whole_and_slices
from watertight.page.facts import MetricFact, Run
from watertight.page.page import page

SLICES: dict[str, pl.DataType | type[pl.DataType]] = {
    "target": pl.String,
    "row_id": pl.String,
    "slice": pl.String,
    "value": pl.String,
}
WEIGHTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "row_id": pl.String,
    "target": pl.String,
    "cell": pl.String,
    "weights": pl.List(pl.Float64),
}


def report(work: Workload, out: Path) -> None:
    """``index.html``, from the outputs of the graph alone."""
    out.mkdir()
    (out / "index.html").write_text(page(facts(work)), encoding="utf-8")


def facts(work: Workload) -> Run:
    """What the page tells."""
    rows = read_table(work.data("training_set", "training_set.parquet"))
    predictions = read_table(work.artifacts("train", "predictions.parquet"))
    drift = work.artifacts("guard", "drift.json")
    kinds = {
        kind: {name: MetricFact(one.better, one.headline) for name, one in metrics_declared(kind, work.params.evaluate).items()}
        for kind in METRICS
    }
    return Run(
        name=work.name,
        params=work.params,
        about=work.contract.about.strip(),
        targets=work.contract.targets,
        metrics=kinds,
        figures=of_cells(read_table(work.artifacts("evaluate", "figures.parquet"))),
        slices=_slices(work, rows, predictions),
        weights=_weights(predictions),
        calibration=pl.read_csv(work.artifacts("plots", "calibration.csv")),
        importance=read_table(work.artifacts("train", "importance.parquet")),
        joined=read_json(work.data("training_set", "training_set.json")),
        trained=read_json(work.artifacts("train", "train.json")),
        evaluation=read_json(work.artifacts("evaluate", "evaluation.json")),
        split=read_json(work.data("split", "split.json")),
        guard=read_json(work.artifacts("guard", "verdict.json")),
        checked=read_json(work.data("checked", "verdict.json")),
        online=read_json(work.artifacts("online", "verdict.json")),
        drift=read_json(drift) if drift.is_file() else None,
        sought=sought_of_targets(work, rows, predictions),
    )


def _slices(work: Workload, rows: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """The predicted rows of each target, whole and by slice, as ``evaluate`` cuts them."""
    parts = [pl.DataFrame(schema=SLICES)]
    for target in predictions["target"].unique(maintain_order=True):
        own = rows.join(predictions.filter(target=target), on="row_id", how="semi", maintain_order="left")
        for found in whole_and_slices(own, work.params.evaluate.slices):
            named = {"target": target, "slice": found.column, "value": found.value}
            told = {name: pl.lit(value) for name, value in named.items()}
            parts.append(found.rows.select("row_id", **told).select(list(SLICES)))
    return pl.concat(parts)


def _weights(predictions: pl.DataFrame) -> pl.DataFrame:
    if "weights" not in predictions.columns:
        return pl.DataFrame(schema=WEIGHTS)
    return predictions.select(list(WEIGHTS)).drop_nulls("weights")


if __name__ == "__main__":
    run("report", report, "artifacts/{workload}/report")
