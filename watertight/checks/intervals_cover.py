"""Intervals hold as many truths as their level says, overall and in every slice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from watertight.checks.base import Found, TableCheck, skipped
from watertight.checks.columns import SLICE
from watertight.core.coverage import CONFIDENCE, covered

NEEDS = ("row_id", "group_id")


class ExpectIntervalsToCover(TableCheck):
    """The share of truths inside a cell's intervals lies within the binomial bound of its level.

    The bound holds the central ``confidence`` of the coverage of as many independent rows as these are worth: rows of one
    group hit and miss together, so their number is divided by the design effect of the groups, which widens the bound.
    The plain bound, of as many independent rows as there are, stands beside it. Names the rows outside their interval.
    """

    needs = NEEDS
    confidence: float = CONFIDENCE

    def find(self, frame: pd.DataFrame) -> Found:
        """Whether they cover, and the rows that they miss."""
        if not _has_intervals(frame):
            return skipped("the cell gives no intervals")
        inside = _inside(frame)
        found = covered(inside, pd.factorize(frame["group_id"])[0], float(frame["level"].mean()), self.confidence)
        text = (
            f"intervals of level {found.level:g} cover {found.coverage:.3f}, between {found.low:.3f} and {found.high:.3f} by "
            f"chance ({found.plain_low:.3f} and {found.plain_high:.3f} if rows of a group were independent)"
        )
        rows = frame.loc[~inside, "row_id"].astype(str).tolist()
        return Found(found.within, () if found.within else rows, figures=found.told(), told=text)


class ExpectIntervalsToCoverSlices(TableCheck):
    """In every declared slice the share of truths inside the intervals lies within the bound of their level.

    The bounds as in ``expect_intervals_to_cover``, wider for the number of slices (Bonferroni), so that ``confidence`` is
    that of all together. ``figures`` have every slice; names the slices outside and their rows.
    """

    needs = NEEDS
    confidence: float = CONFIDENCE

    def find(self, frame: pd.DataFrame) -> Found:
        """Every slice with its coverage and bounds."""
        if not _has_intervals(frame):
            return skipped("the cell gives no intervals")
        cut = list(_slices(frame))
        if not cut:
            return skipped("no slices are declared")
        confidence = 1 - (1 - self.confidence) / len(cut)
        inside, level, group = _inside(frame), frame["level"].to_numpy(), pd.factorize(frame["group_id"])[0]
        lines: list[dict[str, Any]] = []
        outside = np.zeros(len(frame), dtype=bool)
        for column, value, part in cut:
            found = covered(inside[part], group[part], float(level[part].mean()), confidence)
            lines.append({"slice": column, "value": value, **found.told()})
            outside |= part & (not found.within)
        bad = [f"{line['slice']}: {line['value']}" for line in lines if not line["within"]]
        text = f"{len(bad)} of {len(lines)} slices are covered more or less often than by chance" if bad else ""
        rows = frame.loc[outside, "row_id"].astype(str).tolist()
        return Found(not bad, rows, bad, {"slices": lines}, text)


def _has_intervals(frame: pd.DataFrame) -> bool:
    return {"truth", "lower", "upper", "level"} <= set(frame) and bool(frame["level"].notna().all())


def _inside(frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    return frame["truth"].between(frame["lower"], frame["upper"]).to_numpy()


def _slices(frame: pd.DataFrame) -> Iterator[tuple[str, str, npt.NDArray[np.bool_]]]:
    for column in [name for name in frame if str(name).startswith(SLICE)]:
        place, values = pd.factorize(frame[column], sort=True)
        for number, value in enumerate(values):
            yield str(column).removeprefix(SLICE), str(value), place == number
