"""Metrics as functions of sums over groups, so that a resample of whole groups is one row of a matrix product.

A metric has ``statistics``, float64 (groups, k), and ``value``, which turns their sum over any multiset of groups,
(..., k), into figures, (...): NaN where they are not defined. No metric looks at the rows again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from watertight.core.calibration import BINS, confidence_bins, tenths
from watertight.core.contract import OUTPUTS, Target
from watertight.core.errors import Refusal
from watertight.evaluation.row_sets import Floats, Places, RowSet, as_array, row_set

LEAST_ROWS = 3
ALMOST_ONE = 1 - 1e-9
NO_SPREAD = 1e-18
"""Variance, of values whose largest is 1, below which they are one value and the noise of floats."""


@dataclass(frozen=True)
class Scored:
    """Predictions of a row set: ``outputs`` by name, float64, (n,) or (n, d), in the order of its rows."""

    of: RowSet
    outputs: Mapping[str, Floats]

    @property
    def predicted(self) -> Floats:
        """The output that is compared with the truth."""
        return self.outputs[OUTPUTS[self.of.kind]]


@dataclass(frozen=True)
class Metric:
    """``better``: lower or higher, or ``level`` for what should be the nominal level. ``needs``: the outputs that it reads.

    ``headline`` says whether its interval is told beside it where there is little room.
    """

    better: Literal["lower", "higher", "level"]
    needs: tuple[str, ...]
    statistics: Callable[[Scored], Floats]
    value: Callable[[Floats], Floats]
    headline: bool = False


def scored(rows: pl.DataFrame, name: str, target: Target) -> Scored:
    """Predictions that stand beside their rows: row_id, group_id, the column ``name``, and the outputs; see ``outputs``."""
    return Scored(row_set(rows, name, target), outputs(rows, target.kind))


def outputs(rows: pl.DataFrame, kind: str) -> dict[str, Floats]:
    """The columns of ``rows`` that metrics of ``kind`` read; one that is all null is an output that is not given.

    Raises Refusal where the output that every model of the kind gives is absent, or where one is null in some rows only:
    a figure without the rows that a model left out would flatter it.
    """
    given = [name for name in outputs_read(kind) if name in rows.columns and rows[name].null_count() < rows.height]
    holes = [name for name in given if not _whole(rows[name]).all()]
    if OUTPUTS[kind] not in given or holes:
        raise Refusal(
            f"predictions lack {holes[0] if holes else OUTPUTS[kind]!r} in some rows",
            rows=rows.filter(~_whole(rows[holes[0]]))["row_id"].to_list() if holes else (),
            expected="each output of a model in every row, as finite numbers, or in none",
        )
    return {name: as_array(rows[name]) for name in given}


def _whole(values: pl.Series) -> pl.Series:
    """Whether each value is there and finite, all numbers of a list."""
    if isinstance(values.dtype, pl.List | pl.Array):
        return values.cast(pl.List(pl.Float64)).list.eval(pl.element().is_finite()).list.all().fill_null(False)
    return values.cast(pl.Float64).is_finite().fill_null(False)


def outputs_read(kind: str) -> tuple[str, ...]:
    """The names of all outputs that metrics of ``kind`` read."""
    return tuple(dict.fromkeys(name for metric in METRICS[kind].values() for name in metric.needs))


def metrics_of(kind: str, given: Collection[str]) -> dict[str, Metric]:
    """The metrics of a kind of target whose outputs are given, in the order in which they are told."""
    return {name: metric for name, metric in METRICS[kind].items() if set(metric.needs) <= set(given)}


def has_direction(kind: str, metric: str) -> bool:
    """Whether less of a metric, or more of it, is better."""
    return METRICS[kind][metric].better != "level"


def _sums(of: RowSet, *columns: Floats) -> Floats:
    """Columns (n,) summed over groups, behind the number of rows: (groups, 1 + columns)."""
    all_columns = (np.ones(of.rows), *columns)
    return np.stack([np.bincount(of.group, weights=column, minlength=of.groups) for column in all_columns], axis=1)


def _mean(sums: Floats) -> Floats:
    return sums[..., 1] / sums[..., 0]


def _root_of_mean(sums: Floats) -> Floats:
    return np.sqrt(_mean(sums))


def _by_row(values: Floats) -> Floats:
    """Mean over the numbers of each row's vector; scalars as they are."""
    return values if values.ndim == 1 else values.mean(axis=1)


def _squared_errors(scored: Scored) -> Floats:
    return _sums(scored.of, _by_row((scored.of.truth - scored.predicted) ** 2))


def _absolute_errors(scored: Scored) -> Floats:
    return _sums(scored.of, np.abs(scored.of.truth - scored.predicted))


def _centred(values: Floats) -> Floats:
    """Moved and scaled by constants, which no correlation sees: sums of squares keep their digits."""
    peak = np.abs(values).max()
    return (values - values.mean()) / (peak or 1.0)


def _moments(x: Floats, y: Floats) -> tuple[Floats, ...]:
    return x, y, x**2, y**2, x * y


