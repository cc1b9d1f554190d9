"""What a check of the gate `model` reads: the truths and the predictions of one train cell as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from watertight.checks.setting import Setting
from watertight.core.contract import Target

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
NEEDS = ("row_id", "group_id", "fold")


@dataclass(frozen=True)
class Predicted:
    """The out-of-fold predictions of one cell of the target ``name``.

    ``truth`` and ``given``: float64, (n, 1) for scalars, (n, classes) for classes (the truth one-hot, in declared order),
    (n, dimension) for vectors. ``fold`` and ``group``: (n,), places from 0.
    """

    name: str
    target: Target
    truth: Floats
    given: Floats
    fold: Places
    group: Places

    @property
    def likeliest(self) -> Places:
        """The class that is predicted, (n,), and for a one-hot truth the class itself."""
        return self.given.argmax(axis=1)


def predicted(setting: Setting, frame: pd.DataFrame) -> Predicted | None:
    """The predictions of the only target of ``setting``; None where the truths or their output are not there."""
    [(name, target)] = setting.targets.items()
    if not {"truth", target.output} <= set(setting.judged.columns):
        return None
    fold, group = (pd.factorize(frame[column], use_na_sentinel=False)[0] for column in ("fold", "group_id"))
    if target.kind == "scalar":
        truth, given = (frame[column].to_numpy(dtype=np.float64)[:, None] for column in ("truth", "mean"))
    elif target.kind == "class":
        classes = np.asarray(target.classes or ())
        truth = (frame["truth"].to_numpy()[:, None] == classes).astype(np.float64)
        given = setting.vectors("probabilities").astype(np.float64)
    else:
        truth, given = (setting.vectors(column).astype(np.float64) for column in ("truth", "vector"))
    return Predicted(name, target, truth, given, fold, group)


def spread(values: Floats, fold: Places) -> float:
    """The root mean square distance of two rows of a fold, each fold about its own mean: √(2 · total variance).

    Models of different folds differ by a constant even where each says the same of every row, which is no spread.
    """
    counts = np.bincount(fold)[:, None]
    means = np.stack([np.bincount(fold, weights=column) for column in values.T], axis=1) / np.maximum(counts, 1)
    return float(np.sqrt(2 * np.mean(np.sum((values - means[fold]) ** 2, axis=1))))
