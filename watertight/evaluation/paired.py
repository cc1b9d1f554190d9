"""Whether one model is better than another on the same rows, as a gate asks it: few groups, of unequal size, one-sided.

The intervals of ``intervals`` describe. A gate needs a test that lets through no more than it says, and has two, which must
agree. Both studentise the difference by its jackknife standard error over groups, as every metric is a function of sums over
groups. The first reads the quotient off resamples of whole groups, each with a standard error of its own, which follows the
skewness of the errors (bootstrap-t: Efron 1982, The Jackknife, the Bootstrap and Other Resampling Plans, 10.10; Hall 1988, Ann.
Stat. 16). The second holds it against Student's t, because resamples of groups reject too much where some are far larger than
others (Cameron, Gelbach and Miller 2008, Rev. Econ. Stat. 90); its degrees of freedom are one less than the number of equal
groups that the groups are worth (Carter, Schnepel and Steigerwald 2017, Rev. Econ. Stat. 99, with all rows of a group alike).
``benchmarks/gate_level.py`` prints how often the test is wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from scipy.special import stdtr, stdtrit

from watertight.core.contract import Target
from watertight.core.workload import IntervalParams
from watertight.evaluation.intervals import BLOCK, NOISE, Estimate, estimates, multiplicities, of_one_row_set, pairs
from watertight.evaluation.metrics import metrics_of
from watertight.evaluation.row_sets import Floats, RowSet

WORKED_ON = 200_000
"""Numbers that the jackknife of some resamples holds at a time: few enough for a processor's cache."""


@dataclass(frozen=True)
class Difference:
    """``figure``: ``one`` less ``other``, the figures of two models; null where one of them is not defined.

    ``error`` is its standard error, null where fewer groups than declared contribute or where it is not defined without one of
    them, and 0 where it is the same without any. ``drawn``, (resamples,): (figure of a resample − figure) / its own standard
    error, NaN where that is not defined or 0; empty where ``error`` is null or 0. ``degrees``: of freedom, one less than the
    number of groups of equal size that the groups are worth, (Σ rows)² / Σ rows².
    """

    better: Literal["lower", "higher", "level"]
    one: float | None
    other: float | None
    figure: float | None
    error: float | None
    drawn: Floats
    degrees: float
    rows: int
    groups: int
    row_set: str

    def low(self, confidence: float) -> float | None:
        """The difference is above this, at one-sided ``confidence``; null where the resamples do not say."""
        return self._bound(1, confidence)

    def high(self, confidence: float) -> float | None:
        """The difference is below this, at one-sided ``confidence``; null where the resamples do not say."""
        return self._bound(-1, confidence)

    def p_not_better(self, by: float) -> float | None:
        """The p-value of ``one`` being no more than ``by`` better than ``other``; null where there is no standard error.

        It is at most 1 − confidence just where the bound at that confidence is beyond ``by``. Raises ValueError where no
        direction of the metric is better.
        """
        return self._p(self._sign, by)

    def p_not_worse(self, by: float) -> float | None:
        """The p-value of ``one`` being no more than ``by`` worse than ``other``; as in ``p_not_better``."""
        return self._p(-self._sign, by)

    @property
    def _sign(self) -> int:
        if self.better == "level":
            raise ValueError("neither lower nor higher is better")
        return 1 if self.better == "higher" else -1

    def _against(self, sign: int) -> Floats:
        """What is drawn, turned by ``sign``; an undefined resample speaks against what is to be shown."""
        return np.where(np.isnan(self.drawn), np.inf, sign * self.drawn)

    def _bound(self, sign: int, confidence: float) -> float | None:
        if self.figure is None or not self.error:
            return self.figure if self.error == 0 else None
        rank = int((1 - confidence) * (len(self.drawn) + 1) + 1e-9)
        drawn = np.sort(self._against(sign))[-rank] if rank else np.inf
        reach = max(drawn, stdtrit(self.degrees, confidence))
        return float(self.figure - sign * reach * self.error) if np.isfinite(reach) else None

    def _p(self, sign: int, by: float) -> float | None:
        if self.figure is None or self.error is None:
            return None
        beyond = sign * self.figure - by
        if not self.error:
            return 0.0 if beyond > 0 else 1.0
        found = beyond / self.error
        drawn = (1 + np.count_nonzero(self._against(sign) >= found)) / (len(self.drawn) + 1)
        return float(max(drawn, stdtr(self.degrees, -found)))


