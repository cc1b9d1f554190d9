"""Columns about their weighted mean, for families in closed form; a null is the mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def centre_of(values: npt.NDArray[Any], share: Floats) -> Floats:
    """The mean, (columns,), of the known ``values``, (n, columns), each row by its ``share``, (n,); 0 where none is known."""
    total = share @ ~np.isnan(values)
    return np.divide(share @ np.nan_to_num(values.astype(np.float64)), total, out=np.zeros(len(total)), where=total > 0)


def moved(values: npt.NDArray[Any], centre: Floats) -> Floats:
    """``values`` less ``centre``, without NaN."""
    return np.nan_to_num(values.astype(np.float64) - centre)
