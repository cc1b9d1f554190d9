"""Intervals by the bias-corrected and accelerated bootstrap over groups: rows of one group are not independent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from watertight.core.contract import Target
from watertight.core.errors import Refusal
from watertight.core.workload import IntervalParams
from watertight.evaluation.metrics import Scored, metrics_of, outputs_read, scored
from watertight.evaluation.row_sets import Floats

BLOCK = 4_000_000
"""Multiplicities that are held in memory at a time."""
NOISE = 1e-12
"""Differences, relative to a figure, that are rounding."""


@dataclass(frozen=True)
class Estimate:
    """A figure in the making: ``statistics`` (groups, k) and the ``value`` of their sums, as of a Metric."""

    statistics: Floats
    value: Callable[[Floats], Floats]


@dataclass(frozen=True)
class Interval:
    """``figure``, null where it is not defined, between ``low`` and ``high``, null where there is no interval."""

    figure: float | None
    low: float | None = None
    high: float | None = None


def estimates(found: Scored) -> dict[str, Estimate]:
    """Every metric that the outputs allow."""
    chosen = metrics_of(found.of.kind, found.outputs)
    return {name: Estimate(metric.statistics(found), metric.value) for name, metric in chosen.items()}


def intervals(made: Mapping[str, Estimate], declared: IntervalParams) -> dict[str, Interval]:
    """The figures of estimates over the same groups, with their BCa intervals (Efron 1987, J. Am. Stat. Assoc. 82).

    A resample draws as many groups as there are, with replacement; the draws depend on ``declared.seed`` and the number of
    groups alone, so all figures of a row set see the same ones. An interval is null where fewer than ``min_groups`` groups
    contribute, where the figure is not defined in some resample or without some group, where it is the same without any
    group, and where its bias is too large for BCa: all resamples lie on one side of it, or the acceleration has no solution.
    """
    statistics = np.hstack([one.statistics for one in made.values()])
    total = statistics.sum(axis=0)
    sums = [total, total - statistics]
    if len(statistics) >= declared.min_groups:
        sums.append(_resampled(statistics, declared))
    stops = np.cumsum([one.statistics.shape[1] for one in made.values()])[:-1]
    apart = zip(*(np.split(part, stops, axis=-1) for part in sums), strict=True)
    return {name: _interval(one, declared, *parts) for (name, one), parts in zip(made.items(), apart, strict=True)}


def _interval(one: Estimate, declared: IntervalParams, total: Floats, left_out: Floats, drawn: Floats | None = None) -> Interval:
    """From the sums over all groups (k,), all but one (groups, k), and those of each resample (resamples, k) if any."""
    with np.errstate(divide="ignore", invalid="ignore"):
        figure = float(one.value(total))
        if not np.isfinite(figure):
            return Interval(None)
        if drawn is None or np.count_nonzero(one.statistics.any(axis=1)) < declared.min_groups:
            return Interval(figure)
        return Interval(figure, *_bca(figure, one.value(drawn), one.value(left_out), declared.confidence))


def difference(
    one: pl.DataFrame, other: pl.DataFrame, name: str, target: Target, declared: IntervalParams
) -> list[dict[str, Any]]:
    """Figures of ``one`` less those of ``other``, paired: the same resamples of the same groups for both.

    Both have row_id, group_id (the same in both), the column ``name`` and outputs. A record per metric that both allow:
    metric, figure, low, high, rows, groups, row_set; nulls as in ``intervals``. Raises Refusal where the row sets differ.
    """
    left, right = of_one_row_set(one, other, name, target)
    told = intervals(dict(pairs(estimates(left), estimates(right))), declared)
    rows = {"rows": left.of.rows, "groups": left.of.groups, "row_set": left.of.digest}
    return [{"metric": metric, **vars(found), **rows} for metric, found in told.items()]


def of_one_row_set(one: pl.DataFrame, other: pl.DataFrame, name: str, target: Target) -> tuple[Scored, Scored]:
    """Both predictions as scored; raises Refusal where their row sets differ, or the galleries that their ranks are among."""
    left, right = scored(one, name, target), scored(other, name, target)
    if left.of.digest != right.of.digest:
        raise Refusal(
            f"the predictions of {name!r} are of other rows or labels: row sets {left.of.digest} and {right.of.digest}",
            expected="two predictions of one row set",
            next_step="predict both on the same rows, then compare",
        )
    sizes = [found.outputs["gallery"] for found in (left, right) if "gallery" in found.outputs]
    folds = [table["fold"].to_numpy() for table in (one, other) if "fold" in table.columns]
    if len(sizes) == 2 and not all(np.array_equal(each[0], each[-1]) for each in (sizes, folds) if each):
        raise Refusal(
            f"the ranks of {name!r} are among other vectors: galleries of {sizes[0][0]:.0f} and {sizes[1][0]:.0f}",
            expected="for each row one gallery, of the whole part or out of fold of the same fold",
            next_step="rank both on the same rows in the same folds, then compare",
        )
    return left, right


def apart(
    rows: pl.DataFrame, one: pl.DataFrame, other: pl.DataFrame, name: str, target: Target, declared: IntervalParams
) -> list[dict[str, Any]]:
    """``difference`` of two cells' predictions (row_id, seed and outputs), each by its first seed.

    ``rows`` has row_id, group_id and the column ``name``; rows without the target are left out. They may be a slice: ranks of
    vectors are told where they stand beside the predictions, see ``with_ranks``.
    """
    own = rows.select("row_id", "group_id", name).filter(pl.col(name).is_not_null())
    frames = []
    for told in (one, other):
        first = first_seed(told)
        frames.append(own.join(first.select("row_id", *outputs_read(target.kind, first.columns)), on="row_id"))
    return difference(frames[0], frames[1], name, target, declared)


def first_seed(told: pl.DataFrame) -> pl.DataFrame:
    """The predictions of a cell's first seed."""
    return told.filter(pl.col("seed") == pl.col("seed").min())


