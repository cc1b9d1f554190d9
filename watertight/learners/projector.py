"""Projector: a network from one space of vectors into another, fitted by cosine or by contrast with the other vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from watertight.core.contract import Target
from watertight.core.ranks import directions, gallery
from watertight.core.tables import read_json, write_json
from watertight.learners.family import Outputs, demand_features
from watertight.learners.inner_folds import inner_folds
from watertight.learners.matrix import Matrix
from watertight.learners.projector_network import forward
from watertight.learners.projector_options import INNER_FOLDS, ProjectorOptions
from watertight.learners.projector_training import Pairs, trained
from watertight.learners.standard import standardised, standards
from watertight.learners.vectors import demand_vectors

MODEL = "model.safetensors"
DECLARED = "options.json"

Floats = npt.NDArray[np.float64]


class Projector:
    """``vector``, (n, dimension): a direction, at the mean length of the true vectors that it was fitted on.

    Columns are standardised by the rows that it is fitted on, a null is their mean, and a column of one value has no say. A
    tenth of the rows, whole groups or blocks, is held out and says which epoch ranks its images best; which tenth, the seed
    says, so that seeds beside each other see all rows. Rows of weight 0 are left out.
    """

    kinds: ClassVar[tuple[str, ...]] = ("vector",)

    def __init__(self, options: ProjectorOptions, dimension: int | None = None, arrays: dict[str, Any] | None = None) -> None:
        self.options = options
        self.dimension = dimension
        self.arrays = arrays or {}

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet."""
        return cls(ProjectorOptions.of("projector", options), target.dimension)

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: Floats, *, seed: int) -> Self:
        """Train by torch.

        Raises Misuse without features or groups, Refusal for fewer than two groups, for a true vector that is not
        ``dimension`` finite numbers or is all zeros, and for a loss that is no number.
        """
        demand_features(x, "projector")
        counted = weight > 0
        x, y, weight = x.at(counted), y[counted], weight[counted] / weight[counted].mean()
        lengths = demand_vectors(y, self.dimension, "projector")
        folds = list(inner_folds(x, INNER_FOLDS))
        images = gallery(y.astype(np.float64))
        self.arrays = {**standards(x.values), "length": np.array([np.average(lengths, weights=weight)])}
        pairs = Pairs(standardised(x.values, self.arrays), images.vectors, images.own, weight.astype(np.float32))
        self.arrays |= trained(pairs, folds[seed % len(folds)], self.options, seed)
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``vector``, by NumPy alone."""
        told = forward(standardised(x.values, self.arrays), self.arrays)
        return {"vector": directions(told.astype(np.float64)).astype(np.float64) * self.arrays["length"]}

    def save(self, folder: Path) -> None:
        """Write the arrays as safetensors, the options as JSON."""
        save_file({name: np.ascontiguousarray(self.arrays[name]) for name in sorted(self.arrays)}, folder / MODEL)
        write_json(self.options.model_dump(mode="json"), folder / DECLARED)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        return cls(ProjectorOptions.of("projector", read_json(folder / DECLARED)), arrays=load_file(folder / MODEL))
