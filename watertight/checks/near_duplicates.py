"""Pairs of texts with nearly the same shingles: proposed by MinHash, each verified by its exact Jaccard similarity."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash, RMinHashLSH
from scipy.sparse import csr_matrix

from watertight.checks.shingles import Shingles

PERMUTATIONS, SEED, RECALL = 128, 7, 0.99
MOST = 32
AT_ONCE = 50_000

Matter = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]


@dataclass(frozen=True)
class Pairs:
    """Texts by their numbers, ``first[i]`` < ``second[i]``, and the Jaccard similarity of their shingles, in [0, 1]."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    similarity: NDArray[np.float64]


def similar_pairs(texts: Shingles, threshold: float, matter: Matter) -> Pairs:
    """The pairs that share at least ``threshold`` (in (0, 1]) of their shingles: intersection over union, counted exactly.

    ``matter(first, second)`` says which pairs are worth a look. At the threshold a pair is found with a chance of at least
    0.99, and quickly more above it (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4). Of texts cut from one
    pattern, which all resemble one another, each is compared with some 32 others, not with all.
    """
    rows = _rows_per_band(threshold)
    flagged = _flagged(texts, rows)
    some = texts.of(flagged)
    first, second = _candidates(_digests(some, rows), lambda one, other: matter(flagged[one], flagged[other]))
    similarity = _similarities(some, first, second)
    enough = similarity >= threshold
    return Pairs(flagged[first[enough]], flagged[second[enough]], similarity[enough])


def _rows_per_band(threshold: float) -> int:
    """The most minima per band with which a pair at the threshold still shares a band with a chance of ``RECALL``."""
    found = [rows for rows in range(1, 17) if 1 - (1 - threshold**rows) ** (PERMUTATIONS // rows) >= RECALL]
    return max(found, default=1)


def _permutations(rows: int) -> int:
    return PERMUTATIONS // rows * rows


def _flagged(texts: Shingles, rows: int) -> NDArray[np.int64]:
    """The texts that share a band with any other."""
    if len(texts.starts) == 1:
        return np.empty(0, dtype=np.int64)
    count = _permutations(rows)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(texts.hashes, texts.starts.astype(np.uint64), count, SEED)
    flags = RMinHashLSH(0.5, count, count // rows).query_duplicate_flags_matrix_one_shot(matrix)
    return np.flatnonzero(np.asarray(flags, dtype=bool))


def _digests(texts: Shingles, rows: int) -> NDArray[np.uint64]:
    """A number per text and band (texts, bands): equal where all minima of the band are. In blocks: rensa tells them as lists."""
    count, size = _permutations(rows), len(texts.starts) - 1
    weights = np.random.default_rng(SEED).integers(1, 2**63, size=rows, dtype=np.uint64) | np.uint64(1)
    bands = np.empty((size, count // rows), dtype=np.uint64)
    for start in range(0, size, 10_000):
        block = texts.of(np.arange(start, min(start + 10_000, size)))
        made = RMinHash.digest_matrix_from_flat_token_hashes(block.hashes, block.starts.astype(np.uint64), count, SEED)
        minima = np.array(made.to_rows(), dtype=np.uint64).reshape(len(block.starts) - 1, -1, rows)
        bands[start : start + len(minima)] = _mixed(minima * weights).sum(axis=2)
    return bands


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return numbers ^ (numbers >> np.uint64(31))


def _candidates(bands: NDArray[np.uint64], matter: Matter) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of texts that share a band and matter, each once; of a text at most about ``MOST``."""
    size, chance = len(bands), np.random.default_rng(SEED)
    met, codes = np.zeros(size, dtype=np.int64), np.empty(0, dtype=np.int64)
    for band in bands.T:
        shuffled = chance.permutation(size)
        order = shuffled[np.argsort(band[shuffled], kind="stable")]
        found = [codes]
        for one, other in _neighbours(order, band[order]):
            worth = ((met[one] < MOST) | (met[other] < MOST)) & matter(one, other)
            met += np.bincount(one[worth], minlength=size) + np.bincount(other[worth], minlength=size)
            found.append((one * size + other)[worth])
        codes = np.unique(np.concatenate(found))
    return codes // max(size, 1), codes % max(size, 1)


def _neighbours(order: NDArray[np.int64], band: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs in runs of one band, which is sorted: next to one another first, at most ``MOST`` apart."""
    for step in range(1, MOST + 1):
        same = np.flatnonzero(band[step:] == band[:-step])
        if not len(same):
            return
        one, other = order[same], order[same + step]
        yield np.minimum(one, other), np.maximum(one, other)


def _similarities(texts: Shingles, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """The Jaccard similarity of each pair."""
    names, columns = np.unique(texts.hashes, return_inverse=True)
    shape = (len(texts.starts) - 1, len(names))
    held = csr_matrix((np.ones(len(columns), dtype=np.int32), columns, texts.starts), shape=shape)
    held.sum_duplicates()
    held.data[:] = 1
    sizes = np.diff(held.indptr)
    found = np.empty(len(first))
    for start in range(0, len(first), AT_ONCE):
        one, other = first[start : start + AT_ONCE], second[start : start + AT_ONCE]
        both = np.asarray(held[one].multiply(held[other]).sum(axis=1)).ravel()
        found[start : start + AT_ONCE] = both / (sizes[one] + sizes[other] - both)
    return found
