"""The witness of out-of-fold: which rows, in any copy, the model behind a prediction was fitted on.

A synthetic child counts as its parent. The witness is taken from the very rows that are handed to ``fit``; nothing
is trusted that a plan or a fold number says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from watertight.core.digests import ids_digest

CELL = ("target", "cell", "seed")
SCHEMA = {"fitted_on": pl.String, "root_id": pl.String, "times": pl.Int64}


@dataclass(frozen=True)
class Witness:
    """``rows``: root_id of each row that a model was fitted on and how often it stood there; ``digest`` of these pairs."""

    digest: str
    rows: pl.DataFrame


def root_id() -> pl.Expr:
    """The id of the real row behind a row: its parent's, or its own."""
    return pl.coalesce("parent_id", "row_id").alias("root_id")


def witness(fitted: pl.DataFrame) -> Witness:
    """The witness of a fit on ``fitted`` (columns row_id, parent_id, synthetic).

    ``times`` counts how often the *real* row itself was among the fitted ones; a row present only through synthetic
    children has 0 there and is a member all the same.
    """
    rows = (
        fitted.select(root_id(), real=~pl.col("synthetic"))
        .group_by("root_id")
        .agg(pl.col("real").sum().cast(pl.Int64).alias("times"))
        .sort("root_id")
    )
    return Witness(_digest(rows["root_id"].to_list(), rows["times"].to_list()), rows)


