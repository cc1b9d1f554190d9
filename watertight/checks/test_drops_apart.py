"""A drop that is declared a test set is tested on, and nothing else."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck

TESTED = ("test_drops", "unlabelled", "embargo")


class ExpectTestDropsApart(RowCheck):
    """A row of one of ``drops`` is in ``test_drops``, unlabelled or set aside; and no other row is in ``test_drops``."""

    needs = ("row_id", "split", "drop")
    drops: list[str]

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Rows of a test drop that are trained on or tested elsewhere, and strangers among them."""
        own = frame["drop"].isin(self.drops)
        return (own & ~frame["split"].isin(TESTED)) | (~own & (frame["split"] == "test_drops"))
