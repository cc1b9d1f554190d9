"""The points behind the plots that ``dvc plots`` draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from watertight.core.contract import Target

BINS = 10
CALIBRATION = {"target": pl.String, "cell": pl.String, "predicted": pl.Float64, "observed": pl.Float64, "rows": pl.UInt32}
SLICES = {"target": pl.String, "cell": pl.String, "slice": pl.String, "rmse": pl.Float64, "rows": pl.Int64}


def calibration_points(rows: pl.DataFrame, predictions: pl.DataFrame, targets: Mapping[str, Target]) -> pl.DataFrame:
    """Per scalar target and cell, ten bins of equal count by prediction: mean prediction, mean truth, rows."""
    parts = [pl.DataFrame(schema=CALIBRATION)]
    for (target, cell), part in predictions.partition_by(["target", "cell"], as_dict=True, maintain_order=True).items():
        if targets[str(target)].kind == "scalar":
            beside = part.join(rows.select("row_id", truth=str(target)), on="row_id", maintain_order="left")
            parts.append(_bins(beside, str(target), str(cell)))
    return pl.concat(parts)


def slice_points(figures: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """RMSE by slice, one line per target, cell and slice; slices that were skipped are left out."""
    lines = [
        (line["target"], line["cell"], f"{line['slice']}: {line['value']}", line["rmse"], line["rows"])
        for line in figures
        if "rmse" in line
    ]
    return pl.DataFrame(lines, schema=SLICES, orient="row")


def _bins(rows: pl.DataFrame, target: str, cell: str) -> pl.DataFrame:
    place = (pl.col("mean").rank("ordinal") - 1) * BINS // pl.len()
    points = (
        rows.group_by(place.alias("bin"))
        .agg(predicted=pl.col("mean").mean().round(6), observed=pl.col("truth").mean().round(6), rows=pl.len())
        .sort("bin")
    )
    return points.select(pl.lit(target).alias("target"), pl.lit(cell).alias("cell"), "predicted", "observed", "rows")
