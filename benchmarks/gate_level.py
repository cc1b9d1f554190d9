"""How often the gate of a promotion lets through a model that is no better, and how often one that is.

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/gate_level.py [--draws 10000] [--resamples 199]

Prints a line per number of groups, sizes of groups and errors: the share of draws in which each metric says "better" (one-sided,
confidence 0.95, better_by 0). Half of every error is its group's. ``alike``: both models err alike, so what is let through is
wrong, and 5 % may be. ``rare``: the same, but the candidate's own errors are those of few groups (log-normal by group, equal mean
square), which a test set of few groups may not show. ``better``: the candidate's own errors are half as large.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import polars as pl

from watertight.core.contract import Target
from watertight.core.workload import IntervalParams
from watertight.evaluation.paired import differences

SCALAR = Target(kind="scalar", range=(-9, 9))
GROUPS = (20, 30, 60)
SIZES = ("equal", "unequal", "heavy")
ERRORS = ("alike", "rare", "better")
METRICS = ("rmse", "r")
LEVEL = 0.05
Frames = tuple[pl.DataFrame, pl.DataFrame]


def models(chance: np.random.Generator, groups: int, sizes: str, errors: str) -> Frames:
    """The predictions of a candidate and of a champion for the same rows: row_id, group_id, y, mean."""
    group = np.repeat(np.arange(groups), _sizes(chance, groups, sizes))
    noise = lambda: (chance.normal(size=groups)[group] + chance.normal(size=len(group))) / 2  # noqa: E731
    truth, shared = 2 * noise(), noise()
    own = {"alike": 1.0, "better": 0.5, "rare": np.exp(chance.normal(scale=0.5, size=groups) - 0.25)[group]}[errors]
    rows = pl.DataFrame({"row_id": np.arange(len(group)), "group_id": group, "y": truth}, schema_overrides={"row_id": pl.String})
    candidate, champion = truth + shared + own * noise(), truth + shared + noise()
    return rows.with_columns(mean=candidate), rows.with_columns(mean=champion)


def shares(draws: int, resamples: int, groups: int, sizes: str, errors: str) -> dict[str, float]:
    """Of ``draws`` pairs of models, the share in which the candidate is told to be better, by metric."""
    chance, declared = np.random.default_rng([groups, len(sizes), len(errors)]), IntervalParams(resamples=resamples)
    found = (differences(*models(chance, groups, sizes, errors), "y", SCALAR, declared, METRICS) for _ in range(draws))
    let = [[one[metric].p_not_better(0.0) <= LEVEL for metric in METRICS] for one in found]
    return dict(zip(METRICS, np.mean(let, axis=0), strict=True))


def _sizes(chance: np.random.Generator, groups: int, sizes: str) -> np.ndarray:
    """Rows of each group; of ``heavy`` ones the largest holds a third of the rows, give or take."""
    if sizes == "equal":
        return np.full(groups, 6)
    if sizes == "unequal":
        return chance.integers(2, 20, groups)
    return np.minimum(3 + 3 * chance.pareto(1.1, groups), 400).astype(int)


def table(draws: int, resamples: int) -> Iterator[str]:
    """The lines of the table, as they are found."""
    yield f"{'groups':>6} {'sizes':8} {'errors':7}" + "".join(f"{metric:>7}" for metric in METRICS)
    for groups in GROUPS:
        for sizes in SIZES:
            for errors in ERRORS:
                told = shares(draws, resamples, groups, sizes, errors)
                yield f"{groups:6} {sizes:8} {errors:7}" + "".join(f"{share:7.1%}" for share in told.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--resamples", type=int, default=199)
    asked = parser.parse_args()
    for line in table(asked.draws, asked.resamples):
        print(line, flush=True)
