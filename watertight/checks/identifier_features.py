"""No feature is the number or the name of a row or of a group: what is learnt of it holds for nobody else."""

from __future__ import annotations

import polars as pl

from watertight.checks.base import FeatureCheck, Found, skipped

DISTINCT, LEAST, COLLISIONS, NO_MEASURE = 0.99, 20, 10, 2**40


class ExpectNoIdentifierFeature(FeatureCheck):
    """No feature (of the setting) names a row, or a group: text, or whole numbers in whatever type.

    It names a row where (nearly) all values are distinct, and a group where each group of two rows or more has one value
    that (nearly) no other group has; nearly is 99 %, nulls are left out, and fewer than 20 values tell nothing. Whole numbers
    over a wide range are distinct by chance too; they count only where at least 10 repeats would be expected of values drawn
    evenly from their range (n² / 2 · range), or where the range, 2⁴⁰ or more, is that of a hash or a clock and not of a
    measurement. Fractions are measurements: that they are unique says nothing. Names the columns, among the training rows.
    """

    def among(self, trained: pl.DataFrame) -> Found:
        """Features that are identifiers, and of what."""
        if trained.height < LEAST:
            return skipped(f"there are fewer than {LEAST} training rows to judge")
        found = {name: _identifies(trained.select("group_id", value=name).drop_nulls("value")) for name in self.setting.scalars}
        columns = [name for name, what in found.items() if what]
        return Found(not columns, columns=columns, figures={"identifies": {name: found[name] for name in columns}})


def _identifies(rows: pl.DataFrame) -> str:
    """``rows``, ``groups`` or nothing that the values identify; ``rows`` has group_id and value, which is never null."""
    kind = rows.schema["value"]
    if kind == pl.Boolean or (kind.is_float() and not rows.select((pl.col("value") == pl.col("value").floor()).all()).item()):
        return ""
    if _names(rows["value"]):
        return "rows"
    groups = rows.group_by("group_id").agg(pl.len(), value=pl.col("value").first(), same=pl.col("value").n_unique() == 1)
    several = groups.filter(pl.col("len") > 1)
    return "groups" if several["same"].all() and _names(several["value"]) else ""


def _names(values: pl.Series) -> bool:
    """Whether there are enough values, (nearly) all distinct, and that not by chance."""
    if len(values) < LEAST or values.n_unique() < DISTINCT * len(values):
        return False
    if not values.dtype.is_numeric():
        return True
    spread = float(values.max()) - float(values.min()) + 1  # type: ignore[arg-type]
    return spread >= NO_MEASURE or len(values) ** 2 / (2 * spread) >= COLLISIONS
