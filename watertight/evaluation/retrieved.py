"""What queries find in a gallery: the nearest of it, how near the own image is, and which images are found too often."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watertight.core.ranks import BLOCK_BYTES, Floats, Gallery, Places, directions, ranks

Singles = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Retrieved:
    """What n queries find, nearest first, equally near ones in the gallery's order.

    ``rank``: (n,), as in ``watertight.core.ranks``. ``places``: (n, k) in the gallery. ``near``: (n, k), ``own`` and ``other``:
    (n,), the cosines of those, of the own one and of the nearest that is not; ``other`` is NaN in a gallery of one.
    """

    rank: Floats
    places: Places
    near: Floats
    own: Floats
    other: Floats


def retrieved(queries: Floats, among: Gallery, k: int) -> Retrieved:
    """The ``k`` nearest to each of ``queries``, (n, d), or as many as there are: exact but for float32, in bounded memory."""
    parts = list(_blocks(directions(queries), among, min(k, len(among.vectors))))
    places, near, own, other = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Retrieved(ranks(queries, among), places, near, own, other)


def _blocks(asked: Singles, among: Gallery, k: int) -> Iterator[tuple[Places, Floats, Floats, Floats]]:
    size = max(1, BLOCK_BYTES // (4 * len(among.vectors)))
    for start in range(0, len(asked), size):
        near = asked[start : start + size] @ among.vectors.T
        at = np.arange(len(near))
        mine = among.own[start : start + size]
        places = _nearest(near, k)
        found, own = np.take_along_axis(near, places, axis=1), near[at, mine]
        near[at, mine] = -np.inf
        other = near.max(axis=1)
        yield places, found.astype(np.float64), own.astype(np.float64), np.where(np.isfinite(other), other, np.nan)


def _nearest(near: Singles, k: int) -> Places:
    """The places of the ``k`` largest of each row, largest first; of equal ones the first come first, at the edge too."""
    edge = np.partition(near, near.shape[1] - k, axis=1)[:, near.shape[1] - k, None]
    sure, even = near > edge, near == edge
    room = k - sure.sum(axis=1, keepdims=True)
    chosen = sure | (even & (np.cumsum(even, axis=1) <= room))
    places = np.nonzero(chosen)[1].reshape(len(near), k)
    order = np.argsort(-np.take_along_axis(near, places, axis=1), axis=1, kind="stable")
    return np.take_along_axis(places, order, axis=1)


def occurrences(places: Places, gallery: int) -> Places:
    """(gallery,): how often each of the gallery is among ``places``, (n, k); the k-occurrence of Radovanović et al.

    Radovanović, Nanopoulos and Ivanović, "Hubs in Space", Journal of Machine Learning Research 11 (2010), 2487-2531.
    """
    return np.bincount(places.ravel(), minlength=gallery)


def skewness(counts: Places) -> float:
    """The third standardised moment of ``counts``: 0 where they lie evenly about their mean, above 2 where there are hubs."""
    off = counts - counts.mean()
    spread = float(np.sqrt((off**2).mean()))
    return float((off**3).mean() / spread**3) if spread > 0 else 0.0
