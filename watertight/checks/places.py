"""The places that rows stand in, and which of them must be apart: nothing trained on may also be predicted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from watertight.core.rows import TEST_SPLITS


@dataclass(frozen=True)
class Places:
    """``of``: per row the number of its place, -1 where it does not matter (embargo, unlabelled). ``apart``: by two numbers,
    whether these places must have nothing in common: two folds of train, and train and any test set.
    """

    of: NDArray[np.int64]
    apart: NDArray[np.bool_]


def places(frame: pd.DataFrame) -> Places:
    """The place of each row of ``frame``, which has split and fold: one of the folds of train, or a test set."""
    trained = (frame["split"] == "train") & frame["fold"].notna()
    folds, names = pd.factorize(frame["fold"].where(trained), sort=True)
    of = np.asarray(folds, dtype=np.int64)
    for number, split in enumerate(TEST_SPLITS, start=len(names)):
        of[(frame["split"] == split).to_numpy()] = number
    trains = np.arange(len(names) + len(TEST_SPLITS)) < len(names)
    return Places(of, (trains[:, None] | trains[None, :]) & ~np.eye(len(trains), dtype=bool))
