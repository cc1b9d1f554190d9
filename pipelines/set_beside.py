"""The gate `figures`: what is set beside one another is of one row set, or it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from watertight.core.project import Workload
from watertight.core.tables import read_table
from watertight.evaluation.figures import Case, cases
from watertight.evaluation.row_sets import row_set

SETS: dict[str, pl.DataType | type[pl.DataType]] = {
    "row_id": pl.String,
    "target": pl.String,
    "slice": pl.String,
    "value": pl.String,
    "row_set": pl.String,
    "rows": pl.Int64,
    "lacks": pl.List(pl.String),
}
"""A line per figure's source: ``row_id`` says which, ``lacks`` the rows of the target that it alone leaves out."""


def row_sets(work: Workload, rows: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """The row set of each cell and seed of ``predictions``, per target and slice, as of the labels in ``rows``."""
    found = cases(rows, predictions, work.contract.targets, work.params.evaluate.slices)
    every = {str(name): set(part["row_id"]) for (name,), part in predictions.partition_by("target", as_dict=True).items()}
    return pl.DataFrame([line for case in found for line in _lines(case, every[case.name])], schema=SETS)


def evaluated_row_sets(work: Workload, cells: list[str]) -> pl.DataFrame:
    """The row set of each of ``cells``, per target, as of the labels that evaluate found."""
    told = read_table(work.artifacts("evaluate", "figures.parquet")).filter(pl.col("cell").is_in(cells) & (pl.col("slice") == ""))
    named = pl.format("{}, cell {}, seed {}, as evaluated", "target", "cell", pl.col("seed").cast(pl.String).fill_null("all"))
    once = told.with_columns(row_id=named, lacks=pl.lit([], dtype=pl.List(pl.String))).select(list(SETS))
    return once.unique(maintain_order=True)


def _lines(case: Case, every: set[str]) -> Iterator[dict[str, Any]]:
    of = row_set(case.rows, case.name, case.target)
    lacks = sorted(every - set(case.rows["row_id"])) if not case.column else []
    for cell, seed in case.cells:
        yield {
            "row_id": f"{case.name}, cell {cell}, seed {'all' if seed is None else seed}",
            "target": case.name,
            "slice": case.column,
            "value": case.value,
            "row_set": of.digest,
            "rows": of.rows,
            "lacks": lacks,
        }
