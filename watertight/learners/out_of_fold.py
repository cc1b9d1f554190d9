"""Out-of-fold predictions with their witness, and the final model, of one cell, target and seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from watertight.core.witness import Witness
from watertight.learners.cross_fit import CrossFit, Fitted, Held
from watertight.learners.family import Learner, Outputs
from watertight.learners.treatments.filtered import Kept

INPUTS = {"fitted_on": pl.String, "member": pl.String, "member_fitted_on": pl.String, "predicted": pl.String}


@dataclass(frozen=True)
class Fit:
    """What a cell leaves for one target and seed.

    ``predictions``: row_id, fold, fitted_on and the named outputs, one row per real row of train that has the target.
    ``inputs``: per model (``fitted_on``) and cell below it (``member``), which rows (``predicted``, the digest of their
    witness) it was fitted on as predicted by which model (``member_fitted_on``). ``witnesses``: every witness named in
    either, by digest. ``fitted_on`` is the final model's, ``fits`` are those of every model of the cell. ``names``: the
    columns of the final model's matrix. ``widths``: the length of each list column that it reads. ``chosen``: the options
    that a search chose for it. ``made``: per model (``fitted_on``) the rows that were made for it. ``kept``: per
    model the rows that its filters left.
    """

    predictions: pl.DataFrame
    inputs: pl.DataFrame
    witnesses: dict[str, Witness]
    final: Learner
    names: tuple[str, ...]
    fitted_on: str
    fits: tuple[str, ...]
    widths: dict[str, int]
    chosen: dict[str, Any] = field(default_factory=dict)
    made: pl.DataFrame = field(default_factory=pl.DataFrame)
    kept: dict[str, Kept] = field(default_factory=dict)


def out_of_fold(models: CrossFit, cell: str) -> Fit:
    """Predict each fold's real rows by a model that left the fold out, and take the model that left out none."""
    final = models.model(cell)
    held = {fold: models.held(cell, frozenset([fold]), fold) for fold in models.folds}
    fitted = [models.model(name, left_out) for name, left_out in models.fits() if name == cell]
    read = [found for one in fitted for found in one.inputs]
    every = [
        *(one.witness for one in fitted),
        *(one.witness for one in held.values()),
        *(seen for one in read for seen in (one.fitted_on, one.predicted)),
    ]
    return Fit(
        pl.concat([_predicted(models.rows_of(fold), fold, found) for fold, found in held.items()]),
        _inputs(fitted),
        {found.digest: found for found in every},
        final.answering,
        final.names,
        final.witness.digest,
        tuple(one.witness.digest for one in fitted),
        models.widths(cell),
        final.chosen,
        pl.concat([one.made.with_columns(fitted_on=pl.lit(one.witness.digest)) for one in fitted]),
        {one.witness.digest: one.kept for one in fitted},
    )


def _inputs(fitted: list[Fitted]) -> pl.DataFrame:
    lines = [
        (one.witness.digest, read.member, read.fitted_on.digest, read.predicted.digest) for one in fitted for read in one.inputs
    ]
    return pl.DataFrame(lines, schema=INPUTS, orient="row")


def _predicted(rows: pl.DataFrame, fold: int, held: Held) -> pl.DataFrame:
    """The fold's predictions, real rows alone."""
    columns = [pl.lit(held.witness.digest).alias("fitted_on"), *output_columns(held.outputs)]
    beside = rows.select("row_id", pl.lit(fold, dtype=pl.Int64).alias("fold"), "synthetic").with_columns(columns)
    return beside.filter(~pl.col("synthetic")).drop("synthetic")


def output_columns(outputs: Outputs) -> list[pl.Series]:
    """Named outputs as columns: numbers as Float64, a ``vector`` as lists of Float32, other lists of Float64."""
    return [_column(name, value) for name, value in outputs.items()]


def _column(name: str, value: npt.NDArray[Any]) -> pl.Series:
    if value.ndim == 1:
        return pl.Series(name, value)
    kind = pl.Float32 if name == "vector" else pl.Float64
    flat = pl.Series(name, np.ascontiguousarray(value).ravel(), dtype=kind)
    return flat.reshape((len(value), value.shape[1])).cast(pl.List(kind)) if len(value) else pl.Series(name, [], pl.List(kind))
