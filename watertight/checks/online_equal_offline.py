"""What serving computes of a row is what training was given."""

from __future__ import annotations

import pandas as pd
import polars as pl

from watertight.checks.base import Found, TableCheck
from watertight.checks.columns import OFFLINE, ONLINE


class ExpectOnlineEqualOffline(TableCheck):
    """Of each row, every feature that the online store answers equals the one that the join answers at the same instant.

    Whole numbers, texts and lists of numbers are equal exactly, other numbers as float32, in which features are stored;
    null equals null alone. Judges the pairs of columns ``offline: x`` and ``online: x``. Names the features and the rows.
    """

    needs = ("row_id",)

    def find(self, frame: pd.DataFrame) -> Found:
        """The rows with an unequal feature, and the features."""
        judged = self.setting.judged
        names = [name.removeprefix(OFFLINE) for name in judged.columns if name.startswith(OFFLINE)]
        unlike = {name: _unlike(judged[f"{OFFLINE}{name}"], judged[f"{ONLINE}{name}"]) for name in names}
        counts = {name: int(rows.sum()) for name, rows in unlike.items() if rows.any()}
        any_unlike = pl.DataFrame(unlike).select(pl.any_horizontal(pl.all())).to_series()
        rows = judged["row_id"].filter(any_unlike).to_list()
        return Found(not counts, rows, list(counts), counts, _first(judged, unlike))


def _unlike(offline: pl.Series, online: pl.Series) -> pl.Series:
    """Whether the two differ, (n,), never null."""
    if online.dtype == pl.Null:
        return offline.is_not_null()
    if offline.dtype.is_float():
        return offline.cast(pl.Float32).ne_missing(online.cast(pl.Float32, strict=False))
    if isinstance(offline.dtype, pl.List):
        return offline.ne_missing(online.cast(offline.dtype, strict=False))
    return offline.ne_missing(online.alias(offline.name))


def _first(judged: pl.DataFrame, unlike: dict[str, pl.Series]) -> str:
    """The first difference in words; empty where there is none."""
    for name, rows in unlike.items():
        if rows.any():
            pair = judged.filter(rows).row(0, named=True)
            online, offline = (str(pair[side + name])[:40] for side in (ONLINE, OFFLINE))
            return f"{name} of {pair['row_id']}: {online} online, {offline} offline"
    return ""
