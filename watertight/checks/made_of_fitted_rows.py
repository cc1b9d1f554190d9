"""Rows made inside a fit are made of the rows of that fit."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import RowCheck


class ExpectMadeOfFittedRows(RowCheck):
    """A row that was made for a model was made of real training rows that this model was fitted on, of no row that it predicts.

    A negative whose parent, or the other row that it was mixed with, sits in the fold that is predicted would show the model
    what it is to be asked.
    """

    needs = ("row_id", "of_fitted", "of_held_out")

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """Made rows with a parent or partner that the model was not to see."""
        return ~frame["of_fitted"].astype(bool) | frame["of_held_out"].astype(bool)
