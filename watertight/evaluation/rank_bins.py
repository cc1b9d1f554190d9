"""Ranks counted in bins, so that their median is a function of sums over groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

EXACT = 64
"""Ranks up to this have a bin of their own, and so have the halves between them."""
WIDTH = 1.04
"""Above, a bin ends at this many times its begin, and stands for its geometric middle: less than 2 % off."""


def bins_of(rank: Floats) -> Places:
    """The bin of each rank, from 0; a rank is a whole or half number, at least 1."""
    beyond = np.floor(np.log(np.maximum(rank, EXACT) / EXACT) / np.log(WIDTH))
    return np.where(rank <= EXACT, 2 * rank - 2, 2 * EXACT - 1 + beyond).astype(np.intp)


def rank_of(place: Places) -> Floats:
    """The rank that a bin stands for."""
    beyond = EXACT * WIDTH ** (np.maximum(place - (2 * EXACT - 1), 0) + 0.5)
    return np.where(place <= 2 * EXACT - 2, place / 2 + 1, beyond)


def median_of(counts: Floats) -> Floats:
    """The median rank of (..., bins) whole counts: (...), NaN where nothing was counted."""
    below = counts.cumsum(axis=-1)
    rows = below[..., -1:]
    middle = [np.argmax(below >= np.floor(rows / 2 + half), axis=-1) for half in (0.5, 1)]
    return np.where(rows[..., 0] > 0, (rank_of(middle[0]) + rank_of(middle[1])) / 2, np.nan)
