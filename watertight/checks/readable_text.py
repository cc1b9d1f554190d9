"""Text is text: no control characters, no replacement characters, and not beyond the declared length."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck

DAMAGE = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffd]"


class ExpectReadableText(RowCheck):
    """``column`` holds no NUL or other control character, no U+FFFD, and at most ``most`` characters; null is fine."""

    column: str
    most: int = 100_000

    def reads(self) -> tuple[str, ...]:
        """The text."""
        return ("row_id", self.column)

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows whose text is damaged or too long."""
        text = frame[self.column].fillna("")
        return text.str.contains(DAMAGE, regex=True) | (text.str.len() > self.most)