def with_made(fitted: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    """``fitted`` (row_id, parent_id, synthetic) and, as its synthetic rows, those in ``made`` (row_id, parent_id, partner_id).

    A row that was made of two is a child of both.
    """
    of = [made.select("row_id", parent_id=name).drop_nulls() for name in ("parent_id", "partner_id")]
    children = pl.concat(of).with_columns(synthetic=True)
    return pl.concat([fitted.select("row_id", "parent_id", "synthetic"), children])


def united(witnesses: Iterable[Witness]) -> Witness:
    """The witness of a model that rests on several fits: every row of any of them, as often as in the fit that had it most."""
    distinct = {found.digest: found for found in witnesses}
    if len(distinct) == 1:
        return next(iter(distinct.values()))
    rows = pl.concat([found.rows for found in distinct.values()]).group_by("root_id").agg(pl.col("times").max()).sort("root_id")
    return Witness(_digest(rows["root_id"].to_list(), rows["times"].to_list()), rows)


def table(witnesses: dict[str, Witness]) -> pl.DataFrame:
    """All witnesses as one table (fitted_on, root_id, times), each fit once."""
    parts = [
        found.rows.select(pl.lit(digest).alias("fitted_on"), "root_id", "times") for digest, found in sorted(witnesses.items())
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=SCHEMA)


def evidence(predictions: pl.DataFrame, rows: pl.DataFrame, witnesses: pl.DataFrame) -> pl.DataFrame:
    """The predictions with what the witnesses say of each.

    ``rows`` has row_id, parent_id, group_id, split and assigned_fold (null outside train). Adds

    - ``own_fits``: 1 where the predicted row, or a relative of the same root, was fitted on by its own model, else 0;
      ``own_times``: how often the root itself stood in that fit; ``group_fits``: 1 where any row of its group was in it;
    - ``strange_fits``: how many rows its model was fitted on that are no training rows;
    - ``predicted``: how often the row is predicted in its cell, seed and target;
    - ``refitted``: how often, at most, a real row stood in its model's fit;
    - ``witnessed``: whether the witness is there and its digest is that of its rows;
    - ``fold_files``: the folds whose training files, laid end to end, are just the model's fit; null for any other fit.
    """
    told = witnesses.join(rows.select(pl.col("row_id").alias("root_id"), "group_id", "split"), on="root_id", how="left")
    groups = told.select("fitted_on", "group_id", group_fits=pl.lit(1, dtype=pl.Int64)).unique()
    strange = told.group_by("fitted_on").agg(strange_fits=(pl.col("split") != "train").fill_null(True).sum().cast(pl.Int64))
    sound = _sound(witnesses)
    members = witnesses.select("fitted_on", "root_id", own_fits=pl.lit(1, dtype=pl.Int64), own_times="times")
    files = _fold_files(predictions, rows, witnesses)
    roots = rows.select("row_id", root_id(), "group_id")
    return (
        predictions.join(roots, on="row_id", how="left", maintain_order="left")
        .join(members, on=["fitted_on", "root_id"], how="left", maintain_order="left")
        .join(groups, on=["fitted_on", "group_id"], how="left", maintain_order="left")
        .join(strange, on="fitted_on", how="left", maintain_order="left")
        .join(sound, on="fitted_on", how="left", maintain_order="left")
        .join(files, on=[*CELL, "fitted_on"], how="left", maintain_order="left")
        .drop("group_id")
        .with_columns(
            pl.col("own_fits", "own_times", "group_fits").fill_null(0),
            pl.col("witnessed").fill_null(False),
            predicted=pl.len().over("target", "cell", "seed", "row_id"),
        )
    )


def input_evidence(inputs: pl.DataFrame, rows: pl.DataFrame, witnesses: pl.DataFrame) -> pl.DataFrame:
    """What the witnesses say of the predictions that models over other cells were fitted on: ``row_id`` (a root) and figures.

    ``inputs`` has target, cell, seed, fitted_on (the model's witness), member, member_fitted_on (the witness of the model
    that made the predictions) and predicted (the witness of the rows they are of); ``rows`` as in :func:`evidence`.
    ``own_fits``: 1 where a model that predicted the row had been fitted on it or a relative, ``group_fits``: on any row of
    its group. ``given``: how often a member predicted the row for one model; 0 where that model was fitted on the real row
    without. ``strange``: whether it is no training row, or not there. ``witnessed``: whether the witnesses are there, each
    with the digest of its rows. What is the same for several cells stands once.
    """
    groups = rows.select(pl.col("row_id").alias("root_id"), "group_id")
    sets = witnesses.select("fitted_on", "root_id").join(groups, on="root_id", how="left")
    real = witnesses.filter(pl.col("times") > 0).select("fitted_on", "root_id")
    answer = ("own_fits", "group_fits", "given")
    sound = _sound(witnesses).filter("witnessed")["fitted_on"].to_list()
    told = pl.concat([_predictors(inputs, sets, sound), _completeness(inputs, sets, real)], how="diagonal")
    told = told.join(rows.select("row_id", "split"), on="row_id", how="left", maintain_order="left")
    clean = told.with_columns(pl.col("own_fits", "group_fits").fill_null(0), pl.col("given").fill_null(1))
    strange = pl.col("listed") & (pl.col("split") != "train").fill_null(True)
    witnessed = pl.col("witnessed").fill_null(True)
    return clean.select("row_id", pl.col(answer).cast(pl.Int64), strange=strange, witnessed=witnessed)


def made_evidence(made: pl.DataFrame, predictions: pl.DataFrame, rows: pl.DataFrame, witnesses: pl.DataFrame) -> pl.DataFrame:
    """What the witnesses say of the rows that were made for models: ``made``, with

    - ``of_fitted``: whether parent and partner, where there is one, are real rows that its model was fitted on;
    - ``of_held_out``: whether one of them is in a fold that its model predicts, or is no training row.

    ``made`` has target, cell, seed, row_id, parent_id, partner_id (null: none) and fitted_on, the model's witness; ``rows`` as
    in :func:`evidence`, with synthetic.
    """
    sources = pl.concat(
        [made.select(*CELL, "row_id", "fitted_on", of=name).drop_nulls("of") for name in ("parent_id", "partner_id")]
    )
    seen = witnesses.filter(pl.col("times") > 0).select("fitted_on", of="root_id", seen=pl.lit(True))
    real = rows.filter(~pl.col("synthetic")).select("split", "assigned_fold", of="row_id")
    held = (
        predictions.join(rows.select("row_id", "assigned_fold"), on="row_id").select(*CELL, "fitted_on", "assigned_fold").unique()
    )
    placed = (
        sources.join(seen, on=["fitted_on", "of"], how="left")
        .join(real, on="of", how="left")
        .join(held.with_columns(held=pl.lit(True)), on=[*CELL, "fitted_on", "assigned_fold"], how="left")
    )
    strange = (pl.col("split") != "train").fill_null(True) | pl.col("held").fill_null(False)
    answer = placed.group_by(*CELL, "row_id", "fitted_on").agg(
        of_fitted=pl.col("seen").fill_null(False).all(), of_held_out=strange.any()
    )
    beside = made.join(answer, on=[*CELL, "row_id", "fitted_on"], how="left", maintain_order="left")
    return beside.with_columns(pl.col("of_fitted").fill_null(False), pl.col("of_held_out").fill_null(True))


def _sound(witnesses: pl.DataFrame) -> pl.DataFrame:
    """Per witness: ``refitted``, how often a row stood in the fit at most, and ``witnessed``, whether its digest is its rows'."""
    right = pl.struct("fitted_on", "root_id", "times").map_elements(
        lambda fit: _digest(fit["root_id"], fit["times"]) == fit["fitted_on"], return_dtype=pl.Boolean
    )
    fits = witnesses.group_by("fitted_on").agg(pl.col("root_id", "times"), refitted=pl.col("times").max())
    return fits.with_columns(witnessed=right).select("fitted_on", "refitted", "witnessed")


def _predictors(inputs: pl.DataFrame, sets: pl.DataFrame, sound: list[str]) -> pl.DataFrame:
    """Each row that was predicted to be fitted on, beside what its predictor had been fitted on."""
    pairs = inputs.select("member_fitted_on", "predicted").unique(maintain_order=True)
    fits = sets.rename({"fitted_on": "member_fitted_on"}).with_columns(fits=pl.lit(1))
    named = pl.col("member_fitted_on").is_in(sound) & pl.col("predicted").is_in(sound)
    return (
        pairs.join(sets, left_on="predicted", right_on="fitted_on", how="left", maintain_order="left")
        .join(fits.select("member_fitted_on", "root_id", own_fits="fits"), on=["member_fitted_on", "root_id"], how="left")
        .join(
            fits.select("member_fitted_on", "group_id", group_fits="fits").unique(),
            on=["member_fitted_on", "group_id"],
            how="left",
        )
        .select(
            pl.coalesce("root_id", "predicted").alias("row_id"),
            "own_fits",
            "group_fits",
            listed=pl.col("root_id").is_not_null(),
            witnessed=named & pl.col("root_id").is_not_null(),
        )
    )


def _completeness(inputs: pl.DataFrame, sets: pl.DataFrame, real: pl.DataFrame) -> pl.DataFrame:
    """How often each real row that a model was fitted on had been predicted for it; alike for models with the same sets.

    What stands over others is fitted on real rows, though its members may have been fitted on a child of a row without it.
    """
    models = inputs.group_by("target", "cell", "seed", "fitted_on", "member").agg(pl.col("predicted").sort())
    distinct = models.select("fitted_on", "predicted").unique().sort("fitted_on", "predicted").with_row_index("model")
    given = (
        distinct.explode("predicted")
        .join(sets, left_on="predicted", right_on="fitted_on", how="inner")
        .group_by("model", "root_id")
        .agg(given=pl.len().cast(pl.Int64))
    )
    wanted = distinct.select("model", "fitted_on").join(real, on="fitted_on", how="left")
    both = wanted.join(given, on=["model", "root_id"], how="full", coalesce=True)
    listed = pl.col("root_id").is_not_null()
    return both.select(pl.coalesce("root_id", "fitted_on").alias("row_id"), pl.col("given").fill_null(0), listed=listed)


def _fold_files(predictions: pl.DataFrame, rows: pl.DataFrame, witnesses: pl.DataFrame) -> pl.DataFrame:
    """Per cell and model, the folds whose training files laid end to end it was fitted on, where it was: two at least.

    The training file of a fold holds the rows of all other folds once. In s of them a row of these s folds stands s - 1
    times and any other row s times; with fewer than three folds that says nothing. (All k files make every row stand k - 1
    times, and are called so though a copied table would leave the same trace.)
    """
    folds = rows.select("row_id", "assigned_fold").drop_nulls()
    placed = predictions.join(folds, on="row_id", how="inner")
    sizes = placed.group_by(*CELL, "assigned_fold").agg(size=pl.col("row_id").n_unique())
    real = witnesses.filter(pl.col("times") > 0).join(folds, left_on="root_id", right_on="row_id", how="inner")
    times = pl.col("times")
    seen = real.group_by("fitted_on", "assigned_fold").agg(members=pl.len(), least=times.min(), most=times.max())
    both = placed.select(*CELL, "fitted_on").unique().join(sizes, on=CELL)
    beside = both.join(seen, on=["fitted_on", "assigned_fold"], how="left")
    alike = (pl.col("members") == pl.col("size")) & (pl.col("least") == pl.col("most"))
    counted = beside.with_columns(times=pl.when(pl.col("members").is_null()).then(0).when(alike).then("most"))
    return _laid_end_to_end(counted.sort("assigned_fold").group_by(*CELL, "fitted_on", maintain_order=True))


def _laid_end_to_end(models: Any) -> pl.DataFrame:
    """Of the times that the rows of each fold stood in a model's fit (null: not all as often), the folds of the files."""
    times, most = pl.col("times"), pl.col("times").max()
    under, flat = times == most - 1, (times == most).all()
    files = pl.when(flat).then(most + 1).otherwise(most)
    whole = times.is_not_null().all() & (times >= most - 1).all()
    fits = whole & (pl.when(flat).then(pl.len()).otherwise(under.sum()) == files) & (files > 1) & (pl.len() > 2)
    named = pl.col("assigned_fold").filter(under | flat).cast(pl.String).str.join(", ")
    told: pl.DataFrame = models.agg(fold_files=named, fits=fits).filter("fits").drop("fits")
    return told


def _digest(roots: Iterable[str], times: Iterable[int]) -> str:
    """Of the pairs: one fit on a row and two fits on it are not the same fit."""
    return ids_digest(f"{root}\t{count}" for root, count in zip(roots, times, strict=True))
