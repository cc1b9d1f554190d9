"""Columns in standard units, as networks take them: about 0, of deviation 1, and without a null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

CONSTANT = 1e-6
"""The spread of a column, in sizes of its mean, below which it is one value and the noise of floats."""

Floats = npt.NDArray[np.float32]


def standards(values: Floats) -> dict[str, Floats]:
    """``centre`` and ``scale``, (columns,), of ``values``, (n, columns); the scale of a column of one value, or none, is 0."""
    centre, spread = _moments(values)
    return {"centre": centre, "scale": np.divide(1, spread, out=np.zeros_like(spread), where=spread > 0)}


def standardised(values: Floats, by: Mapping[str, Any]) -> Floats:
    """``values`` by the ``standards`` of others: float32, (n, columns), a null at 0, which is their mean."""
    told: Floats = np.nan_to_num((values - by["centre"]) * by["scale"], posinf=0, neginf=0)
    return told


def _moments(values: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each column's known values, float32; both 0 where there are none, or but one."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, values, 0).sum(axis=0, dtype=np.float64) / count
    spread = np.sqrt((np.where(known, values - centre, 0) ** 2).sum(axis=0) / count)
    return centre.astype(np.float32), np.where(spread > CONSTANT * np.abs(centre), spread, 0).astype(np.float32)
