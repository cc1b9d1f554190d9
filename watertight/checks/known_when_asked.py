"""No fact behind a feature is newer than the question."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from watertight.checks.base import RowCheck, microseconds


class ExpectKnownWhenAsked(RowCheck):
    """The newest fact behind a joined feature was known in time, and is told.

    ``column`` is the join's own evidence of a view, ``<view>__source_at`` (µs since the epoch, null where nothing was found):
    content may be as new as the question (``strict`` false), the source of a label-derived feature must be older (``strict``
    true). A row that has a feature of the view and no evidence of it proves nothing, and is named.
    """

    column: str
    strict: bool = False

    def reads(self) -> tuple[str, ...]:
        """The evidence and the instant of asking."""
        return ("row_id", "asked_at", self.column)

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows that see a fact from their own future, or do not say what they see."""
        asked = microseconds(frame["asked_at"])
        known = frame[self.column]
        late = known.notna() & ((known >= asked) if self.strict else (known > asked))
        return late | (known.isna() & self._told())

    def _told(self) -> NDArray[np.bool_]:
        """Per row, whether any feature of the view is there."""
        view = f"{self.column.rpartition('__')[0]}__"
        features = [name for name in self.setting.judged.columns if name.startswith(view) and name != self.column]
        there = pl.any_horizontal(pl.col(features).is_not_null()) if len(view) > 2 and features else pl.lit(False)
        return self.setting.judged.select(pl.repeat(False, pl.len()) | there).to_series().to_numpy()
