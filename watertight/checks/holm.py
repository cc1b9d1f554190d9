"""Many tests at once: Holm's adjustment of p-values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values, float (tests,): at or below a level, the chance of any false alarm among all tests is at most it.

    Holm (1979), valid whatever the dependence between the tests. A drop is refused for a single column, so it is the chance
    of any false alarm that matters and not the share of false ones among many; and features of one view depend on one another
    in ways for which Benjamini and Hochberg prove nothing.
    """
    given = np.asarray(p, dtype=float)
    order = np.argsort(given)
    adjusted = np.empty(len(given))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1)))
    return adjusted
