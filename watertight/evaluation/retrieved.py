"""What queries find in a gallery: the nearest of it, how near the own image is, and which images are found too often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from watertight.core.ranks import Floats, Gallery, Places, directions, ranks
from watertight.core.top_k import top_k


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
    asked = directions(queries)
    found = top_k(asked, among.vectors, max(k, 2))
    near = found.scores.astype(np.float64)
    other = np.where(found.places == among.own[:, None], -np.inf, near).max(axis=1)
    own: Floats = np.einsum("nd,nd->n", asked, among.vectors[among.own], dtype=np.float64)
    return Retrieved(ranks(queries, among), found.places[:, :k], near[:, :k], own, np.where(np.isfinite(other), other, np.nan))


def retrieved_apart(queries: Floats, among: Gallery, parts: Sequence[Places], k: int) -> Retrieved:
    """The same where the queries of each of ``parts``, places of rows, choose among the vectors of these rows alone.

    ``k`` is at most what the smallest part has; ``places`` are those in the whole of ``among``.
    """
    found = [_retrieved_of(queries, among, rows, k) for rows in parts]
    order = np.argsort(np.concatenate(parts), kind="stable")
    return Retrieved(*(np.concatenate([getattr(part, one.name) for part in found])[order] for one in fields(Retrieved)))


def _retrieved_of(queries: Floats, among: Gallery, rows: Places, k: int) -> Retrieved:
    there, own = np.unique(among.own[rows], return_inverse=True)
    found = retrieved(queries[rows], Gallery(among.vectors[there], own), k)
    return replace(found, places=there[found.places])


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
