"""Distances between one vector and many: a fast estimate with a proven bound, and the exact one.

Each is lower for what is nearer, as Feast's stores have it: 1 - cosine, the Euclidean distance, the negative product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CHUNK = 8192


@dataclass(frozen=True)
class Metric:
    """``ranked(dots, norms, length)`` puts rows in order of distance, given the products with the query made unit.

    ``slope(norms, length)`` is by how much of the products' relative error that may be off; ``exact(rows, query)`` is
    the distance, in float64.
    """

    ranked: Callable[[np.ndarray, np.ndarray, float], np.ndarray]
    slope: Callable[[np.ndarray, float], np.ndarray]
    exact: Callable[[np.ndarray, np.ndarray], np.ndarray]


def nearest(metric: Metric, matrix: np.ndarray, norms: np.ndarray, rows: np.ndarray, query: np.ndarray, top_k: int) -> np.ndarray:
    """Of ``rows`` (places in ``matrix``), all that can be among the ``top_k`` nearest, by the estimate and its bound.

    The estimate is a product in the matrix's own precision. A sum of n products in precision e is off by at most
    n·e·|x|·|q| (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1). Where numbers are so
    small or so large that they would not stay within that, nothing is ruled out.
    """
    scaled, power = _scaled(query)
    # Cosine does not look at the query's length.
    with np.errstate(over="ignore", under="ignore"):
        length = float(np.ldexp(_length(scaled), 0 if metric is COSINE else power))
    if len(rows) <= top_k or not 1e-100 < length < 1e100:
        return rows
    unit = scaled / _length(scaled)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        dots = (matrix @ unit.astype(matrix.dtype)).astype(np.float64)[rows]
    tame = (norms[rows] > 1e-25) & (norms[rows] < 1e30)
    sizes = np.where(tame, norms[rows], 1.0)
    unsure = (matrix.shape[1] + 8) * float(np.finfo(matrix.dtype).eps) * metric.slope(sizes, length)
    ranked = np.where(tame, metric.ranked(np.where(tame, dots, 0.0), sizes, length), 0.0)
    slack = np.where(tame, unsure, np.inf)
    bound = np.partition(ranked + slack, top_k - 1)[top_k - 1]
    return rows[ranked - slack <= bound]


def exact(metric: Metric, matrix: np.ndarray, rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    """The distance of each of ``rows``, float64: equal rows have equal distances, wherever they stand.

    Numbers may be of any size; a distance beyond what float64 holds is infinite.
    """
    with np.errstate(over="ignore", under="ignore"):
        parts = [metric.exact(matrix[rows[at : at + CHUNK]].astype(np.float64), query) for at in range(0, len(rows), CHUNK)]
    return np.concatenate(parts) if parts else np.empty(0)


def lengths(matrix: np.ndarray) -> np.ndarray:
    """Each row's Euclidean length, float64; infinite where float64 does not hold it."""
    # Squares of 32-bit numbers neither overflow nor vanish in 64 bits.
    measured = _length if matrix.dtype == np.float32 else _true_length
    with np.errstate(over="ignore", under="ignore"):
        parts = [measured(matrix[at : at + CHUNK].astype(np.float64)) for at in range(0, len(matrix), CHUNK)]
    return np.concatenate(parts) if parts else np.empty(0)


def _scaled(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row divided by a power of two, hence exactly, so that squares neither overflow nor vanish; and the powers."""
    powers = np.clip(np.frexp(np.abs(rows).max(axis=-1, keepdims=True))[1], -1000, 1000)
    return rows * np.ldexp(1.0, -powers), powers[..., 0]


def _length(rows: np.ndarray) -> np.ndarray:
    return np.sqrt((rows * rows).sum(axis=-1))


def _true_length(rows: np.ndarray) -> np.ndarray:
    scaled, powers = _scaled(rows)
    return np.ldexp(_length(scaled), powers)


def _cosine(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Of a vector of zeros, 1: it points nowhere."""
    rows, query = _scaled(rows)[0], _scaled(query)[0]
    scale = _length(rows) * _length(query)
    products = (rows * query).sum(axis=1)
    return 1.0 - np.divide(products, scale, out=np.zeros_like(products), where=scale > 0)


def _euclidean(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    return _true_length(rows - query)


def _product(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    (rows, powers), (query, power) = _scaled(rows), _scaled(query)
    return -np.ldexp((rows * query).sum(axis=1), powers + power)


COSINE = Metric(
    ranked=lambda dots, norms, length: -np.divide(dots, norms, out=np.zeros_like(dots), where=norms > 0),
    slope=lambda norms, length: np.ones_like(norms),
    exact=_cosine,
)
EUCLIDEAN = Metric(
    ranked=lambda dots, norms, length: norms * norms - 2 * length * dots,
    slope=lambda norms, length: 2 * length * norms + norms * norms + length * length,
    exact=_euclidean,
)
PRODUCT = Metric(
    ranked=lambda dots, norms, length: -length * dots,
    slope=lambda norms, length: length * norms,
    exact=_product,
)
METRICS = {
    "cosine": COSINE,
    "l2": EUCLIDEAN,
    "euclidean": EUCLIDEAN,
    "inner_product": PRODUCT,
    "ip": PRODUCT,
    "dot": PRODUCT,
}
