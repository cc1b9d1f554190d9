"""The witness of out-of-fold: which rows, in any copy, the model behind a prediction was fitted on.

A synthetic child counts as its parent. The witness is taken from the very rows that are handed to ``fit``; nothing
is trusted that a plan or a fold number says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from watertight.core.digests import ids_digest

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


def table(witnesses: dict[str, Witness]) -> pl.DataFrame:
    """All witnesses as one table (fitted_on, root_id, times), each fit once."""
    parts = [
        found.rows.select(pl.lit(digest).alias("fitted_on"), "root_id", "times") for digest, found in sorted(witnesses.items())
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=SCHEMA)


def evidence(predictions: pl.DataFrame, rows: pl.DataFrame, witnesses: pl.DataFrame) -> pl.DataFrame:
    """The predictions with what the witnesses say of each.

    ``rows`` has row_id, parent_id, group_id and split. Adds ``own_fits`` (1 where the predicted row, or a relative of the
    same root, was fitted on by its own model, else 0), ``group_fits`` (1 where any row of its group was), ``strange_fits``
    (how many rows its model was fitted on that are no training rows), ``predicted`` (how often the row is predicted in its
    cell, seed and target), ``refitted`` (how often, at most, a real row stood in its model's fit) and ``witnessed``
    (whether the witness is there and its digest is that of its rows).
    """
    told = witnesses.join(rows.select(pl.col("row_id").alias("root_id"), "group_id", "split"), on="root_id", how="left")
    groups = told.select("fitted_on", "group_id", group_fits=pl.lit(1, dtype=pl.Int64)).unique()
    strange = told.group_by("fitted_on").agg(strange_fits=(pl.col("split") != "train").fill_null(True).sum().cast(pl.Int64))
    sound = (
        witnesses.group_by("fitted_on")
        .agg(pl.col("root_id", "times"), refitted=pl.col("times").max())
        .with_columns(
            witnessed=pl.struct("fitted_on", "root_id", "times").map_elements(
                lambda fit: _digest(fit["root_id"], fit["times"]) == fit["fitted_on"], return_dtype=pl.Boolean
            )
        )
        .select("fitted_on", "refitted", "witnessed")
    )
    members = witnesses.select("fitted_on", "root_id", own_fits=pl.lit(1, dtype=pl.Int64))
    roots = rows.select("row_id", root_id(), "group_id")
    return (
        predictions.join(roots, on="row_id", how="left", maintain_order="left")
        .join(members, on=["fitted_on", "root_id"], how="left", maintain_order="left")
        .join(groups, on=["fitted_on", "group_id"], how="left", maintain_order="left")
        .join(strange, on="fitted_on", how="left", maintain_order="left")
        .join(sound, on="fitted_on", how="left", maintain_order="left")
        .drop("group_id")
        .with_columns(
            pl.col("own_fits", "group_fits").fill_null(0),
            pl.col("witnessed").fill_null(False),
            predicted=pl.len().over("target", "cell", "seed", "row_id"),
        )
    )


def _digest(roots: Iterable[str], times: Iterable[int]) -> str:
    """Of the pairs: one fit on a row and two fits on it are not the same fit."""
    return ids_digest(f"{root}\t{count}" for root, count in zip(roots, times, strict=True))