def _correlation(sums: Floats) -> Floats:
    """Pearson's correlation from count, x, y, x², y², xy; NaN where a side does not vary."""
    x, y, xx, yy, xy = np.moveaxis(sums[..., 1:] / sums[..., :1], -1, 0)
    spread_x, spread_y = _spread(xx, x), _spread(yy, y)
    return np.clip((xy - x * y) / np.sqrt(spread_x * spread_y), -1, 1)


def _spread(square: Floats, mean: Floats) -> Floats:
    """Variance; NaN where it is nothing but the rounding of its two terms."""
    variance = square - mean**2
    return np.where(variance > NO_SPREAD + 1e-12 * square, variance, np.nan)


def _pooled(scored: Scored) -> Floats:
    return _sums(scored.of, *_moments(_centred(scored.of.truth), _centred(scored.predicted)))


def _ranks(scored: Scored) -> Floats:
    """Moments of the ranks among all rows, of which equal values share one; a resample keeps them."""
    ranks = (pl.Series(values).rank("average").to_numpy() for values in (scored.of.truth, scored.predicted))
    return _sums(scored.of, *_moments(*map(_centred, ranks)))


def _between(scored: Scored) -> Floats:
    """Moments of the groups' means, each group once."""
    sums = _sums(scored.of, _centred(scored.of.truth), _centred(scored.predicted))
    x, y = sums[:, 1:].T / sums[:, 0]
    return np.stack([np.ones(scored.of.groups), *_moments(x, y)], axis=1)


def _within(scored: Scored) -> Floats:
    """Per group: whether it has a correlation of its own, and that correlation or 0."""
    x, y = _about_group(scored.of, scored.of.truth), _about_group(scored.of, scored.predicted)
    rows, xx, yy, xy = _sums(scored.of, x**2, y**2, x * y).T
    has = (rows >= LEAST_ROWS) & (np.minimum(xx, yy) > NO_SPREAD * rows)
    return np.stack([has, np.divide(xy, np.sqrt(xx * yy), out=np.zeros_like(xy), where=has).clip(-1, 1)], axis=1)


def _about_group(of: RowSet, values: Floats) -> Floats:
    """Scaled values about the mean of their group; exactly 0 in a group of equal values, which is why its first goes first."""
    scaled = _centred(values)
    scaled = scaled - scaled[of.first][of.group]
    return scaled - _mean(_sums(of, scaled))[of.group]


def _within_and_between(scored: Scored) -> Floats:
    return np.hstack([_within(scored), _between(scored)])


def _composite(sums: Floats) -> Floats:
    both = np.stack([_mean(sums[..., :2]), _correlation(sums[..., 2:])])
    return np.tanh(np.arctanh(both.clip(-ALMOST_ONE, ALMOST_ONE)).mean(axis=0))


def _binned(of: RowSet, values: Floats, place: Places, bins: int = BINS) -> Floats:
    """``values`` (n,) summed over groups and bins: (groups, bins)."""
    binned = np.bincount(of.group * bins + place, weights=values, minlength=of.groups * bins)
    return binned.astype(np.float64, copy=False).reshape(of.groups, bins)


def _by_bin(of: RowSet, excess: Floats, place: Places) -> Floats:
    """``excess`` summed over groups and bins, behind the number of rows: (groups, 1 + bins)."""
    return np.hstack([_sums(of), _binned(of, excess, place)])


def _gap(sums: Floats) -> Floats:
    return np.abs(sums[..., 1:]).sum(axis=-1) / sums[..., 0]


def _squared_errors_by_truth(scored: Scored) -> Floats:
    """Rows, then squared errors, by tenth of the truth's range: (groups, 2 · bins)."""
    truth = scored.of.truth
    place = np.minimum((truth - truth.min()) / (np.ptp(truth) or 1.0) * BINS, BINS - 1).astype(np.intp)
    return np.hstack([_binned(scored.of, values, place) for values in (np.ones(len(truth)), (truth - scored.predicted) ** 2)])


def _root_of_mean_of_means(sums: Floats) -> Floats:
    """Over the bins that have rows."""
    rows, squares = np.split(sums, 2, axis=-1)
    means = np.divide(squares, rows, out=np.zeros_like(squares), where=rows > 0)
    return np.sqrt(means.sum(axis=-1) / (rows > 0).sum(axis=-1))


def _calibration(scored: Scored) -> Floats:
    return _by_bin(scored.of, scored.predicted - scored.of.truth, tenths(scored.predicted))


def _top_label_calibration(scored: Scored) -> Floats:
    confidence = scored.predicted.max(axis=1)
    return _by_bin(scored.of, confidence - _is_right(scored), confidence_bins(confidence))


def _covered(scored: Scored) -> Floats:
    inside = (scored.outputs["lower"] <= scored.of.truth) & (scored.of.truth <= scored.outputs["upper"])
    return _sums(scored.of, inside.astype(np.float64))


def _widths(scored: Scored) -> Floats:
    return _sums(scored.of, scored.outputs["upper"] - scored.outputs["lower"])


