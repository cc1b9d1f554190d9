"""How well a classifier tells one side of rows from the other on groups that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import t
from threadpoolctl import threadpool_limits

FOLDS = 5
STRANGEST = 20


@dataclass(frozen=True)
class Told:
    """How well new rows are told from the reference's: the area under the ROC curve, its interval, and every new row's score.

    ``scores``: float (new rows,), higher for less like the reference; ``row_ids`` of the same rows.
    """

    auc: float
    low: float
    high: float
    scores: NDArray[np.float64]
    row_ids: pl.Series

    def figures(self) -> dict[str, float]:
        """The area and its interval."""
        return {"auc": round(self.auc, 4), "low": round(self.low, 4), "high": round(self.high, 4)}

    def strangest(self) -> list[str]:
        """The twenty new rows that look least like the reference."""
        return list(self.row_ids.gather(np.argsort(-self.scores, kind="stable")[:STRANGEST]))


def tell_apart(
    classifier: Any,
    matrix: NDArray[Any],
    new: NDArray[np.bool_],
    group: NDArray[np.int64],
    row_ids: pl.Series,
    level: float,
) -> Told | None:
    """What a ``classifier`` of scikit-learn makes of ``matrix`` (rows, features); None where a side has only one group."""
    fold = dealt(new, group)
    if fold is None:
        return None
    with threadpool_limits(1):  # where processors are busy, threads that wait for one another cost twenty times the work
        scores = scores_unseen(classifier, matrix, new, fold)
    return Told(*area(scores, new, group, level), scores[new], row_ids.filter(pl.Series(new)))


def dealt(new: NDArray[np.bool_], group: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The fold of each row, int (rows,): whole groups, those of the reference, of both and of the new side dealt in turn.

    There are five folds, or as many as the side with fewer groups has groups; None where that is less than two.
    """
    groups, place = np.unique(group, return_inverse=True)
    sides = [np.bincount(place, weights=side, minlength=len(groups)) > 0 for side in (~new, new)]
    folds = min(FOLDS, *(int(side.sum()) for side in sides))
    if folds < 2:
        return None
    order = np.lexsort((np.random.default_rng(0).permutation(len(groups)), sides[1].astype(int) - sides[0]))
    fold = np.empty(len(groups), dtype=np.int64)
    fold[order] = np.arange(len(groups)) % folds
    return fold[place]


def scores_unseen(classifier: Any, matrix: NDArray[Any], new: NDArray[np.bool_], fold: NDArray[np.int64]) -> NDArray[np.float64]:
    """Per row the score of being new, float (rows,) in [0, 1], by a copy of ``classifier`` fitted on the other folds."""
    from sklearn.base import clone

    scores = np.empty(len(new))
    for number in range(int(fold.max()) + 1):
        held = fold == number
        scores[held] = clone(classifier).fit(matrix[~held], new[~held]).predict_proba(matrix[held])[:, 1]
    return scores


def area(
    scores: NDArray[np.float64], new: NDArray[np.bool_], group: NDArray[np.int64], level: float
) -> tuple[float, float, float]:
    """The area under the ROC curve with its interval at confidence 1 - ``level``, clustered by group (Obuchowski 1997).

    ``scores``: float (rows,), higher for new. Student's t with as many degrees of freedom as groups on the smaller side,
    less one, each group counted by the square of its rows.
    """
    won, lost = _placements(scores, new)
    auc = float(won.mean())
    influence = np.zeros(len(new))
    influence[new], influence[~new] = (won - auc) / len(won), (lost - auc) / len(lost)
    place = np.unique(group, return_inverse=True)[1]
    shares = np.bincount(place, weights=influence)
    variance = len(shares) / max(len(shares) - 1, 1) * float(shares @ shares)
    half = float(t.isf(level / 2, max(_groups_worth(place, new) - 1, 1)) * np.sqrt(variance))
    return auc, max(auc - half, 0.0), min(auc + half, 1.0)


def _placements(scores: NDArray[np.float64], new: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each new row the share of reference rows below it, of each reference row the share of new rows above; ties are half."""
    before, after = np.sort(scores[~new]), np.sort(scores[new])
    below = [np.searchsorted(before, scores[new], side=side) for side in ("left", "right")]
    under = [np.searchsorted(after, scores[~new], side=side) for side in ("left", "right")]
    return (below[0] + below[1]) / (2 * len(before)), 1 - (under[0] + under[1]) / (2 * len(after))


def _groups_worth(place: NDArray[np.int64], new: NDArray[np.bool_]) -> float:
    sizes = [np.bincount(place[side]).astype(float) for side in (~new, new)]
    return min(float(size.sum() ** 2 / (size @ size)) for size in sizes)
