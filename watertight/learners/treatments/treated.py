"""The rows of one fit while they are treated: what each is made of, and where its numbers stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from watertight.learners.matrix import Matrix

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
NOBODY = -1
REAL = ""


@dataclass(frozen=True)
class Base:
    """The rows that a model was given, n: the features and labels of each, and what rows are made of.

    ``blocks``: the inner block of each row, by whole groups, where rows are made of two groups. ``keys``: by entity key, its
    values. ``vectors``: by joined column, float32 (n, d), what interactions are made of. ``drawn``: the places of the real
    rows, of which others are made.
    """

    x: Matrix
    y: npt.NDArray[Any]
    groups: npt.NDArray[np.str_]
    blocks: Places | None
    keys: Mapping[str, npt.NDArray[np.str_]]
    vectors: Mapping[str, npt.NDArray[np.float32]]
    drawn: Places


@dataclass(frozen=True)
class Treated:
    """Rows to fit on: those given, and behind them those that were made.

    ``of``: the place in the base of the row that each is, or was made of, its parent. ``partner``: that of the other row it
    was made of; NOBODY where there is none. ``step``: what made it; REAL for a row as it was given.
    """

    x: Matrix
    y: npt.NDArray[Any]
    weight: Floats
    of: Places
    partner: Places
    step: tuple[str, ...]

    def beside(self, more: Treated) -> Treated:
        """These rows, and ``more`` behind them."""
        return Treated(
            _stacked([self.x, more.x]),
            np.concatenate([self.y, more.y]),
            np.concatenate([self.weight, more.weight]),
            np.concatenate([self.of, more.of]),
            np.concatenate([self.partner, more.partner]),
            (*self.step, *more.step),
        )

    def at(self, places: Places, step: str) -> Treated:
        """Copies of the rows at ``places``, made by ``step``."""
        return Treated(
            self.x.at(places), self.y[places], self.weight[places], self.of[places], self.partner[places], (step,) * len(places)
        )


def as_given(x: Matrix, y: npt.NDArray[Any], weight: Floats) -> Treated:
    """The rows as they are."""
    rows = len(y)
    return Treated(x, y, weight, np.arange(rows), np.full(rows, NOBODY), (REAL,) * rows)


def _stacked(parts: Sequence[Matrix]) -> Matrix:
    first = parts[0]
    return Matrix(
        np.concatenate([part.values for part in parts]),
        first.names,
        {name: [text for part in parts for text in part.texts[name]] for name in first.texts},
        *(None if of[0] is None else np.concatenate(of) for of in zip(*((part.groups, part.blocks) for part in parts))),
    )
