"""A gallery as a search sees it whose bundle corrects for hubs: by what its bank of queries tells of these very vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from watertight.core.errors import Misuse
from watertight.core.hubness import rescored
from watertight.core.ranks import directions
from watertight.registry.bundle import HubCorrection

Singles = npt.NDArray[np.float32]
Banks = Mapping[str, Singles]


class Corrected:
    """A gallery, and which of it are hubs; asking changes nothing, so that several threads may ask at once.

    What the correction takes from a vector depends on the bank alone, and of QB-norm, whether it is a hub, on the others of the
    gallery too: it is worked out once, when this is made, and anew for another gallery.
    """

    def __init__(self, correction: HubCorrection, bank: Singles, vectors: npt.NDArray[np.floating[Any]]) -> None:
        self.correction = correction
        self.queries: int = len(bank)
        self._vectors = directions(vectors)
        self._rescored = rescored(correction.declared, directions(bank), self._vectors)

    def cosines(self, queries: npt.NDArray[np.floating[Any]]) -> Singles:
        """(n, N), float32: of each of ``queries``, (n, d), to each of the gallery, (N, d).

        Raises Misuse for a query that has no direction: one of zeros, or not finite.
        """
        asked = np.atleast_2d(queries)
        deep = self._vectors.shape[1]
        if asked.ndim != 2 or asked.shape[1] != deep or not _finite(asked) or not asked.any(axis=1).all():
            raise Misuse(
                f"an array of shape {asked.shape} holds queries that have no place beside the gallery",
                expected=f"finite numbers, (queries, {deep}), none of zeros alone",
            )
        near: Singles = directions(asked) @ self._vectors.T
        return near

    def scores(self, queries: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
        """(n, N): by these the gallery is ordered, the largest first; those of two queries are not to be compared.

        See ``watertight.core.hubness``: of CSLS 2 · cosine − bias; of QB-norm likewise, but 2 · cosine where the nearest is no
        hub; of dual softmax the cosine times a weight of at most 1.
        """
        return self.scored(queries)[1]

    def scored(self, queries: npt.NDArray[np.floating[Any]]) -> tuple[Singles, npt.NDArray[np.floating[Any]]]:
        """``cosines`` and ``scores``, by one product."""
        near = self.cosines(queries)
        return near, self._rescored(near.copy())


def corrected(
    correction: HubCorrection | None, banks: Banks, vectors: npt.NDArray[np.floating[Any]], target: str | None = None
) -> Corrected:
    """The gallery ``vectors``, (N, d), of ``target``, which may be left out where the bank is of one.

    Raises Misuse where the bundle declares no correction, or where these are no vectors of the target.
    """
    if correction is None:
        raise Misuse(
            "the bundle declares no correction for hubs",
            expected="one that was registered with it; without, a search goes by cosine",
            next_step="register: {…, correction: NAME} in params.yaml, one of evaluate.corrections, then dvc repro",
        )
    named = next(iter(banks)) if target is None and len(banks) == 1 else target or ""
    if named not in banks:
        raise Misuse(f"the bank has no queries of target {target!r}", expected=f"one of {', '.join(sorted(banks))}")
    bank, given = banks[named], np.asarray(vectors)
    if given.ndim != 2 or not len(given) or given.shape[1] != bank.shape[1] or not _finite(given):
        raise Misuse(
            f"an array of shape {given.shape} is no gallery of {named!r}",
            expected=f"finite numbers, (vectors, {bank.shape[1]}), at least one vector",
        )
    return Corrected(correction, bank, given)


def _finite(given: npt.NDArray[Any]) -> bool:
    return given.dtype.kind in "fiu" and bool(np.isfinite(given).all())
