"""No single feature tells a target too well to be true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watertight.checks.base import FeatureCheck, Found, skipped
from watertight.checks.numbers_in_text import numbers_in
from watertight.checks.ridge_strength import by_ridge
from watertight.checks.setting import as_matrix
from watertight.checks.strength import LEAST_GROUPS, Ranked, by_area, by_bins, by_null, by_rank, numbered, parts, ranked
from watertight.core.contract import Target

SHOWN, MOST_ROWS, SEED = 5, 30_000, 0


class Told(NamedTuple):
    """How strongly a feature tells a target, in [0, 1], and by which measure."""

    strength: float
    feature: str
    target: str
    by: str


class ExpectNoTargetLeak(FeatureCheck):
    """No feature alone tells a target with a strength of ``bound`` or more, among the training rows (children left out).

    A scalar target is told by rank (|Spearman|, relative to what the ties of a feature of few values allow), by bins (the
    correlation ratio over quantile bins, each group predicted from the others, so it need not be monotone), and by null
    (|2 · AUC − 1| of the feature being null). A class is told one against the rest: by area (|2 · AUC − 1| of the feature), by
    bins and by null. So are the first and the last number in each text: what a judge wrote says the score. Blocks of numbers
    are set against all targets by ridge, a correlation, each group predicted from the others; only by that is a vector told
    (the mean over its numbers), and only ``copy_bound`` is too much: to map one space to another is what such models are for,
    and a leak would be a copy. Of more than 30,000 rows as many are drawn. Fewer than 20 rows or 10 groups on either side tell
    nothing; with fewer than 10 groups in all it is skipped. Names the columns; the figures hold the strongest whether it
    passes or not.
    """

    bound: float = 0.95
    copy_bound: float = 0.999

    def among(self, trained: pl.DataFrame) -> Found:
        """The features that know the target."""
        targets = {name: target for name, target in self.setting.targets.items() if name in trained.columns}
        if not targets or trained["group_id"].n_unique() < LEAST_GROUPS:
            return skipped(f"there is no target, or there are fewer than {LEAST_GROUPS} groups among the training rows")
        rows = trained.select("group_id", *dict.fromkeys((*self.setting.features, *self.setting.texts)), *targets)
        some = rows.sample(MOST_ROWS, seed=SEED) if rows.height > MOST_ROWS else rows
        read = numbers_in(some, self.setting.texts)
        scalars = [*self.setting.scalars, *read.columns]
        told = sorted(_strengths(scalars, self.setting.blocks, targets, some.hstack(read)), key=lambda one: (-one.strength, one))
        columns = list(dict.fromkeys(one.feature for one in told if one.strength >= self._too_much(targets[one.target])))
        strongest = [{**one._asdict(), "strength": round(one.strength, 4)} for one in told[: max(SHOWN, len(columns))]]
        return Found(not columns, columns=columns, figures={"strongest": strongest})

    def _too_much(self, target: Target) -> float:
        return self.copy_bound if target.kind == "vector" else self.bound


def _strengths(names: list[str], blocks: list[str], targets: Mapping[str, Target], rows: pl.DataFrame) -> Iterator[Told]:
    """The best measure of each feature and target: of ``names``, one value a row, and of ``blocks`` of numbers."""

    @cache
    def scalars(labelled: bytes) -> Ranked:
        return ranked(*_where(rows, labelled, names))

    for name, target in targets.items():
        labelled = rows[name].is_not_null().to_numpy()
        some = rows.filter(labelled)
        if some["group_id"].n_unique() < LEAST_GROUPS:
            continue
        if names and target.kind != "vector":
            yield from _best(names, name, _measured(scalars(labelled.tobytes()), some[name], target))
        for block in blocks:
            yield from _best([block], name, {"ridge": _by_block(some, block, name, target)})


def _where(rows: pl.DataFrame, labelled: bytes, features: list[str]) -> tuple[pl.DataFrame, pl.Series]:
    some = rows.filter(np.frombuffer(labelled, dtype=bool))
    return some.select(features), some["group_id"]


def _measured(features: Ranked, values: pl.Series, target: Target) -> dict[str, NDArray[np.float64]]:
    """By each measure, the strength of every feature; of a class the best against the rest."""
    columns = _numbers(values, target).T
    first = {"rank": by_rank} if target.kind == "scalar" else {"area": by_area}
    measures = {**first, "bins": by_bins, "null": by_null}
    return {by: np.max([measure(features, column) for column in columns], axis=0) for by, measure in measures.items()}


def _by_block(rows: pl.DataFrame, block: str, name: str, target: Target) -> NDArray[np.float64]:
    """The strength of one block, as an array of one."""
    some = rows.filter(pl.col(block).is_not_null())
    if some["group_id"].n_unique() < LEAST_GROUPS:
        return np.zeros(1)
    found = by_ridge(as_matrix(some[block]), _numbers(some[name], target), parts(numbered(some["group_id"])))
    return np.array([found.mean() if target.kind == "vector" else found.max()])


def _numbers(values: pl.Series, target: Target) -> NDArray[np.float64]:
    """A target as columns (rows, columns): itself, a flag per class, or the numbers of a vector."""
    if target.kind == "vector":
        return as_matrix(values).astype(np.float64)
    if target.classes:
        return np.stack([(values == name).to_numpy() for name in target.classes], axis=1).astype(np.float64)
    return values.to_numpy().astype(np.float64)[:, None]


def _best(features: list[str], target: str, measured: dict[str, NDArray[np.float64]]) -> Iterator[Told]:
    for place, feature in enumerate(features):
        by = max(measured, key=lambda measure: measured[measure][place])
        yield Told(float(measured[by][place]), feature, target, by)
