"""Drift of blocks of vectors against the reference profile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watertight.checks.base import Found, skipped
from watertight.checks.beside_reference import BesideReference, group_codes
from watertight.checks.domain_classifier import Told, tell_apart
from watertight.checks.sampling import sampled


class ExpectEmbeddingsUnchanged(BesideReference):
    """No block of vectors tells new rows from the reference's: the area under the ROC curve of a linear classifier on groups
    that it has not seen is not above ``auc`` with confidence 1 - ``level``, shared evenly by all blocks (Bonferroni).

    At most ``most`` rows a side are looked at, drawn by a fixed seed. Skipped where a side has a single group, for then
    its author and the drift are the same. Null vectors are left out; that they are null, ``expect_features_unchanged`` sees.
    """

    level: float = 0.01
    auc: float = 0.65
    most: int = 2_000

    def compare(self, rows: pl.DataFrame, new: NDArray[np.bool_]) -> Found:
        """The blocks that drifted; rows, the new ones that look least like the reference."""
        blocks = [name for name in self.setting.features if isinstance(rows.schema.get(name), pl.List | pl.Array)]
        if not blocks:
            return skipped("no column of vectors to compare")
        told = {name: self._told(rows, new, name, self.level / len(blocks)) for name in blocks}
        known = {name: each for name, each in told.items() if each is not None}
        if not known:
            return skipped("a side has fewer than two groups with vectors: an author's own words would pass for drift")
        gone = sorted((name for name, each in known.items() if each.low > self.auc), key=lambda name: -known[name].low)
        figures = {name: each.figures() for name, each in known.items()}
        return Found(not gone, rows=known[gone[0]].strangest() if gone else (), columns=gone, figures={"columns": figures})

    def _told(self, rows: pl.DataFrame, new: NDArray[np.bool_], name: str, level: float) -> Told | None:
        there = rows[name].is_not_null().to_numpy()
        rows, new = rows.filter(there), new[there]
        places = sampled(new, self.most)
        rows, new = rows[places], new[places]
        matrix = replace(self.setting, judged=rows).vectors(name)
        return tell_apart(linear(), matrix, new, group_codes(rows), rows["row_id"], level)


def linear() -> object:
    """Fisher's discriminant with Ledoit and Wolf's shrinkage: in closed form, and it has no more features than it can bear."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5])