def _gaussian_surprise(scored: Scored) -> Floats:
    log_variance = scored.outputs["log_variance"]
    squared = (scored.of.truth - scored.predicted) ** 2
    return _sums(scored.of, (np.log(2 * np.pi) + log_variance + squared * np.exp(-log_variance)) / 2)


def _surprise(scored: Scored) -> Floats:
    given = scored.predicted[np.arange(scored.of.rows), scored.of.truth.astype(np.intp)]
    return _sums(scored.of, -np.log(np.clip(given, 1e-12, 1)))


def _is_right(scored: Scored) -> Floats:
    return (scored.predicted.argmax(axis=1) == scored.of.truth).astype(np.float64)


def _right(scored: Scored) -> Floats:
    return _sums(scored.of, _is_right(scored))


def _hits_and_misses(scored: Scored) -> Floats:
    """Of each class: predicted and true, predicted or true (rows that are both count twice): (groups, 2 · classes)."""
    classes, truth, told = scored.predicted.shape[1], scored.of.truth.astype(np.intp), scored.predicted.argmax(axis=1)
    count = lambda rows, place: _binned(scored.of, rows, place, classes)  # noqa: E731
    ones = np.ones(scored.of.rows)
    return np.hstack([count(_is_right(scored), truth), count(ones, truth) + count(ones, told)])


def _mean_of_f1(sums: Floats) -> Floats:
    """Over the classes that are true or predicted somewhere."""
    hits, either = np.split(sums, 2, axis=-1)
    scores = np.divide(2 * hits, either, out=np.zeros_like(hits), where=either > 0)
    return scores.sum(axis=-1) / (either > 0).sum(axis=-1)


def _cosines(scored: Scored) -> Floats:
    """Of matching vectors; a zero vector counts as 0."""
    truth, predicted = scored.of.truth, scored.predicted
    lengths = np.linalg.norm(truth, axis=1) * np.linalg.norm(predicted, axis=1)
    dots = np.sum(truth * predicted, axis=1)
    return _sums(scored.of, np.divide(dots, lengths, out=np.zeros_like(dots), where=lengths > 0))


METRICS: dict[str, dict[str, Metric]] = {
    "scalar": {
        "rmse": Metric("lower", ("mean",), _squared_errors, _root_of_mean, headline=True),
        "mae": Metric("lower", ("mean",), _absolute_errors, _mean),
        "macro_rmse": Metric("lower", ("mean",), _squared_errors_by_truth, _root_of_mean_of_means, headline=True),
        "r": Metric("higher", ("mean",), _pooled, _correlation),
        "spearman": Metric("higher", ("mean",), _ranks, _correlation),
        "r_within": Metric("higher", ("mean",), _within, _mean),
        "r_between": Metric("higher", ("mean",), _between, _correlation),
        "composite": Metric("higher", ("mean",), _within_and_between, _composite, headline=True),
        "calibration_error": Metric("lower", ("mean",), _calibration, _gap),
        "nll": Metric("lower", ("mean", "log_variance"), _gaussian_surprise, _mean),
        "coverage": Metric("level", ("lower", "upper"), _covered, _mean),
        "width": Metric("lower", ("lower", "upper"), _widths, _mean),
    },
    "class": {
        "log_loss": Metric("lower", ("probabilities",), _surprise, _mean, headline=True),
        "accuracy": Metric("higher", ("probabilities",), _right, _mean),
        "macro_f1": Metric("higher", ("probabilities",), _hits_and_misses, _mean_of_f1),
        "calibration_error": Metric("lower", ("probabilities",), _top_label_calibration, _gap),
    },
    "vector": {
        "rmse": Metric("lower", ("vector",), _squared_errors, _root_of_mean, headline=True),
        "cosine": Metric("higher", ("vector",), _cosines, _mean),
    },
}
"""Metrics by kind of target, in the order in which they are told.

Scalars: ``rmse``; ``mae``; ``macro_rmse``, the root of the mean over tenths of the truth's range, of equal width and each as
heavy as another, of the mean squared error within (Baccianella et al. 2009; tenths without rows are left out, and a resample
keeps the tenths of all rows); ``r``, Pearson's over all rows; ``spearman``, Pearson's of the ranks among all rows, which a
resample keeps; ``r_within``, the unweighted mean of the groups' own Pearson (groups of fewer than 3 rows, or without variation
on a side, are left out); ``r_between``, Pearson's of the groups' means, unweighted; ``composite``, tanh of the mean of atanh
``r_within`` and atanh ``r_between``, the official metric of subtask 1 of SemEval-2026 Task 2; ``calibration_error``, over ten
bins of equal count by prediction Σ |Σ (prediction − truth)| / n; ``nll``, the mean negative log likelihood of the truth under a
normal distribution of the mean and variance told; ``coverage``, the share with lower ≤ truth ≤ upper; ``width``, the mean of
upper − lower. Classes: ``log_loss``, probabilities clipped at 1e-12; ``accuracy``; ``macro_f1``, the mean F1 of the classes that
are true or predicted; ``calibration_error``, of the likeliest class over ten bins of equal width (Guo et al. 2017). Vectors:
``rmse`` over all their numbers; ``cosine``, mean.
"""
