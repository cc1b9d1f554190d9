"""Ranks in a gallery: where the vector that belongs to a query stands among all others, by cosine, exactly, in bounded memory.

A figure depends on how many there are to choose from. So ranks are taken once, in the whole gallery of N, and what they would
be in one of g, drawn at random with the own vector in it, is not drawn but worked out: of the r − 1 that stand before, X come
along, hypergeometric, so that E[1 / (1 + X)] = N / (r g) · (1 − C(N − r, g) / C(N, g)), and recall@k is P(X < k).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

Rescored = Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]]
"""Turns cosines, (queries, N), into scores of the same shape by which the gallery is ordered instead; it may write into them."""

BLOCK_BYTES = 2**27
"""Cosines that are held at a time, in bytes."""
AT_ONCE = 4096
"""Vectors that are brought to length 1 at a time."""


@dataclass(frozen=True)
class Gallery:
    """``vectors``: float32 (N, d), of length 1, each once. ``own``: (n,), the place of each row's vector among them."""

    vectors: npt.NDArray[np.float32]
    own: Places


def gallery(truth: Floats) -> Gallery:
    """The different vectors of ``truth``, (n, d), in the order in which they come first; equal are those of the same bytes."""
    rows = np.ascontiguousarray(truth)
    keys = np.frombuffer(b"".join(hashlib.blake2b(row, digest_size=16).digest() for row in rows), dtype="V16")
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return Gallery(directions(rows, first[order]), np.argsort(order)[place])


def directions(vectors: npt.NDArray[np.floating[Any]], places: Places | None = None) -> npt.NDArray[np.float32]:
    """``vectors``, (n, d), or those at ``places``, at length 1; of zeros where one has no direction, or is not finite."""
    found = np.empty((len(vectors) if places is None else len(places), vectors.shape[1]), dtype=np.float32)
    for start in range(0, len(found), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        block = np.asarray(vectors[some if places is None else places[some]], dtype=np.float64)
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
        found[some] = np.divide(block, lengths, out=np.zeros_like(block), where=(lengths > 0) & np.isfinite(lengths))
    return found


def ranks(queries: npt.NDArray[np.floating[Any]], among: Gallery, rescored: Rescored | None = None) -> Floats:
    """(n,), from 1: how many of the gallery are nearer to each of ``queries``, (n, d), than its own, and half of those as near.

    As near is what float32 products cannot tell apart, and everything is to a query of zeros. One that is not finite has no rank:
    NaN. ``rescored`` orders the gallery by other scores than cosines; it sees some queries at a time, each with the whole
    gallery. Memory beyond queries and gallery is some ``BLOCK_BYTES``.
    """
    size = max(1, BLOCK_BYTES // (4 * len(among.vectors)))
    starts = range(0, len(queries), size)
    blocks = [slice(start, start + size) for start in starts]
    found = [_ranks(directions(queries[block]), among.own[block], among.vectors, rescored) for block in blocks]
    sound = [np.isfinite(queries[block]).all(axis=1) for block in blocks]
    return np.where(np.concatenate(sound), np.concatenate(found), np.nan) if found else np.empty(0)


def _ranks(asked: npt.NDArray[np.float32], own: Places, vectors: npt.NDArray[np.float32], rescored: Rescored | None) -> Floats:
    near = asked @ vectors.T
    scores = near if rescored is None else rescored(near)
    mine = scores[np.arange(len(asked)), own][:, None]
    before = np.count_nonzero(scores > mine, axis=1)
    return 1 + before + (np.count_nonzero(scores == mine, axis=1) - 1) / 2


def reciprocal_in(rank: Floats, whole: int, size: int) -> Floats:
    """What 1 / rank is on average in galleries of ``size``, at most ``whole``, for ranks in the whole; ties are rounded up."""
    place = np.ceil(rank)
    none_before = np.where(whole - place >= size, np.exp(_log_choose(whole - place, size) - _log_choose(whole, size)), 0.0)
    return whole / (place * size) * (1 - none_before)


def recall_in(rank: Floats, whole: int, size: int, k: int) -> Floats:
    """How probable it is to stand among the first ``k`` in a gallery of ``size``, for ranks in the whole; ties are rounded up."""
    from scipy.stats import hypergeom  # a second to import

    return np.asarray(hypergeom.cdf(k - 1, whole - 1, np.ceil(rank) - 1, size - 1))


def _log_choose(n: Floats | int, k: int) -> Floats:
    usable = np.maximum(n, k)  # where it is smaller the result is not used
    return np.asarray(gammaln(usable + 1.0) - gammaln(k + 1.0) - gammaln(usable - k + 1.0))
