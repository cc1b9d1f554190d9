"""Metrics by kind of target. A figure never stands without the rows that it is of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from watertight.core.contract import Target
from watertight.core.digests import row_set_digest

Floats = npt.NDArray[np.float64]


def rmse(truth: Floats, predicted: Floats) -> float:
    """Root of the mean squared error; for vectors over all their numbers."""
    return float(np.sqrt(np.mean((truth - predicted) ** 2)))


def mae(truth: Floats, predicted: Floats) -> float:
    """Mean absolute error."""
    return float(np.mean(np.abs(truth - predicted)))


def pearson(truth: Floats, predicted: Floats) -> float:
    """Pearson's correlation; NaN where either side does not vary."""
    if len(truth) < 2 or np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(np.corrcoef(truth, predicted)[0, 1])


def cosine(truth: Floats, predicted: Floats) -> float:
    """Mean cosine similarity of matching vectors; a zero vector counts as 0."""
    lengths = np.linalg.norm(truth, axis=1) * np.linalg.norm(predicted, axis=1)
    dots = np.sum(truth * predicted, axis=1)
    return float(np.mean(np.divide(dots, lengths, out=np.zeros_like(dots), where=lengths > 0)))


def log_loss(truth: Floats, probabilities: Floats) -> float:
    """Mean negative log of the probability given to the true class (indices), clipped at 1e-12."""
    given = probabilities[np.arange(len(truth)), truth.astype(int)]
    return float(-np.mean(np.log(np.clip(given, 1e-12, 1))))


def accuracy(truth: Floats, probabilities: Floats) -> float:
    """Share of rows whose likeliest class is the true one."""
    return float(np.mean(probabilities.argmax(axis=1) == truth))


METRICS: dict[str, dict[str, Callable[[Floats, Floats], float]]] = {
    "scalar": {"rmse": rmse, "mae": mae, "r": pearson},
    "class": {"log_loss": log_loss, "accuracy": accuracy},
    "vector": {"rmse": rmse, "cosine": cosine},
}
OUTPUT = {"scalar": "mean", "class": "probabilities", "vector": "vector"}


def scores(rows: pl.DataFrame, name: str, target: Target) -> dict[str, Any]:
    """The metrics of predictions beside their truth, with ``rows``, ``groups`` and the digest ``row_set``.

    ``rows`` has row_id, group_id, the target's column and the output's (``mean``, ``probabilities`` or ``vector``).
    """
    truth, predicted = as_array(rows[name], target), as_array(rows[OUTPUT[target.kind]], None)
    figures = {metric: function(truth, predicted) for metric, function in METRICS[target.kind].items()}
    return {
        **figures,
        "rows": rows.height,
        "groups": rows["group_id"].n_unique(),
        "row_set": row_set_digest(rows, name),
    }


def as_array(values: pl.Series, target: Target | None) -> Floats:
    """A column as numbers: classes as indices in declared order, lists as a matrix."""
    if target is not None and target.classes:
        order = list(target.classes)
        values = values.replace_strict(order, list(range(len(order))), return_dtype=pl.Int64)
    if isinstance(values.dtype, pl.List | pl.Array):
        return np.asarray(values.to_list(), dtype=np.float64)
    return values.cast(pl.Float64).to_numpy()
