"""Inner folds of the rows that a model is fitted on, with whole groups in each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from watertight.core.errors import Misuse, Refusal
from watertight.learners.matrix import Matrix

Fold = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def inner_folds(x: Matrix, most: int) -> Iterator[Fold]:
    """(rows to fit on, rows to predict) of each of ``most`` folds by group; of fewer where there are fewer groups.

    Where rows are of blocks, whole blocks are held out. Folds are about equally large and depend on the groups or blocks
    alone. Raises Misuse where the rows come without groups, Refusal where they are all of one.
    """
    from sklearn.model_selection import GroupKFold  # a second to import

    if x.groups is None:
        raise Misuse("a family splits its training rows and was given no groups", expected="the rows' group_id")
    units = x.groups if x.blocks is None else x.blocks
    count = len(np.unique(units))
    if count < 2:
        raise Refusal(
            f"the training rows are of {count} group(s)",
            column="group_id",
            expected="at least two, so that one can be predicted by a model fitted on another",
            next_step="bring rows of more groups, or a family that needs no inner folds",
        )
    yield from GroupKFold(min(most, count)).split(x.values, groups=units)
