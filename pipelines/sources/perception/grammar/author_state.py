"""The hidden mood of an author: an Ornstein-Uhlenbeck process around an own mean, read at each text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MEAN_SHARE = 0.6
"""Share of the mood's unit variance that lies between authors; the rest drifts within them."""
REVERSION_DAYS = 12.0
"""After so many days a deviation from the author's mean has shrunk to 1/e."""
_MEMORY = 0.5


def drifting_mood(
    author: NDArray[np.int64], day: NDArray[np.float64], means: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """The mood at each row, shape (n,); rows by author, then time. Mean 0 and variance 1 over all authors.

    `means` are standard normal, one an author; `day` never falls within an author. Exact discretisation of
    dX = -(X - m)/tau dt + s dW (Uhlenbeck and Ornstein 1930), so that rows of one instant share one mood.
    """
    level = np.sqrt(MEAN_SHARE) * means[author]
    stationary = np.sqrt(1 - MEAN_SHARE)
    new = np.r_[True, author[1:] != author[:-1]]
    kept = np.where(new, 0.0, np.exp(-np.diff(day, prepend=day[:1]) / REVERSION_DAYS))
    shocks = stationary * np.sqrt(1 - kept**2) * rng.standard_normal(len(author))
    return np.asarray(level + _recursion(kept, shocks))


def change_from_past(author: NDArray[np.int64], value: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each value minus a running memory (weight one half) of the author's earlier ones, begun at `start`."""
    change = np.empty(len(value))
    memory, previous = 0.0, -1
    for row, (who, now) in enumerate(zip(author.tolist(), value.tolist(), strict=True)):
        memory = memory if who == previous else float(start[who])
        change[row] = now - memory
        memory += _MEMORY * change[row]
        previous = who
    return change


def _recursion(kept: NDArray[np.float64], shocks: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation, current = np.empty(len(kept)), 0.0
    for row, (factor, shock) in enumerate(zip(kept.tolist(), shocks.tolist(), strict=True)):
        current = factor * current + shock
        deviation[row] = current
    return deviation
