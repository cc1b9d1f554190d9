"""At most so many rows of each side of a comparison, so that what it costs has a bound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sampled(new: NDArray[np.bool_], most: int, seed: int = 0) -> NDArray[np.int64]:
    """The places, rising, of all rows of a side that has at most ``most``, and of ``most`` drawn by ``seed`` of one with more."""
    draw = np.random.default_rng(seed)
    sides = [np.flatnonzero(side) for side in (~new, new)]
    return np.sort(np.concatenate([draw.choice(side, most, replace=False) if len(side) > most else side for side in sides]))
