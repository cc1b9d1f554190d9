"""Text was read in the encoding in which it was written."""

from __future__ import annotations

import pandas as pd
from ftfy.badness import is_bad

from watertight.checks.base import RowCheck


class ExpectUndamagedText(RowCheck):
    """``column`` holds no text that was read in a wrong encoding, such as "CafÃ©" for "Café" or "â€™" for an apostrophe.

    Told by sequences of signs that hardly anybody writes (``ftfy.badness``, https://ftfy.readthedocs.io); other scripts and
    emoji are no damage, and null is fine. It guesses what was meant, so the contract declares it a warning that sets nothing
    aside: a row may hold such signs on purpose, and its label would be lost; the text is better mended where it is read
    (``ftfy.fix_text``). A workload may declare it critical, or with ``quarantine: true``, in its own suite.
    """

    column: str

    def reads(self) -> tuple[str, ...]:
        """The text."""
        return ("row_id", self.column)

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows with damaged text; plain ASCII is not looked at."""
        texts = frame[self.column].fillna("")
        return pd.Series([not text.isascii() and is_bad(text) for text in texts], index=frame.index, dtype=bool)