def pairs(left: Mapping[str, Estimate], right: Mapping[str, Estimate]) -> Iterator[tuple[str, Estimate]]:
    """Per metric that both have, the estimate of the first less the second: statistics of both, side by side."""
    for metric in (metric for metric in left if metric in right):
        one, other = left[metric], right[metric]
        yield metric, Estimate(np.hstack([one.statistics, other.statistics]), _less(one, other))


def _less(one: Estimate, other: Estimate) -> Callable[[Floats], Floats]:
    """The first figure less the second; 0 where they differ by rounding."""
    width = one.statistics.shape[1]

    def value(sums: Floats) -> Floats:
        left, right = one.value(sums[..., :width]), other.value(sums[..., width:])
        return np.where(np.abs(left - right) <= NOISE * np.abs(left), 0.0, left - right)

    return value


def _resampled(statistics: Floats, declared: IntervalParams) -> Floats:
    """The sums of every resample: (resamples, k)."""
    groups = len(statistics)
    size = max(1, BLOCK // groups)
    blocks = [range(start, min(start + size, declared.resamples)) for start in range(0, declared.resamples, size)]
    return np.concatenate([multiplicities(groups, block, declared.seed) @ statistics for block in blocks])


@lru_cache(maxsize=4)
def multiplicities(groups: int, block: range, seed: int) -> Floats:
    """How often each group stands in each resample of a block: (resamples, groups)."""
    generator = np.random.default_rng([seed, groups, block.start])
    drawn = generator.integers(groups, size=(len(block), groups)) + groups * np.arange(len(block))[:, None]
    return np.bincount(drawn.ravel(), minlength=len(block) * groups).reshape(len(block), groups).astype(np.float64)


def _bca(figure: float, resampled: Floats, left_out: Floats, confidence: float) -> tuple[float, ...]:
    """Low and high, or nothing; ties with the figure count half."""
    if not np.isfinite(resampled).all() or np.ptp(left_out) <= NOISE * abs(figure):
        return ()
    influence = left_out.mean() - left_out
    bias = ndtri((np.mean(resampled < figure) + np.mean(resampled <= figure)) / 2)
    moved = bias + ndtri(np.array([1 - confidence, 1 + confidence]) / 2)
    stretch = 1 - moved * np.sum(influence**3) / (6 * np.sum(influence**2) ** 1.5)
    if not (np.isfinite(bias) and (stretch > 0).all()):
        return ()
    low, high = np.quantile(resampled, ndtr(bias + moved / stretch))
    return float(low), float(high)
