"""The share of each stratum in a fold is near its share in all training rows."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck


class ExpectStrataBalanced(RowCheck):
    """In each fold, the share of each value of ``column`` is within ``tolerance`` (absolute) of that in all of train."""

    column: str
    tolerance: float = 0.05

    def reads(self) -> tuple[str, ...]:
        """The stratum and the fold."""
        return ("row_id", "fold", self.column)

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Training rows whose value is over- or under-represented in their fold."""
        train = frame[frame["fold"].notna()]
        inside = pd.crosstab(train["fold"], train[self.column], normalize="index")
        overall = train[self.column].value_counts(normalize=True)
        distance = inside.sub(overall, axis="columns").abs()
        cells = distance.melt(ignore_index=False, var_name="value", value_name="off").reset_index()
        far = cells[cells["off"] > self.tolerance]
        pairs = set(zip(far["fold"], far["value"], strict=True))
        keys = pd.Series(list(zip(frame["fold"], frame[self.column], strict=True)), index=frame.index)
        return keys.isin(pairs)
