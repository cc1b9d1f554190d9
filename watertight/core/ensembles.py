"""Models of several seeds as one: how their outputs are averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def averaged(outputs: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """The outputs of equal members, by name, each the mean over members.

    ``log_variance`` is that of the mixture of the members' normal distributions: of the mean variance plus the variance of the
    means (Lakshminarayanan et al. 2017). It takes ``mean`` beside it.
    """
    if len(outputs) == 1:
        return dict(outputs[0])
    return {name: _log_variance(outputs) if name == "log_variance" else _mean(outputs, name) for name in outputs[0]}


def _mean(outputs: Sequence[Mapping[str, Floats]], name: str) -> Floats:
    """Added up one after another: vectors of many seeds are large."""
    total = outputs[0][name] + outputs[1][name]
    for given in outputs[2:]:
        total += given[name]
    return np.asarray(total / len(outputs))


def _log_variance(outputs: Sequence[Mapping[str, Floats]]) -> Floats:
    within = np.mean([np.exp(given["log_variance"]) for given in outputs], axis=0)
    return np.log(within + np.var([given["mean"] for given in outputs], axis=0))