def differences(
    one: pl.DataFrame,
    other: pl.DataFrame,
    name: str,
    target: Target,
    declared: IntervalParams,
    metrics: Collection[str] | None = None,
) -> dict[str, Difference]:
    """``one`` less ``other`` in each of ``metrics`` (default: all) that both allow.

    Both have row_id, group_id (the same in both), the column ``name`` and outputs, one row per row_id. ``resamples``, ``seed``
    and ``min_groups`` are as declared; the draws depend on the seed and the number of groups alone. Raises Refusal where the
    row sets differ.
    """
    left, right = of_one_row_set(one, other, name, target)
    mine, theirs = estimates(left), estimates(right)
    made = {metric: pair for metric, pair in pairs(mine, theirs) if metrics is None or metric in metrics}
    known = metrics_of(target.kind, left.outputs)
    errors = {metric: _error(pair, declared) for metric, pair in made.items()}
    drawn = _drawn({metric: made[metric] for metric, error in errors.items() if error}, declared)
    return {
        metric: Difference(
            known[metric].better,
            _figure(mine[metric]),
            _figure(theirs[metric]),
            _figure(pair),
            errors[metric],
            drawn.get(metric, np.empty(0)),
            _degrees(left.of),
            left.of.rows,
            left.of.groups,
            left.of.digest,
        )
        for metric, pair in made.items()
    }


def _figure(one: Estimate) -> float | None:
    with np.errstate(divide="ignore", invalid="ignore"):
        figure = float(one.value(one.statistics.sum(axis=0)))
    return figure if np.isfinite(figure) else None


def _degrees(of: RowSet) -> float:
    return of.rows**2 / float(np.sum(np.bincount(of.group).astype(np.float64) ** 2)) - 1


def _error(pair: Estimate, declared: IntervalParams) -> float | None:
    """The jackknife's standard error; 0 where the difference is the same without any group, of equal models above all."""
    statistics = pair.statistics
    if np.count_nonzero(statistics.any(axis=1)) < declared.min_groups:
        return None
    total = statistics.sum(axis=0)
    (error,) = _errors(pair, total[None], np.ones((1, len(statistics))))
    if not np.isfinite(error):
        return None
    return float(error) if error > NOISE * np.abs(pair.value(total)) else 0.0


def _drawn(made: dict[str, Estimate], declared: IntervalParams) -> dict[str, Floats]:
    """Per metric, the studentised difference of each resample."""
    found: dict[str, list[Floats]] = {metric: [] for metric in made}
    for counts in _blocks(made, declared):
        for metric, pair in made.items():
            found[metric].append(_studentised(pair, counts))
    return {metric: np.concatenate(parts) for metric, parts in found.items()}


def _blocks(made: dict[str, Estimate], declared: IntervalParams) -> Iterator[Floats]:
    """How often each group stands in each resample: (some resamples, groups), until all are drawn."""
    if made:
        groups = len(next(iter(made.values())).statistics)
        size = max(1, BLOCK // groups)
        for start in range(0, declared.resamples, size):
            yield multiplicities(groups, range(start, min(start + size, declared.resamples)), declared.seed)


def _studentised(pair: Estimate, counts: Floats) -> Floats:
    """(figure of a resample − figure of all) / standard error within the resample: (resamples,), NaN where it is not defined."""
    sums = counts @ pair.statistics
    at_once = max(1, WORKED_ON // pair.statistics.size)
    errors = [
        _errors(pair, sums[start : start + at_once], counts[start : start + at_once]) for start in range(0, len(sums), at_once)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = pair.value(sums) - pair.value(pair.statistics.sum(axis=0))
        error = np.concatenate(errors)
        return np.where(error > 0, apart / error, np.nan)


def _errors(pair: Estimate, sums: Floats, counts: Floats) -> Floats:
    """The jackknife's standard error of each resample, from its ``sums`` (resamples, k) and ``counts`` (resamples, groups).

    Of n groups that were drawn one is left out at a time, a group that was drawn twice twice. NaN where the figure is not
    defined without one of them.
    """
    groups = counts.shape[1]
    left_out = np.moveaxis(sums.T[:, :, None] - pair.statistics.T[:, None, :], 0, -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        figures = np.where(counts > 0, pair.value(left_out), 0.0)
    mean = np.einsum("rg,rg->r", counts, figures)[:, None] / groups
    variance = np.einsum("rg,rg->r", counts, (figures - mean) ** 2) * (groups - 1) / groups
    return np.sqrt(variance)
