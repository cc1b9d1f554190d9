"""Procrustes: the rotation that turns one space of vectors into another, with one scale and no other freedom."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from watertight.core.contract import Target
from watertight.learners.centred import centre_of, moved
from watertight.learners.family import Options, Outputs, demand_features
from watertight.learners.matrix import Matrix

MODEL = "model.safetensors"
Floats = npt.NDArray[np.float64]


class Procrustes:
    """Orthogonal Procrustes on centred features (Schönemann 1966, Psychometrika 31), for vectors of any two widths.

    Of unequal widths the smaller space is laid into the larger one, as if padded with zeros. Distances are kept but for one
    scale, so there is nothing to penalise, and few rows suffice. A null is the training mean of its column.
    """

    kinds: ClassVar[tuple[str, ...]] = ("vector",)

    def __init__(self, arrays: dict[str, Floats] | None = None) -> None:
        self.arrays = arrays or {}

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet; there are no options."""
        Options.of("procrustes", options)
        return cls()

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: npt.NDArray[np.float64], *, seed: int) -> Self:
        """A singular value decomposition of the (columns, dimension) products; ``seed`` is not needed."""
        demand_features(x, "procrustes")
        share = weight / weight.sum()
        centre, middle = centre_of(x.values, share), share @ y
        text = moved(x.values, centre)
        left, size, right = np.linalg.svd((text * share[:, None]).T @ (y - middle), full_matrices=False)
        length = float(share @ np.square(text).sum(axis=1))
        scale = float(size.sum()) / length if length > 0 else 0.0
        self.arrays = {"centre": centre, "middle": middle, "turn": np.ascontiguousarray((left @ right).T) * scale}
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``vector``, each row by itself: alone it is what it is in a batch."""
        told = np.einsum("ij,kj->ik", moved(x.values, self.arrays["centre"]), self.arrays["turn"])
        return {"vector": told + self.arrays["middle"]}

    def save(self, folder: Path) -> None:
        """Write the arrays as safetensors."""
        save_file({name: np.ascontiguousarray(value) for name, value in sorted(self.arrays.items())}, folder / MODEL)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        return cls(load_file(folder / MODEL))
