"""What every model family gives: fit, predict, save, load."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from watertight.core.contract import Target
from watertight.core.declare import Declaration, parse
from watertight.core.errors import Misuse
from watertight.learners.matrix import Matrix

Outputs = dict[str, npt.NDArray[np.float64]]


class Learner(Protocol):
    """One model of a family.

    ``y`` is float64 of shape (rows,) for a scalar, class indices for a class, (rows, dimension) for a vector.
    ``predict`` answers named outputs with one entry per row: ``mean`` (rows,) for a scalar, ``probabilities`` (rows,
    classes) for a class, ``vector`` (rows, dimension) for a vector. Beside a mean may stand ``log_variance`` (rows,), the
    natural logarithm of a variance in the target's unit squared. ``save`` writes files that no loader executes.
    """

    kinds: ClassVar[tuple[str, ...]]
    """The kinds of target that the family fits."""

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet; raises Misuse for an unknown option."""

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: npt.NDArray[np.float64], *, seed: int) -> Self:
        """Fit on all rows of ``x``; the same arguments give the same model."""

    def predict(self, x: Matrix) -> Outputs:
        """Named outputs, one entry per row."""

    def save(self, folder: Path) -> None:
        """Write the fitted model into ``folder``."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""


def demand_features(x: Matrix, family: str) -> None:
    """Raise Misuse where there is nothing to fit on."""
    if not x.names:
        raise Misuse(f"family {family!r} needs features", expected="`views: all`, or the names of some views, in its cell")


class Options(Declaration):
    """Base of a family's options."""

    @classmethod
    def of(cls, family: str, options: dict[str, Any]) -> Self:
        """Strictly parsed options."""
        return parse(cls, options, f"the options of family {family!r}")
