"""Multilayer perceptron for scalars that says of each row how sure it is: a mean and a log-variance."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from watertight.core.contract import Target
from watertight.core.ensembles import averaged
from watertight.core.tables import read_json, write_json
from watertight.learners.family import Outputs, demand_features
from watertight.learners.inner_folds import inner_folds
from watertight.learners.matrix import Matrix
from watertight.learners.mlp_network import LOG_VARIANCE, forward
from watertight.learners.mlp_options import INNER_FOLDS, WITH_VARIANCE, MlpOptions
from watertight.learners.mlp_training import trained
from watertight.learners.standard import CONSTANT, standardised, standards

MODEL = "model.safetensors"
DECLARED = "options.json"

Floats = npt.NDArray[np.float64]


class Mlp:
    """``mean``, (n,), cut to the target's range; ``log_variance``, (n,): natural logarithm of the target's unit squared.

    Columns are standardised by the rows that it is fitted on, a null is their mean, and a column of one value has no say; the
    target by its weighted moments. A fifth of the rows, whole groups or blocks, is held out and says which epoch is best; made
    rows are among them, for the network is fitted for the distribution that its treatments make. Its parameters are kept as
    they are, not fitted again on all rows. Several ``members``, each with another fifth held out, answer as the mixture of
    their normal distributions. Rows of weight 0 are left out. The losses ``mse`` and ``balanced_mse`` fit no variance: then
    ``log_variance`` is one number, of the weighted mean squared residual of the rows held out. In standardised units it lies
    within ``mlp_network.LOG_VARIANCE``.
    """

    kinds: ClassVar[tuple[str, ...]] = ("scalar",)

    def __init__(self, options: MlpOptions, arrays: dict[str, Any]) -> None:
        self.options = options
        self.arrays = arrays

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet; ``target`` has a range."""
        return cls(MlpOptions.of("mlp", options), {"range": np.array(target.range, dtype=np.float64)})

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: Floats, *, seed: int) -> Self:
        """Train by torch.

        Raises Misuse without features or groups, Refusal for fewer than two groups or a loss that is no number.
        """
        demand_features(x, "mlp")
        counted = weight > 0
        x, y, weight = x.at(counted), y[counted].astype(np.float64), weight[counted] / weight[counted].mean()
        mean = np.average(y, weights=weight)
        deviation = float(np.sqrt(np.average((y - mean) ** 2, weights=weight)))
        deviation = deviation if deviation > CONSTANT * abs(mean) else 1.0
        self.arrays |= {**standards(x.values), "target": np.array([mean, deviation])}
        standard, told = standardised(x.values, self.arrays), ((y - mean) / deviation).astype(np.float32)
        folds = cycle(inner_folds(x, INNER_FOLDS))
        for member, fold in zip(range(self.options.members), folds, strict=False):
            network: dict[str, Any] = dict(
                trained(standard, told, weight.astype(np.float32), fold, self.options, seed * INNER_FOLDS + member)
            )
            if self.options.loss not in WITH_VARIANCE:
                network["log_variance"] = _of_residuals(network, standard[fold[1]], told[fold[1]], weight[fold[1]])
            self.arrays |= {f"{member}.{name}": values for name, values in network.items()}
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``mean`` and ``log_variance``, by NumPy alone."""
        standard = standardised(x.values, self.arrays)
        return averaged([self._answer(standard, self._network(member)) for member in range(self.options.members)])

    def _answer(self, standard: npt.NDArray[np.float32], network: dict[str, Any]) -> Outputs:
        told = forward(standard, network).astype(np.float64)
        log_variance = told[:, 1] if told.shape[1] > 1 else np.repeat(network["log_variance"], len(told))
        mean, deviation = self.arrays["target"]
        low, high = self.arrays["range"]
        return {
            "mean": np.clip(mean + deviation * told[:, 0], low, high),
            "log_variance": np.clip(log_variance, *LOG_VARIANCE) + 2 * np.log(deviation),
        }

    def save(self, folder: Path) -> None:
        """Write the arrays as safetensors, the options as JSON."""
        save_file({name: np.ascontiguousarray(self.arrays[name]) for name in sorted(self.arrays)}, folder / MODEL)
        write_json(self.options.model_dump(mode="json"), folder / DECLARED)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        return cls(MlpOptions.of("mlp", read_json(folder / DECLARED)), load_file(folder / MODEL))

    def _network(self, member: int) -> dict[str, Any]:
        start = f"{member}."
        return {name.removeprefix(start): values for name, values in self.arrays.items() if name.startswith(start)}


def _of_residuals(network: dict[str, Any], x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], weight: Floats) -> Floats:
    """The logarithm of the weighted mean squared residual, (1,)."""
    residual = forward(x, network)[:, 0].astype(np.float64) - y
    return np.log([max(float(np.average(residual**2, weights=weight)), float(np.exp(LOG_VARIANCE[0])))])
