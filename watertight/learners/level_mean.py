"""Level mean: the training mean of each value of one text column, such as that of each system whose answers are judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from watertight.core.contract import Target
from watertight.core.errors import Misuse
from watertight.core.tables import read_json, write_json
from watertight.learners.family import Options, Outputs
from watertight.learners.matrix import Matrix

MODEL = "model.json"

Floats = npt.NDArray[np.float64]


class LevelMeanOptions(Options):
    """``strength``: how many rows of weight 1 at the overall mean are added to each level's own."""

    strength: float = Field(default=0.0, ge=0)


class LevelMean:
    """The weighted mean of the training targets of the row's level, shrunk towards that of all rows.

    The levels are the values of the one text that the cell reads. A level that is null, was never seen, or only in rows of
    weight 0, has the overall mean.
    """

    kinds: ClassVar[tuple[str, ...]] = ("scalar",)

    def __init__(self, strength: float, overall: float = 0.0, means: dict[str, float] | None = None) -> None:
        self.strength = strength
        self.overall = overall
        self.means = means or {}

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet."""
        return cls(LevelMeanOptions.of("level_mean", options).strength)

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: Floats, *, seed: int) -> Self:
        """Take the means; raises Misuse where the cell does not read exactly one text. ``seed`` is not needed."""
        self.overall = float(np.average(y, weights=weight))
        self.means = dict(self._means(_levels(x), y, weight))
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``mean`` of the row's level."""
        return {"mean": np.array([self.overall if of is None else self.means.get(of, self.overall) for of in _levels(x)], float)}

    def save(self, folder: Path) -> None:
        """Write the means as JSON."""
        write_json({"strength": self.strength, "overall": self.overall, "means": self.means}, folder / MODEL)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        return cls(**read_json(folder / MODEL))

    def _means(self, levels: Sequence[str | None], y: npt.NDArray[Any], weight: Floats) -> Iterator[tuple[str, float]]:
        known = np.array([level is not None for level in levels])
        names, place = np.unique(np.array([level for level in levels if level is not None], dtype=np.str_), return_inverse=True)
        counts, sums = (np.bincount(place, of[known], minlength=len(names)) for of in (weight, weight * y))
        for name, count, total in zip(names, counts, sums, strict=True):
            if count + self.strength > 0:
                yield str(name), float((total + self.strength * self.overall) / (count + self.strength))


def _levels(x: Matrix) -> Sequence[str | None]:
    if len(x.texts) != 1:
        raise Misuse(f"family 'level_mean' reads one text, not {len(x.texts)}", expected="`texts: [column]` in its cell")
    return next(iter(x.texts.values()))
