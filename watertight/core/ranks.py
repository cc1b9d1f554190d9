"""Ranks in a gallery: where the vector that belongs to a query stands among all others, by cosine, exactly, in bounded memory.

A figure depends on how many there are to choose from. So ranks are taken once, in the whole gallery of N, and what they would
be in one of g, drawn at random with the own vector in it, is not drawn but worked out: of the r − 1 that stand before, X come
along, hypergeometric, so that E[1 / (1 + X)] = N / (r g) · (1 − C(N − r, g) / C(N, g)), and recall@k is P(X < k).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln
from scipy.stats import hypergeom

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

BLOCK_BYTES = 2**27


@dataclass(frozen=True)
class Gallery:
    """``vectors``: float32 (N, d), of length 1, each once. ``own``: (n,), the place of each row's vector among them."""

    vectors: npt.NDArray[np.float32]
    own: Places


def gallery(truth: Floats) -> Gallery:
    """The different vectors of ``truth``, (n, d), in the order in which they come first."""
    rows = np.ascontiguousarray(truth)
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return Gallery(directions(rows[first[order]]), np.argsort(order)[place])


def directions(vectors: Floats) -> npt.NDArray[np.float32]:
    """``vectors``, (n, d), at length 1; one of zeros stays, and is as near to everything."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0).astype(np.float32)


def ranks(queries: Floats, among: Gallery) -> Floats:
    """(n,), from 1: how many of the gallery are nearer to each of ``queries``, (n, d), than its own, and half of those as near.

    As near is what float32 products cannot tell apart.
    """
    asked = directions(queries)
    size = max(1, BLOCK_BYTES // (4 * len(among.vectors)))
    found = [
        _ranks(asked[start : start + size], among.own[start : start + size], among.vectors)
        for start in range(0, len(asked), size)
    ]
    return np.concatenate(found) if found else np.empty(0)


def _ranks(asked: npt.NDArray[np.float32], own: Places, vectors: npt.NDArray[np.float32]) -> Floats:
    near = asked @ vectors.T
    mine = near[np.arange(len(asked)), own][:, None]
    before = np.count_nonzero(near > mine, axis=1)
    return 1 + before + (np.count_nonzero(near == mine, axis=1) - 1) / 2


def reciprocal_in(rank: Floats, whole: int, size: int) -> Floats:
    """What 1 / rank is on average in galleries of ``size``, at most ``whole``, for ranks in the whole; ties are rounded up."""
    place = np.ceil(rank)
    none_before = np.where(whole - place >= size, np.exp(_log_choose(whole - place, size) - _log_choose(whole, size)), 0.0)
    return whole / (place * size) * (1 - none_before)


def recall_in(rank: Floats, whole: int, size: int, k: int) -> Floats:
    """How probable it is to stand among the first ``k`` in a gallery of ``size``, for ranks in the whole; ties are rounded up."""
    return np.asarray(hypergeom.cdf(k - 1, whole - 1, np.ceil(rank) - 1, size - 1))


def _log_choose(n: Floats | int, k: int) -> Floats:
    usable = np.maximum(n, k)  # where it is smaller the result is not used
    return np.asarray(gammaln(usable + 1.0) - gammaln(k + 1.0) - gammaln(usable - k + 1.0))
