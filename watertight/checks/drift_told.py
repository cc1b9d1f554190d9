"""The answer of a check of drift over several columns: which drifted, by how much, and in which rows it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from watertight.checks.base import Found
from watertight.checks.clusters import Clusters
from watertight.checks.holm import holm
from watertight.checks.scalar_drift import Drift, drift, shift_in_sd

OTHERS_TOLD = 3


@dataclass(frozen=True)
class Column:
    """A column's values, the ids of its rows, and the sides and groups that they are of."""

    values: pl.Series
    row_ids: pl.Series
    clusters: Clusters


def drifted(columns: Mapping[str, Column], level: float, psi: float) -> Found:
    """Which ``columns`` drifted: p at most ``level`` after Holm's adjustment over all, and a stability index of at least ``psi``.

    Rows: the new ones in the bin that grew most of the column that drifted most.
    """
    found = {name: drift(column.values, column.clusters) for name, column in columns.items()}
    adjusted = dict(zip(found, holm([each.p for each in found.values()]).tolist(), strict=True))
    ranked = sorted(found, key=lambda name: (adjusted[name] > level or found[name].psi < psi, -found[name].psi))
    gone = [name for name in ranked if adjusted[name] <= level and found[name].psi >= psi]
    figures = {name: _figures(found[name], adjusted[name], columns[name]) for name in ranked[: len(gone) + OTHERS_TOLD]}
    rows = columns[gone[0]].row_ids.filter(pl.Series(found[gone[0]].grown)).to_list() if gone else []
    told = f"{len(gone)} of {len(found)} columns drifted, most {gone[0]}, psi {found[gone[0]].psi:.2f}" if gone else ""
    return Found(not gone, rows=rows, columns=gone, figures={"tested": len(found), "columns": figures}, told=told)


def _figures(each: Drift, adjusted: float, column: Column) -> dict[str, Any]:
    shift = shift_in_sd(column.values, column.clusters.new)
    numbers = {"psi": each.psi, each.test: each.statistic, "p_adjusted": adjusted, "shift_sd": shift}
    return {name: None if number is None else float(np.format_float_scientific(number, 4)) for name, number in numbers.items()}
