"""Nearest neighbours: the mean of the training rows whose vectors point the same way."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field
from safetensors.numpy import load_file, save_file

from watertight.core.contract import Target
from watertight.core.tables import read_json, write_json
from watertight.learners.family import Options, Outputs, demand_features
from watertight.learners.matrix import Matrix

MODEL = "model.safetensors"
DECLARED = "options.json"
DIGITS = 6
"""Of a cosine: equal vectors are equally near, whatever the order in which their products were summed."""

Floats = npt.NDArray[np.float64]


class KnnOptions(Options):
    """``k``: how many neighbours."""

    k: int = Field(default=15, ge=1)


class Knn:
    """The weighted mean (of a class: the weighted shares) of the ``k`` training rows of the greatest cosine, and of all that tie
    with the last of them, so that no order of rows decides.

    The vector of a row is all columns that the cell reads, as they are; a null is 0. A row of zeros is equally near to all.
    The training rows' vectors and targets are saved with the model.
    """

    kinds: ClassVar[tuple[str, ...]] = ("scalar", "class", "vector")

    def __init__(self, output: str, classes: int, options: KnnOptions, arrays: dict[str, Any] | None = None) -> None:
        self.output = output
        self.classes = classes
        self.options = options
        self.arrays = arrays or {}

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet."""
        return cls(target.output, len(target.classes or ()), KnnOptions.of("knn", options))

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: Floats, *, seed: int) -> Self:
        """Keep the rows of a weight above 0; ``seed`` is not needed."""
        demand_features(x, "knn")
        counted = weight > 0
        values = np.nan_to_num(x.values[counted])
        known = np.eye(self.classes)[y.astype(int)] if self.classes else y.reshape(len(y), -1).astype(np.float64)
        self.arrays = {"known": (values != 0).any(axis=0), "vectors": _directions(values)}
        self.arrays |= {"targets": known[counted], "weight": weight[counted]}
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``mean``, ``probabilities`` or ``vector``, by the kind of target."""
        # A column that was 0 in training is no direction that a row could share.
        asked = _directions(np.nan_to_num(x.values) * self.arrays["known"])
        told = np.array([self._mean(row) for row in asked]).reshape(len(asked), self.arrays["targets"].shape[1])
        return {self.output: told[:, 0] if self.output == "mean" else told}

    def save(self, folder: Path) -> None:
        """Write the training rows as safetensors; the output, the classes and the options as JSON."""
        save_file({name: np.ascontiguousarray(self.arrays[name]) for name in sorted(self.arrays)}, folder / MODEL)
        told = {"output": self.output, "classes": self.classes, "options": self.options.model_dump(mode="json")}
        write_json(told, folder / DECLARED)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        told = read_json(folder / DECLARED)
        return cls(told["output"], told["classes"], KnnOptions.of("knn", told["options"]), load_file(folder / MODEL))

    def _mean(self, row: npt.NDArray[np.float32]) -> Floats:
        """Of one row at a time: BLAS sums several in another order."""
        near = np.round(self.arrays["vectors"] @ row, DIGITS)
        least = max(len(near) - self.options.k, 0)
        those = np.flatnonzero(near >= np.partition(near, least)[least])
        return np.average(self.arrays["targets"][those], axis=0, weights=self.arrays["weight"][those])


def _directions(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows of length 1; rows of zeros as they are."""
    length = np.sqrt(np.sum(values**2, axis=1, keepdims=True))
    return np.divide(values, length, out=np.zeros_like(values), where=length > 0)
