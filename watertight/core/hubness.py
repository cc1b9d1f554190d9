"""Corrections for hubs: vectors of a gallery that are near to many queries, and stand before those that were meant.

What a hub is, a bank of queries tells. Local scaling and the inverted softmax give each of the gallery a bias, by which the
order is that of 2 · cosine − bias.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from watertight.core.correction import Correction, Csls, QbNorm
from watertight.core.ranks import AT_ONCE, Rescored
from watertight.core.top_k import top_k

Singles = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def rescored(declared: Correction, bank: Singles, vectors: Singles) -> Rescored:
    """What turns cosines to a gallery into corrected scores. ``bank`` (m, d) and ``vectors`` (N, d) are ``directions``.

    Raises ValueError where the bank is empty.
    """
    if not len(bank):
        raise ValueError("no query tells which vectors are hubs: the bank is empty")
    if isinstance(declared, Csls):
        return _less(csls_bias(bank, vectors, declared.neighbours))
    bias = softmax_bias(bank, vectors, declared.sharpness)
    if isinstance(declared, QbNorm):
        return _less(bias, hubs(bank, vectors))
    return _times_softmax(bias, declared.sharpness)


def csls_bias(bank: Singles, vectors: Singles, neighbours: int) -> Singles:
    """(N,): the mean cosine of each of ``vectors`` to the ``neighbours`` of ``bank`` that are nearest to it (all, if fewer).

    The query's own term of the method is the same for the whole gallery, and orders nothing.
    """
    return top_k(vectors, bank, neighbours).scores.mean(axis=1)


def softmax_bias(bank: Singles, vectors: Singles, sharpness: float) -> Singles:
    """(N,): 2 / ``sharpness`` · log Σ exp(``sharpness`` · cosine) over ``bank``; 2 · cosine − bias orders as its softmax."""
    found = np.empty(len(vectors), dtype=np.float32)
    size = max(1, AT_ONCE * AT_ONCE // len(bank))
    for start in range(0, len(vectors), size):
        near = (vectors[start : start + size] @ bank.T).astype(np.float64)
        found[start : start + size] = 2 / sharpness * logsumexp(sharpness * near, axis=1)
    return found


def hubs(bank: Singles, vectors: Singles) -> Mask:
    """(N,): which of ``vectors`` are the nearest to some query of ``bank``."""
    found = np.zeros(len(vectors), dtype=bool)
    found[top_k(bank, vectors, 1).places[:, 0]] = True
    return found


def _less(bias: Singles, only: Mask | None = None) -> Rescored:
    """2 · cosine − bias; with ``only``, of the queries whose nearest is one of these."""

    def turned(near: Singles) -> Singles:
        which = slice(None) if only is None else only[near.argmax(axis=1)]
        near *= 2
        near[which] -= bias
        return near

    return turned


def _times_softmax(bias: Singles, sharpness: float) -> Callable[[Singles], npt.NDArray[Any]]:
    """Scaled by query, which orders nothing, so that the largest weight is 1."""

    def turned(near: Singles) -> npt.NDArray[Any]:
        weights = sharpness * (near - bias / 2).astype(np.float64)
        weights -= weights.max(axis=1, keepdims=True)
        return near * np.exp(weights, out=weights)

    return turned
