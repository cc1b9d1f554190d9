"""How much of a target the nearest vectors know, each row asked of other folds only: a baseline without a model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from watertight.core.errors import Refusal

NEIGHBOURS = 15

Floats = NDArray[np.float64]
Predict = Callable[[NDArray[np.bool_]], Floats]


def by_neighbours(vectors: NDArray[np.float32], truth: Floats, folds: NDArray[np.int64]) -> Floats:
    """Per row the mean truth of its 15 nearest rows of other folds, by Euclidean distance: float64 (n,).

    ``vectors`` (n, d), finite; ``truth`` (n,); ``folds`` (n,). Where the other folds have fewer rows, all of them count.
    Raises Refusal where there is one fold only.
    """

    def predict(mine: NDArray[np.bool_]) -> Floats:
        from sklearn.neighbors import KNeighborsRegressor

        model = KNeighborsRegressor(min(NEIGHBOURS, int((~mine).sum())), algorithm="brute")
        found: Floats = model.fit(vectors[~mine], truth[~mine]).predict(vectors[mine])
        return found

    return _by_fold(folds, predict)


def by_mean(truth: Floats, folds: NDArray[np.int64]) -> Floats:
    """Per row the mean truth of the rows of other folds: float64 (n,). Raises Refusal where there is one fold only."""
    return _by_fold(folds, lambda mine: np.full(int(mine.sum()), truth[~mine].mean()))


def judged(truth: Floats, predicted: Floats) -> dict[str, float | None]:
    """``r2`` (1 - squared errors / squared distances from the mean truth; 0 for the mean itself, no lower bound),
    ``spearman`` in [-1, 1], ``mae`` and ``rmse`` in the truth's unit; null where not defined.
    """
    errors = truth - predicted
    spread = ((truth - truth.mean()) ** 2).sum()
    varied = np.ptp(truth) > 0 and np.ptp(predicted) > 0
    return {
        "r2": float(1 - (errors**2).sum() / spread) if spread > 0 else None,
        "spearman": float(spearmanr(truth, predicted).statistic) if varied else None,
        "mae": float(np.abs(errors).mean()),
        "rmse": float(np.sqrt((errors**2).mean())),
    }


def _by_fold(folds: NDArray[np.int64], predict: Predict) -> Floats:
    names = np.unique(folds)
    if len(names) < 2:
        raise Refusal(
            f"rows of {len(names)} fold(s) cannot be set against rows of other folds",
            expected="labelled training rows with the feature in two folds or more",
        )
    found = np.empty(len(folds))
    for name in names:
        found[folds == name] = predict(folds == name)
    return found
