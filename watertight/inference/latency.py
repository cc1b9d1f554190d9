"""How long one answer takes."""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

import numpy as np

from watertight.core.errors import Misuse
from watertight.inference.loaded import Loaded, Rows, as_table

WARM_UP, REPEATS = 5, 100


class Latency(NamedTuple):
    """Milliseconds for the answer to one row, its features at hand: the median, and what 95 of 100 answers do not exceed."""

    median: float
    p95: float


def latency(loaded: Loaded, rows: Rows, seed: int = 0) -> Latency:
    """Ask about single rows, drawn at random by ``seed`` with replacement, a hundred times after five that are not counted.

    What the columns are is looked at each time, as for any caller. Raises Misuse where there are no rows.
    """
    table = as_table(rows)
    if table.is_empty():
        raise Misuse("there is no row to ask about", expected="at least one")
    drawn = np.random.default_rng(seed).integers(table.height, size=WARM_UP + REPEATS)
    spent = []
    for row in drawn.tolist():
        one = table[row : row + 1]
        began = perf_counter()
        loaded.predict(one)
        spent.append(1000 * (perf_counter() - began))
    return Latency(*(float(found) for found in np.percentile(spent[WARM_UP:], [50, 95])))
