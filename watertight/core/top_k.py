"""The first k of a gallery for each query, exactly, in bounded memory: neither the products nor the gallery are held whole.

The products of some queries with some of the gallery are made at a time. Of these, only what surpasses the k-th best so far is
looked at further, so that selection costs little beside the products; where that is much, as in the first block, numpy's
partition narrows it down. ``benchmarks/recall.py`` prints what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Singles = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

BLOCK_BYTES = 2**27
"""Products that are held at a time, in bytes."""
QUERIES = 1024
"""Queries that are asked at a time."""
FEW = 8
"""Candidates per query and place that are sorted as they are."""


@dataclass(frozen=True)
class Nearest:
    """``places`` in the gallery and their ``scores``, both (n, k), the best first; of equal scores the earlier place."""

    places: Places
    scores: Singles


def top_k(queries: Singles, gallery: Singles, k: int) -> Nearest:
    """Of ``gallery``, float32 (N, d), the min(k, N) of largest inner product with each of ``queries``, float32 (n, d).

    For cosines give ``directions`` of both. The gallery may be a memory map: it is read once, from its first row to its last.
    All numbers are finite. Raises ValueError where k is not above 0.
    """
    if k < 1:
        raise ValueError(f"the first {k} of a gallery are none: k is above 0")
    shape = (len(queries), min(k, len(gallery)))
    best = Nearest(np.full(shape, len(gallery), dtype=np.intp), np.full(shape, -np.inf, dtype=np.float32))
    size = max(1, BLOCK_BYTES // (4 * max(1, min(QUERIES, len(queries)))))
    for start in range(0, len(gallery) if shape[1] else 0, size):
        some = np.asarray(gallery[start : start + size])
        for first in range(0, len(queries), QUERIES):
            block = slice(first, first + QUERIES)
            _take(Nearest(best.places[block], best.scores[block]), queries[block] @ some.T, start)
    return best


def _take(best: Nearest, scores: Singles, start: int) -> None:
    """Put what ``scores``, of the gallery from ``start`` on, has to add into ``best``."""
    k = best.scores.shape[1]
    beyond = scores > best.scores[:, -1:]
    if k <= scores.shape[1] and np.count_nonzero(beyond) > FEW * best.scores.size:
        beyond &= scores >= np.partition(scores, -k, axis=1)[:, -k, None]
    row, place = np.divmod(np.flatnonzero(beyond), scores.shape[1])
    touched, row_of = np.unique(row, return_inverse=True)
    if not len(touched):
        return
    rows = np.concatenate([np.repeat(np.arange(len(touched)), k), row_of])
    places = np.concatenate([best.places[touched].ravel(), place + start])
    found = np.concatenate([best.scores[touched].ravel(), scores[row, place]])
    order = np.lexsort((places, -found, rows))
    begins = np.searchsorted(rows[order], np.arange(len(touched)))
    first = order[begins[:, None] + np.arange(k)]
    best.places[touched], best.scores[touched] = places[first], found[first]
