"""Linear models on standardised features: ridge for scalars and vectors, multinomial logistic for classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field
from safetensors.numpy import load_file, save_file

from watertight.core.contract import Target
from watertight.learners.family import Options, Outputs, demand_features
from watertight.learners.linear_fit import Floats, linear_fit, outputs
from watertight.learners.matrix import Matrix

MODEL = "model.safetensors"


class LinearOptions(Options):
    """``strength`` of the L2 penalty: ridge's alpha, or the inverse of logistic regression's C."""

    strength: float = Field(default=10.0, gt=0)


class Linear:
    """Weights, an intercept and the standardisation of the training rows; a null is the training mean."""

    kinds: ClassVar[tuple[str, ...]] = ("scalar", "class", "vector")

    def __init__(self, kind: str, classes: int, options: LinearOptions, arrays: dict[str, Any] | None = None) -> None:
        self.kind = kind
        self.classes = classes
        self.options = options
        self.arrays = arrays or {}

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet."""
        return cls(target.kind, len(target.classes or ()), LinearOptions.of("linear", options))

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: npt.NDArray[np.float64], *, seed: int) -> Self:
        """Closed form for ridge, L-BFGS for logistic; ``seed`` is not needed."""
        demand_features(x, "linear")
        centre = np.nan_to_num(_columnwise(np.nanmean, x.values))
        spread = np.nan_to_num(_columnwise(np.nanstd, x.values))
        self.arrays = {"centre": centre, "scale": np.where(spread > 0, spread, 1.0)}
        coefficients, intercept = linear_fit(self._standardised(x), y, weight, self.options.strength, self.classes)
        self.arrays |= {"coefficients": coefficients, "intercept": intercept}
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``mean``, ``probabilities`` or ``vector``, by the kind of target."""
        # Unlike a BLAS product, einsum sums a row in the same order whatever stands beside it: alone or in a batch.
        scores = np.einsum("ij,kj->ik", self._standardised(x), self.arrays["coefficients"]) + self.arrays["intercept"]
        return outputs(self.kind, scores)

    def save(self, folder: Path) -> None:
        """Write the arrays as safetensors, the kind in its metadata."""
        arrays = {name: np.ascontiguousarray(value, dtype=np.float64) for name, value in sorted(self.arrays.items())}
        save_file(arrays, folder / MODEL)
        (folder / "kind.txt").write_text(f"{self.kind} {self.classes}\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        kind, classes = (folder / "kind.txt").read_text(encoding="utf-8").split()
        return cls(kind, int(classes), LinearOptions(), load_file(folder / MODEL))

    def _standardised(self, x: Matrix) -> Floats:
        return np.nan_to_num((x.values.astype(np.float64) - self.arrays["centre"]) / self.arrays["scale"])


def _columnwise(function: Any, values: npt.NDArray[Any]) -> Floats:
    """``function`` per column in float64, NaN (without a warning) where a column is all null."""
    wide = values.astype(np.float64)
    known = ~np.isnan(wide).all(axis=0)
    answer = np.full(wide.shape[1], np.nan)
    answer[known] = function(wide[:, known], axis=0)
    return answer
