"""No vector stands all but on another one, where the one is learnt from and the other predicted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from great_expectations.compatibility.pydantic import Field
from numpy.typing import NDArray

from watertight.checks.base import Found, TableCheck, skipped
from watertight.checks.different_vectors import different_vectors
from watertight.checks.places import places
from watertight.core.ranks import directions

ROWS, COLUMNS, SLACK, EXACT, SHOWN, ENOUGH = 1024, 4096, 1e-4, 1e-9, 5, 10**6

Numbers = NDArray[np.int64]


class ExpectNoNeighboursAcrossSplits(TableCheck):
    """No two rows in places that must be apart have vectors in ``column`` with a cosine of ``least`` or more.

    Places as in expect_no_duplicates_across_splits. Where ``column`` is a target (of the setting), rows of one group are not
    compared: in which places a group may be, others judge. Rows of a place (and group) with equal vectors are compared as one,
    and each of these with all others, block by block: memory stays bounded, and time grows with the square of how many there
    are. A null vector and one of length zero match nothing; where fewer than two places have others, it is skipped. Every row
    with a neighbour is named, but after a million pairs no further ones are looked for. Figures: ``rows``, the ``vectors`` that
    were compared, the ``pairs`` of these that are too near, and the ``first`` such pairs, a row of each, with their cosine.
    """

    column: str
    least: float = Field(default=0.99, gt=0, le=1)

    def reads(self) -> tuple[str, ...]:
        """Where a row stands; of a target also whose it is."""
        return ("row_id", "split", "fold", *(["group_id"] if self._is_target else []))

    def find(self, frame: pd.DataFrame) -> Found:
        """The rows with a neighbour elsewhere."""
        where = places(frame)
        whose = pd.factorize(frame["group_id"])[0].astype(np.int64) if self._is_target else where.of
        held = different_vectors(self.setting.judged[self.column], pl.DataFrame({"place": where.of, "whose": whose}))
        vectors, of = directions(held.vectors), where.of[held.first]
        compared = (of >= 0) & vectors.any(axis=1)
        if len(np.unique(of[compared])) < 2:
            return skipped(f"fewer than two places have a vector in {self.column!r}")
        near = _neighbours(vectors, of, where.apart, whose[held.first], self.least)
        ids = frame["row_id"].astype(str).to_numpy()
        rows = ids[near.any[held.of]].tolist()
        first = [[ids[held.first[one]], ids[held.first[other]], round(cosine, 4)] for one, other, cosine in near.first]
        told = "".join(f"first {one} beside {other}, cosine {cosine}" for one, other, cosine in first[:1])
        figures = {"rows": len(rows), "vectors": int(compared.sum()), "pairs": near.pairs, "first": first}
        return Found(not rows, rows, figures=figures, told=told)

    @property
    def _is_target(self) -> bool:
        return self.column in self.setting.targets


@dataclass
class _Near:
    """Which vectors have a neighbour, how many pairs there are, and the first of them: two numbers and their cosine."""

    any: NDArray[np.bool_]
    pairs: int = 0
    first: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, one: Numbers, other: Numbers, cosine: NDArray[np.float64]) -> None:
        self.any[one] = self.any[other] = True
        self.pairs += len(one)
        some = SHOWN - len(self.first)
        self.first += zip(one[:some].tolist(), other[:some].tolist(), cosine[:some].tolist(), strict=True)


def _neighbours(vectors: NDArray[np.float32], of: Numbers, apart: NDArray[np.bool_], whose: Numbers, least: float) -> _Near:
    near = _Near(np.zeros(len(vectors), dtype=bool))
    for mine, others in _blocks(of, apart):
        if near.pairs >= ENOUGH:
            break
        one, other = np.nonzero((vectors[mine] @ vectors[others].T >= least - SLACK) & (whose[mine][:, None] != whose[others]))
        near.add(*_settled(vectors, mine[one], others[other], least))
    return near


def _blocks(of: Numbers, apart: NDArray[np.bool_]) -> Iterator[tuple[Numbers, Numbers]]:
    """Numbers of vectors, in blocks of two places that must be apart, each two places once."""
    for one, other in zip(*np.nonzero(np.triu(apart)), strict=True):
        mine, others = np.flatnonzero(of == one), np.flatnonzero(of == other)
        for start in range(0, len(mine), ROWS):
            for from_ in range(0, len(others), COLUMNS):
                yield mine[start : start + ROWS], others[from_ : from_ + COLUMNS]


def _settled(vectors: NDArray[np.float32], one: Numbers, other: Numbers, least: float) -> tuple[Numbers, Numbers, Any]:
    """Of pairs that float32 proposed those with a cosine of at least ``least`` in float64, and the cosines."""
    blocks = [_cosines(vectors[one[at : at + ROWS]], vectors[other[at : at + ROWS]]) for at in range(0, len(one), ROWS)]
    cosine = np.concatenate([np.empty(0), *blocks])
    enough = cosine >= least - EXACT
    return one[enough], other[enough], cosine[enough]


def _cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """In [-1, 1]; 0 where one is of zeros."""
    dots = np.einsum("ij,ij->i", one, other, dtype=np.float64)
    lengths = np.linalg.norm(one.astype(np.float64), axis=1) * np.linalg.norm(other.astype(np.float64), axis=1)
    return np.divide(dots, lengths, out=np.zeros_like(dots), where=lengths > 0)
