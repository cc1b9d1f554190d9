"""What one cell answered for the rows of the test sets: a table of its own, so that it can be set beside another's later."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from watertight.core.ensembles import averaged
from watertight.evaluation.row_sets import as_array
from watertight.learners.out_of_fold import output_columns

NAMES = ("row_id", "target", "cell", "seed")


def of_cell(told: pl.DataFrame, cell: str) -> pl.DataFrame:
    """One row per target and row_id: target, row_id and the outputs of ``cell``; models of several seeds are averaged.

    ``told`` has row_id, target, cell, seed and outputs, the seeds of a target over the same rows in the same order.
    """
    mine = told.filter(pl.col("cell") == cell)
    parts = mine.partition_by("target", maintain_order=True)
    return pl.concat([_averaged(part) for part in parts], how="diagonal")


def _averaged(told: pl.DataFrame) -> pl.DataFrame:
    seeds = told.partition_by("seed", maintain_order=True)
    given = [_outputs(part) for part in seeds]
    return seeds[0].select("target", "row_id").with_columns(output_columns(averaged(given)))


def _outputs(told: pl.DataFrame) -> Mapping[str, np.ndarray]:
    """The outputs that the target has at all, as arrays of float64: (n,) or (n, d)."""
    named = [name for name in told.columns if name not in NAMES and told[name].null_count() < told.height]
    return {name: as_array(told[name]) for name in named}
