"""Every row has one split, and a fold exactly where it is trained on."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck
from watertight.core.rows import SPLITS


class ExpectRowsAssigned(RowCheck):
    """``split`` is one of the known splits, and ``fold`` is null exactly outside train."""

    needs = ("row_id", "split", "fold")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows without a split, of an unknown one, or with a fold in the wrong place."""
        return ~frame["split"].isin(SPLITS) | ((frame["split"] == "train") != frame["fold"].notna())
