"""No fact behind a feature is newer than the question."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck, microseconds


class ExpectKnownWhenAsked(RowCheck):
    """The newest fact behind a joined feature was known in time.

    ``column`` is the join's own evidence (µs since the epoch, null where nothing was found): content may be as new as
    the question (``strict`` false), the source of a label-derived feature must be older (``strict`` true).
    """

    column: str
    strict: bool = False

    def reads(self) -> tuple[str, ...]:
        """The evidence and the instant of asking."""
        return ("row_id", "asked_at", self.column)

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows that see a fact from their own future."""
        asked = microseconds(frame["asked_at"])
        known = frame[self.column]
        return known.notna() & ((known >= asked) if self.strict else (known > asked))
