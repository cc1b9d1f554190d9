"""What a cell reads of those below it, under the names of the columns that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from watertight.learners.family import Outputs
from watertight.learners.matrix import LOG_VARIANCE, MEMBER, Matrix

Columns = Mapping[str, npt.NDArray[np.float64]]


def read_of(member: str, outputs: Outputs, output: str) -> dict[str, npt.NDArray[np.float64]]:
    """The member's prediction, called ``output`` among its outputs, and its log-variance where it gives one.

    Each float64 of shape (n,), or (n, width) for probabilities and vectors.
    """
    prediction = {f"{MEMBER}{member}": outputs[output]}
    return prediction | ({f"{LOG_VARIANCE}{member}": outputs["log_variance"]} if "log_variance" in outputs else {})


def beside(x: Matrix, read: Columns) -> Matrix:
    """What is read of members before the features, named as ``feature_matrix`` names a column of numbers or of lists."""
    if not read:
        return x
    names = [told for name, values in read.items() for told in _names(name, values)]
    values = np.column_stack([*(values.astype(np.float32) for values in read.values()), x.values])
    return replace(x, values=np.ascontiguousarray(values), names=(*names, *x.names))


def _names(name: str, values: npt.NDArray[np.float64]) -> list[str]:
    return [name] if values.ndim == 1 else [f"{name}[{place}]" for place in range(values.shape[1])]
