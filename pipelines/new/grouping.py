"""What the groups of a sample allow: how many folds, a history, a future."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.new.columns import Column
from pipelines.new.times import instants
from watertight.core.errors import Refusal

MOST_FOLDS, FEWEST_FOLDS, GROUPS_A_FOLD = 5, 3, 2
TEST_SHARE = 0.15
HISTORY_TIMES = 3
"""A history is declared where the median group was labelled at that many different times."""
FUTURE_TIMES, FUTURE_GROUPS = 7, 10
"""And a future where so many groups were, each often enough that the share for testing is a row at least."""


@dataclass(frozen=True)
class Grouping:
    """``groups`` that have a label; ``rows`` of them; ``folds``; whether there is a ``history`` and a ``future``."""

    groups: int
    rows: int
    folds: int
    history: bool
    future: bool

    @property
    def alone(self) -> bool:
        """Whether every row is a group of its own."""
        return self.groups == self.rows


def grouping(group: Column, time: Column, labelled: pl.Series) -> Grouping:
    """Raises Refusal for rows without a group, and where the groups are too few for three folds of two beside the test."""
    _demand_group_in_every_row(group)
    rows = pl.DataFrame({"group": group.cells, "asked": instants(time)}).filter(labelled)
    times = rows.group_by("group").agg(times=pl.col("asked").n_unique())["times"]
    left = len(times) - round(len(times) * TEST_SHARE)
    folds = min(MOST_FOLDS, left // GROUPS_A_FOLD)
    if folds < FEWEST_FOLDS:
        raise Refusal(
            f"{len(times)} group(s) with a label are too few for {FEWEST_FOLDS} folds",
            column=group.raw,
            expected=f"{FEWEST_FOLDS * GROUPS_A_FOLD} groups besides the {TEST_SHARE:.0%} that are held out for testing",
            next_step="bring a larger sample, or name another --group; nothing was changed",
        )
    middle: float = times.median()  # type: ignore[assignment]
    lasting = int((times >= FUTURE_TIMES).sum())
    return Grouping(len(times), rows.height, folds, middle >= HISTORY_TIMES, lasting >= FUTURE_GROUPS)


def _demand_group_in_every_row(group: Column) -> None:
    blank = group.cells.is_null()
    if blank.any():
        raise Refusal(
            f"{blank.sum()} row(s) are of no group",
            column=group.raw,
            count=int(blank.sum()),
            rows=[f"row {place + 1}" for place in blank.arg_true()[:6]],
            expected="a value in every row: rows of a group stay on one side of every split",
            next_step="fill the cells, or name another --group; nothing was changed",
        )
