"""What a fitted model rests on: the share of each feature in a model that can say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import Any

import numpy as np

from watertight.learners.boosting import Boosting
from watertight.learners.linear import Linear


def importance(model: Any, names: Sequence[str]) -> Mapping[str, float]:
    """Shares that sum to 1, largest first; a list column's numbers are added up under its name. Empty where unknown.

    Trees: the gain in the loss by splits on the feature. Linear models: the absolute coefficient on the standardised
    feature, summed over outputs. Either says what the model uses, not what causes the target.
    """
    raw = _raw(model)
    if len(raw) != len(names) or not raw.sum():
        return {}
    shares: dict[str, float] = {}
    for name, value in zip(names, raw / raw.sum(), strict=True):
        column = name.partition("[")[0]
        shares[column] = shares.get(column, 0.0) + float(value)
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


@singledispatch
def _raw(model: Any) -> Any:
    return np.empty(0)


@_raw.register
def _(model: Boosting) -> Any:
    return model.gains()


@_raw.register
def _(model: Linear) -> Any:
    return np.abs(model.arrays["coefficients"]).sum(axis=0)
