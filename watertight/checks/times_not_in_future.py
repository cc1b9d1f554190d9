"""No timestamp lies in the future."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck


class ExpectTimesNotInFuture(RowCheck):
    """``column`` is not later than now, by this machine's clock (the one check that reads it), plus a day of leeway."""

    column: str

    def reads(self) -> tuple[str, ...]:
        """The timestamp."""
        return ("row_id", self.column)

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows from the future."""
        return frame[self.column] > pd.Timestamp.now(tz="UTC") + pd.Timedelta(days=1)
