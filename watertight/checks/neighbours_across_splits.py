"""No embedding stands all but on another one, where the one is learnt from and the other predicted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from watertight.checks.base import Found, TableCheck
from watertight.checks.places import places

BLOCK, SLACK, EXACT, SHOWN = 2048, 1e-4, 1e-9, 5


class ExpectNoNeighboursAcrossSplits(TableCheck):
    """No two rows in places that must be apart have vectors in ``column`` with a cosine of ``least`` or more.

    Places as in expect_no_duplicates_across_splits. All pairs are compared, block by block, so memory stays bounded and time
    grows with the square of the rows. A null vector and one of length zero match nothing. Every row with a neighbour is
    named. Figures: ``rows``, ``pairs`` and the ``first`` of them with their cosine. The vectors come from the setting.
    """

    needs = ("row_id", "split", "fold")
    column: str
    least: float = 0.97

    def find(self, frame: pd.DataFrame) -> Found:
        """The rows with a neighbour elsewhere."""
        where, vectors = places(frame), _directions(self.setting.vectors(self.column))
        near, pairs = np.zeros(len(frame), dtype=bool), 0
        first: list[tuple[int, int]] = []
        for mine, others in _blocks(where.of, where.apart):
            hits = _close(vectors, mine, others, self.least)
            near[hits[:, 0]] = near[hits[:, 1]] = True
            pairs += len(hits)
            first += hits[: SHOWN - len(first)].tolist()
        ids = frame["row_id"].astype(str).to_numpy()
        told = [[ids[one], ids[other], round(float(vectors[one] @ vectors[other]), 4)] for one, other in first]
        rows = ids[near].tolist()
        return Found(not rows, rows, figures={"rows": len(rows), "pairs": pairs, "first": told})


def _directions(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors of length 1; NaN where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _blocks(of: NDArray[np.int64], apart: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Row numbers of blocks of two places that must be apart, each two places once."""
    for one, other in zip(*np.nonzero(np.triu(apart)), strict=True):
        mine, others = np.flatnonzero(of == one), np.flatnonzero(of == other)
        for start in range(0, len(mine), BLOCK):
            for from_ in range(0, len(others), 8 * BLOCK):
                yield mine[start : start + BLOCK], others[from_ : from_ + 8 * BLOCK]


def _close(vectors: NDArray[np.float32], mine: NDArray[np.int64], others: NDArray[np.int64], least: float) -> NDArray[np.int64]:
    """Pairs of row numbers (pairs, 2) with a cosine of at least ``least``: proposed in float32, settled in float64."""
    one, other = np.nonzero(vectors[mine] @ vectors[others].T >= least - SLACK)
    first, second = mine[one], others[other]
    settled = [
        np.einsum("ij,ij->i", vectors[first[at : at + BLOCK]], vectors[second[at : at + BLOCK]], dtype=np.float64)
        for at in range(0, len(first), BLOCK)
    ]
    enough = np.concatenate([np.empty(0), *settled]) >= least - EXACT
    return np.stack([first[enough], second[enough]], axis=1)
