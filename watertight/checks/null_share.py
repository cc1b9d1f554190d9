"""No feature is null in all but a few rows."""

from __future__ import annotations

import polars as pl

from watertight.checks.base import FeatureCheck, Found, skipped

SHOWN = 5


class ExpectNullShareBelow(FeatureCheck):
    """No feature (of the setting) is null, or NaN, in more than ``most`` (a share, in [0, 1]) of the training rows,
    or in all of them.

    Names the columns; the figures give the greatest shares, whether it passes or not.
    """

    most: float = 0.95

    def among(self, trained: pl.DataFrame) -> Found:
        """Features that are (nearly) always null."""
        if trained.is_empty():
            return skipped("there is no training row to judge")
        judged = trained.select(self.setting.features)
        floats = [name for name, kind in judged.schema.items() if kind.is_float()]
        [shares] = judged.with_columns(pl.col(floats).fill_nan(None)).select(pl.all().is_null().mean()).to_dicts()
        columns = [name for name in self.setting.features if shares[name] > self.most or shares[name] == 1]
        greatest = sorted(((round(share, 4), name) for name, share in shares.items() if share), reverse=True)[:SHOWN]
        return Found(not columns, columns=columns, figures={"null_share": {name: share for share, name in greatest}})
