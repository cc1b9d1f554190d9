"""Canonical correlations: what two spaces of vectors say alike, strongest first, and the map from one to the other over it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field
from safetensors.numpy import load_file, save_file

from watertight.core.contract import Target
from watertight.learners.centred import centre_of, moved
from watertight.learners.family import Options, Outputs, demand_features
from watertight.learners.matrix import Matrix
from watertight.learners.vectors import demand_vectors

MODEL = "model.safetensors"
Floats = npt.NDArray[np.float64]


class CcaOptions(Options):
    """``components``: how many canonical directions are kept, at most.

    ``shrinkage``: the share of each side's covariance that is replaced by equal variance in all directions, above 0 since
    there may be more columns than rows.
    """

    components: int = Field(default=64, ge=1)
    shrinkage: float = Field(default=0.1, gt=0, le=1)


class Cca:
    """Regularised canonical correlation analysis (Hardoon, Szedmak & Shawe-Taylor 2004, Neural Computation 16), as a map.

    Both sides are whitened by their shrunken covariances; the singular vectors of what then goes together are the canonical
    directions, its singular values the correlations. A row's canonical numbers, each times its correlation, are what is
    expected of its image's, and are mapped back into the image's space. This is in closed form; scikit-learn's ``CCA`` finds
    one direction after another by iteration, without a penalty, and so needs more rows than columns. A null is the training
    mean of its column.
    """

    kinds: ClassVar[tuple[str, ...]] = ("vector",)

    def __init__(self, options: CcaOptions, dimension: int | None = None, arrays: dict[str, Floats] | None = None) -> None:
        self.options = options
        self.dimension = dimension
        self.arrays = arrays or {}

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet."""
        return cls(CcaOptions.of("cca", options), target.dimension)

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: Floats, *, seed: int) -> Self:
        """Two eigendecompositions and one of singular values; ``seed`` is not needed.

        Raises Misuse without features, Refusal for a true vector that is not ``dimension`` finite numbers or is all zeros.
        """
        demand_features(x, "cca")
        counted = weight > 0
        x, y, share = x.at(counted), y[counted], weight[counted] / weight.sum()
        demand_vectors(y, self.dimension, "cca")
        centre, middle = centre_of(x.values, share), share @ y
        text, image = moved(x.values, centre), y - middle
        whiten, _ = self._whitening(text, share)
        turn, back = self._whitening(image, share)
        left, correlations, right = np.linalg.svd(whiten @ (text.T @ (share[:, None] * image)) @ turn, full_matrices=False)
        kept = min(self.options.components, int(np.count_nonzero(correlations > 0)))
        path = (back @ right[:kept].T * correlations[:kept]) @ (left[:, :kept].T @ whiten) * text.any(axis=0)
        self.arrays = {"centre": centre, "middle": middle, "path": np.ascontiguousarray(path)}
        self.arrays["correlations"] = correlations[:kept]
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``vector``, each row by itself: alone it is what it is in a batch."""
        told = np.einsum("ij,kj->ik", moved(x.values, self.arrays["centre"]), self.arrays["path"])
        return {"vector": told + self.arrays["middle"]}

    def save(self, folder: Path) -> None:
        """Write the arrays as safetensors; the options have done their part."""
        save_file({name: np.ascontiguousarray(value) for name, value in sorted(self.arrays.items())}, folder / MODEL)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        return cls(CcaOptions(), arrays=load_file(folder / MODEL))

    def _whitening(self, side: Floats, share: Floats) -> tuple[Floats, Floats]:
        """The inverse square root of a side's shrunken covariance, and its square root, both symmetric."""
        variance, along = np.linalg.eigh(side.T @ (share[:, None] * side))
        shrunk = (1 - self.options.shrinkage) * np.maximum(variance, 0) + self.options.shrinkage * variance.mean()
        root = np.sqrt(np.maximum(shrunk, np.finfo(np.float64).tiny))
        return along / root @ along.T, along * root @ along.T
