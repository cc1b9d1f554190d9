"""Metrics as their definitions say them, row by row and group by group: the oracle of the sums over groups."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.stats import norm, rankdata

from watertight.evaluation.metrics import Scored

LEAST_SPREAD = 1e-6


def rmse(scored: Scored) -> float:
    return math.sqrt(np.mean((scored.of.truth - scored.predicted) ** 2))


def mae(scored: Scored) -> float:
    return float(np.mean(np.abs(scored.of.truth - scored.predicted)))


def macro_rmse(scored: Scored) -> float:
    truth, width = scored.of.truth, (scored.of.truth.max() - scored.of.truth.min()) / 10
    squares: dict[int, list[float]] = {}
    for true, own in zip(truth, scored.predicted, strict=True):
        place = min(int((true - truth.min()) / width), 9) if width else 0
        squares.setdefault(place, []).append((true - own) ** 2)
    return math.sqrt(np.mean([np.mean(values) for values in squares.values()]))


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    if len(x) < 2 or np.ptp(x) < LEAST_SPREAD or np.ptp(y) < LEAST_SPREAD:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1])


def r(scored: Scored) -> float:
    return pearson(scored.of.truth, scored.predicted)


def spearman(scored: Scored) -> float:
    return pearson(rankdata(scored.of.truth), rankdata(scored.predicted))


def members(scored: Scored) -> list[np.ndarray]:
    return [scored.of.group == group for group in range(scored.of.groups)]


def r_within(scored: Scored) -> float:
    own = [pearson(scored.of.truth[those], scored.predicted[those]) for those in members(scored) if those.sum() >= 3]
    defined = [value for value in own if not math.isnan(value)]
    return float(np.mean(defined)) if defined else math.nan


def r_between(scored: Scored) -> float:
    means = [(scored.of.truth[those].mean(), scored.predicted[those].mean()) for those in members(scored)]
    return pearson(*np.array(means).T)


def composite(scored: Scored) -> float:
    parts = [np.clip(value, -1 + 1e-9, 1 - 1e-9) for value in (r_within(scored), r_between(scored))]
    return math.tanh(sum(map(math.atanh, parts)) / 2)


def calibration_error(scored: Scored) -> float:
    bins: dict[int, float] = {}
    for own, true in zip(scored.predicted, scored.of.truth, strict=True):
        place = sum(other < own for other in scored.predicted) * 10 // scored.of.rows
        bins[place] = bins.get(place, 0.0) + own - true
    return sum(map(abs, bins.values())) / scored.of.rows


def nll(scored: Scored) -> float:
    return -float(np.mean(norm.logpdf(scored.of.truth, scored.predicted, np.exp(scored.outputs["log_variance"] / 2))))


def coverage(scored: Scored) -> float:
    ends = zip(scored.outputs["lower"], scored.of.truth, scored.outputs["upper"], strict=True)
    return float(np.mean([low <= true <= high for low, true, high in ends]))


def width(scored: Scored) -> float:
    return float(np.mean(scored.outputs["upper"] - scored.outputs["lower"]))


def top_label_calibration_error(scored: Scored) -> float:
    bins: dict[int, float] = {}
    for chances, true in zip(scored.predicted, scored.of.truth, strict=True):
        place = min(int(max(chances) * 10), 9)
        bins[place] = bins.get(place, 0.0) + max(chances) - (int(np.argmax(chances)) == true)
    return sum(map(abs, bins.values())) / scored.of.rows


SCALAR: dict[str, Callable[[Scored], float]] = {
    "rmse": rmse,
    "mae": mae,
    "macro_rmse": macro_rmse,
    "r": r,
    "spearman": spearman,
    "r_within": r_within,
    "r_between": r_between,
    "composite": composite,
    "calibration_error": calibration_error,
    "nll": nll,
    "coverage": coverage,
    "width": width,
}
