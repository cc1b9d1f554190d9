"""Drift of a text column against the reference profile, by what can be counted without a model."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watertight.checks.base import Found
from watertight.checks.beside_reference import BesideReference, clusters_of, group_codes
from watertight.checks.drift_told import Column, drifted
from watertight.checks.sampling import sampled
from watertight.checks.text_measures import measured


class ExpectTextUnchanged(BesideReference):
    """Length in words, script, and share of the reference's common words of ``column`` did not drift.

    None of the three, told as ``<column>.words``, ``.script`` and ``.common_words``, is significant at ``level`` over all
    three *and* moved by a stability index of ``psi``. At most ``most`` rows a side are looked at, drawn by a fixed seed.
    """

    column: str
    level: float = 0.01
    psi: float = 0.25
    most: int = 20_000

    def reads(self) -> tuple[str, ...]:
        """The text beside the roles."""
        return (*self.needs, self.column)

    def compare(self, rows: pl.DataFrame, new: NDArray[np.bool_]) -> Found:
        """The measures that drifted; rows, the new ones in the bin that grew most."""
        places = sampled(new, self.most)
        rows, new = rows[places], new[places]
        clusters = clusters_of(rows, new)
        counted = measured(rows[self.column].cast(pl.String), group_codes(rows), new)
        columns = {f"{self.column}.{name}": Column(each, rows["row_id"], clusters) for name, each in counted.items()}
        return drifted(columns, self.level, self.psi)
