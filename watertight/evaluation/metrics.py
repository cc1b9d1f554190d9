"""Metrics as functions of sums over groups, so that a resample of whole groups is one row of a matrix product.

A metric has ``statistics``, float64 (groups, k), and ``value``, which turns their sum over any multiset of groups,
(..., k), into figures, (...): NaN where they are not defined. No metric looks at the rows again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from watertight.core.calibration import BINS, confidence_bins, tenths
from watertight.core.contract import OUTPUTS, Target
from watertight.core.errors import Refusal
from watertight.core.workload import EvaluateParams
from watertight.evaluation.rank_bins import bins_of, median_of
from watertight.evaluation.ranked import errors, named_correction
from watertight.evaluation.row_sets import Floats, Places, RowSet, as_array, row_set

LEAST_ROWS = 3
ALMOST_ONE = 1 - 1e-9
NO_SPREAD = 1e-18
"""Variance, of values whose largest is 1, below which they are one value and the noise of floats."""


@dataclass(frozen=True)
class Scored:
    """Predictions of a row set: ``outputs`` by name, float64, (n,) or (n, d), in the order of its rows.

    Of vectors these are what ``errors`` and ``Ranking`` tell of each row, and not the vectors.
    """

    of: RowSet
    outputs: Mapping[str, Floats]

    @property
    def predicted(self) -> Floats:
        """The output that is compared with the truth."""
        return self.outputs[OUTPUTS[self.of.kind]]


@dataclass(frozen=True)
class Metric:
    """``better``: lower or higher, or ``level`` for what should be the nominal level. ``needs``: the outputs that it reads.

    ``headline`` says whether its interval is told beside it where there is little room; ``smooth``, whether the jackknife gives
    its standard error, without which no difference is tested.
    """

    better: Literal["lower", "higher", "level"]
    needs: tuple[str, ...]
    statistics: Callable[[Scored], Floats]
    value: Callable[[Floats], Floats]
    headline: bool = False
    smooth: bool = True


def scored(rows: pl.DataFrame, name: str, target: Target) -> Scored:
    """Predictions that stand beside their rows: row_id, group_id, the column ``name``, and the outputs; see ``outputs``."""
    of = row_set(rows, name, target)
    return Scored(of, by_row(of.truth, outputs(rows, target.kind)))


def by_row(truth: Floats, given: Mapping[str, Floats]) -> dict[str, Floats]:
    """Outputs with a vector replaced by its ``errors`` beside ``truth``; others as they are."""
    if "vector" not in given:
        return dict(given)
    return errors(truth, given["vector"]) | {name: values for name, values in given.items() if name != "vector"}


def outputs(rows: pl.DataFrame, kind: str) -> dict[str, Floats]:
    """The columns of ``rows`` that metrics of ``kind`` read; one that is all null is an output that is not given.

    Raises Refusal where the output that every model of the kind gives is absent, or where one is null in some rows only:
    a figure without the rows that a model left out would flatter it.
    """
    given = [name for name in outputs_read(kind, rows.columns) if rows[name].null_count() < rows.height]
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
        lists = values if isinstance(values.dtype, pl.List) else values.arr.to_list()
        return lists.list.eval(pl.element().is_finite()).list.all(ignore_nulls=False).fill_null(False)
    return values.cast(pl.Float64).is_finite().fill_null(False)


def outputs_read(kind: str, columns: Collection[str]) -> list[str]:
    """Those of ``columns`` that metrics of ``kind`` read, what a model gives first."""
    if kind == "vector":
        return [name for name in ("vector", "rank", "gallery") if name in columns] + list(filter(RANKED.fullmatch, columns))
    return [name for name in dict.fromkeys(need for one in METRICS[kind].values() for need in one.needs) if name in columns]


def metrics_of(kind: str, given: Collection[str]) -> dict[str, Metric]:
    """The metrics of a kind of target whose outputs are given, in the order in which they are told."""
    known = {name: metric for name, metric in METRICS[kind].items() if set(metric.needs) <= set(given)}
    return known | _ranked(given if kind == "vector" else ())


def metrics_declared(kind: str, declared: EvaluateParams) -> dict[str, Metric]:
    """The metrics of a kind of target in the order in which they are told, those of declared galleries and corrections too."""
    corrections = (named_correction(name, one) for name, one in declared.corrections.items())
    behind = [*(f"at_{size}" for size in declared.galleries), *corrections] if kind == "vector" else []
    return METRICS[kind] | _ranked(ranked_names(behind))


def ranked_names(behind: Iterable[str]) -> list[str]:
    """The names of both figures that are told of a size of gallery, ``at_<g>``, or of a correction."""
    return [f"{figure}_{name}" for name in behind for figure in ("mrr", "recall_1")]


def metric_of(kind: str, name: str) -> Metric | None:
    """The metric of this name; null where the kind of target has none."""
    return METRICS[kind].get(name, _ranked([name]).get(name) if kind == "vector" else None)


def _ranked(names: Iterable[str]) -> dict[str, Metric]:
    """The means of what ``Ranking`` tells of each row, by the same names."""
    return {name: Metric("higher", (name,), _own(name), _mean) for name in names if RANKED.fullmatch(name)}


def _sums(of: RowSet, *columns: Floats) -> Floats:
    """Columns (n,) summed over groups, behind the number of rows: (groups, 1 + columns)."""
    all_columns = (np.ones(of.rows), *columns)
    return np.stack([np.bincount(of.group, weights=column, minlength=of.groups) for column in all_columns], axis=1)


def _mean(sums: Floats) -> Floats:
    return sums[..., 1] / sums[..., 0]


def _root_of_mean(sums: Floats) -> Floats:
    return np.sqrt(_mean(sums))


def _squared_errors(scored: Scored) -> Floats:
    return _sums(scored.of, (scored.of.truth - scored.predicted) ** 2)


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


def _own(name: str) -> Callable[[Scored], Floats]:
    """Of an output of this name."""
    return lambda scored: _sums(scored.of, scored.outputs[name])


def _reciprocal_ranks(scored: Scored) -> Floats:
    return _sums(scored.of, 1 / scored.outputs["rank"])


def _among_first(k: int) -> Callable[[Scored], Floats]:
    return lambda scored: _sums(scored.of, (scored.outputs["rank"] <= k).astype(np.float64))


def _counted_ranks(scored: Scored) -> Floats:
    """By bin, as many as the whole gallery takes, so that every slice has the same."""
    bins = int(bins_of(scored.outputs["gallery"].max())) + 1
    return _binned(scored.of, np.ones(scored.of.rows), bins_of(scored.outputs["rank"]), bins)


RANKED = re.compile(r"(?:mrr|recall_1)_.+")
"""Names of outputs that are metrics, too: their means over rows."""

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
        "mrr": Metric("higher", ("rank",), _reciprocal_ranks, _mean, headline=True),
        "recall_1": Metric("higher", ("rank",), _among_first(1), _mean),
        "recall_5": Metric("higher", ("rank",), _among_first(5), _mean),
        "recall_10": Metric("higher", ("rank",), _among_first(10), _mean),
        "median_rank": Metric("lower", ("rank", "gallery"), _counted_ranks, median_of, smooth=False),
        "cosine": Metric("higher", ("cosine",), _own("cosine"), _mean),
        "rmse": Metric("lower", ("squared_error",), _own("squared_error"), _root_of_mean, headline=True),
        "l1": Metric("lower", ("absolute_error",), _own("absolute_error"), _mean),
        "gallery": Metric("level", ("gallery",), _own("gallery"), _mean),
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
are true or predicted; ``calibration_error``, of the likeliest class over ten bins of equal width (Guo et al. 2017).

Vectors, of which a rank is that of the row's own truth among the different truths of its part, or fold, by cosine to the
prediction, where what is as near shares the place: ``mrr``, the mean of 1 / rank; ``recall_k``, the share of ranks up to k;
``median_rank``, exact up to 64, and less than 2 % off above; ``cosine``, mean, 0 where either is zero; ``rmse`` and ``l1``, the
root of the mean squared and the mean absolute error over all their numbers; ``gallery``, how many the ranks are among, without
which none of them says anything. Beside them the means of what ``Ranking`` tells by name: ``mrr_at_<g>``, ``mrr_<correction>``,
and so for ``recall_1``.
"""
