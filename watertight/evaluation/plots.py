"""The points behind the plots that ``dvc plots`` draws."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from watertight.core.calibration import tenths
from watertight.core.contract import Target

CALIBRATION = {"target": pl.String, "cell": pl.String, "predicted": pl.Float64, "observed": pl.Float64, "rows": pl.UInt32}
SLICED = ("target", "cell", "slice", "rmse", "low", "high", "rows")


def calibration_points(rows: pl.DataFrame, predictions: pl.DataFrame, targets: Mapping[str, Target]) -> pl.DataFrame:
    """Per scalar target and cell, the ten bins of ``calibration_error``: mean prediction, mean truth, rows."""
    parts = [pl.DataFrame(schema=CALIBRATION)]
    for (target, cell), part in predictions.partition_by(["target", "cell"], as_dict=True, maintain_order=True).items():
        if targets[str(target)].kind == "scalar":
            beside = part.join(rows.select("row_id", truth=str(target)), on="row_id", maintain_order="left")
            parts.append(_bins(beside, str(target), str(cell)))
    return pl.concat(parts)


def slice_points(figures: pl.DataFrame) -> pl.DataFrame:
    """RMSE by slice with its interval, one line per target, cell and slice. ``figures``: a record per cell, as in FIGURES."""
    sliced = figures.filter((pl.col("slice") != "") & (pl.col("metric") == "rmse"))
    named = sliced.with_columns(pl.col("figure", "low", "high").round(6), slice=pl.format("{}: {}", "slice", "value"))
    return named.rename({"figure": "rmse"}).select(SLICED)


def _bins(rows: pl.DataFrame, target: str, cell: str) -> pl.DataFrame:
    points = (
        rows.group_by(pl.Series("bin", tenths(rows["mean"].to_numpy())))
        .agg(predicted=pl.col("mean").mean().round(6), observed=pl.col("truth").mean().round(6), rows=pl.len())
        .sort("bin")
    )
    return points.select(pl.lit(target).alias("target"), pl.lit(cell).alias("cell"), "predicted", "observed", "rows")
