"""Baselines: the training mean, and a joined feature taken as the prediction (such as an author's own past mean)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from watertight.core.contract import Target
from watertight.learners.family import Options, Outputs
from watertight.learners.matrix import Matrix

MODEL = "model.safetensors"


class MeanOptions(Options):
    """No options."""


class Mean:
    """The weighted mean of the training targets: shares of the classes for a class, the mean vector for a vector."""

    kinds: ClassVar[tuple[str, ...]] = ("scalar", "class", "vector")

    def __init__(self, output: str, classes: int = 0, value: npt.NDArray[np.float64] | None = None) -> None:
        self.output = output
        self.classes = classes
        self.value = np.zeros(1) if value is None else value

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet."""
        MeanOptions.of("mean", options)
        return cls(target.output, len(target.classes or ()))

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: npt.NDArray[np.float64], *, seed: int) -> Self:
        """Take the mean; ``x`` and ``seed`` are not needed."""
        known = np.eye(self.classes)[y.astype(int)] if self.classes else y.astype(np.float64)
        self.value = np.atleast_1d(np.average(known, axis=0, weights=weight))
        return self

    def predict(self, x: Matrix) -> Outputs:
        """The same for every row."""
        rows = len(x.values)
        return {self.output: np.tile(self.value, rows) if self.output == "mean" else np.tile(self.value, (rows, 1))}

    def save(self, folder: Path) -> None:
        """Write the mean under the name of its output."""
        save_file({self.output: self.value}, folder / MODEL)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        [(output, value)] = load_file(folder / MODEL).items()
        return cls(output, value=value)


class ColumnOptions(Options):
    """``column`` is the joined feature that is the prediction; ``{target}`` in it stands for the target's name."""

    column: str


class Column:
    """A joined feature as it is; where it is null, the training mean."""

    kinds: ClassVar[tuple[str, ...]] = ("scalar",)

    def __init__(self, column: str, fallback: Mean) -> None:
        self.column = column
        self.fallback = fallback

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet."""
        return cls(ColumnOptions.of("column", options).column, Mean("mean"))

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: npt.NDArray[np.float64], *, seed: int) -> Self:
        """Learn the mean to fall back on."""
        self.fallback.fit(x, y, weight, seed=seed)
        return self

    def predict(self, x: Matrix) -> Outputs:
        """The column, or the mean."""
        known = x.column(self.column).astype(np.float64)
        return {"mean": np.where(np.isnan(known), self.fallback.value[0], known)}

    def save(self, folder: Path) -> None:
        """Write the column's name and the mean."""
        (folder / "column.txt").write_text(self.column + "\n", encoding="utf-8")
        self.fallback.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        return cls((folder / "column.txt").read_text(encoding="utf-8").strip(), Mean.load(folder))
