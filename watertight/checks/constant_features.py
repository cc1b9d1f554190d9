"""No feature says the same of every row that is trained on."""

from __future__ import annotations

import polars as pl

from watertight.checks.base import FeatureCheck, Found, skipped


class ExpectNoConstantFeature(FeatureCheck):
    """Every feature (of the setting) has two values at least among the training rows, null counting as one.

    Names the columns. A feature that is wholly null is the matter of expect_null_share_below. Skipped with fewer than two
    training rows.
    """

    def among(self, trained: pl.DataFrame) -> Found:
        """Features with one value."""
        if trained.height < 2:
            return skipped("there are fewer than two training rows to judge")
        every = [pl.col(name) for name in self.setting.features]
        [same] = trained.select(one.eq_missing(one.first()).all() & one.is_not_null().any() for one in every).to_dicts()
        columns = [name for name in self.setting.features if same[name]]
        return Found(not columns, columns=columns)
