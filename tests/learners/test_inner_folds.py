from __future__ import annotations

import numpy as np
import pytest

from watertight.core.errors import Misuse, Refusal
from watertight.learners.inner_folds import inner_folds
from watertight.learners.matrix import Matrix


def of(groups: np.ndarray | None, rows: int) -> Matrix:
    return Matrix(np.zeros((rows, 1), dtype=np.float32), ("f",), {}, groups)


@pytest.mark.parametrize(("groups", "folds"), [(2, 2), (4, 4), (5, 5), (40, 5)])
def test_every_row_is_held_out_once_and_no_group_stands_on_both_sides(groups: int, folds: int) -> None:
    codes = np.random.default_rng(groups).permutation(np.arange(10 * groups) % groups)
    found = list(inner_folds(of(codes.astype(str), len(codes)), 5))
    assert len(found) == folds
    assert sorted(np.concatenate([held for _, held in found])) == list(range(len(codes)))
    for fitted, held in found:
        assert not set(codes[fitted]) & set(codes[held])
        assert len(fitted) + len(held) == len(codes)


@pytest.mark.parametrize("rows", [0, 7])
def test_fewer_than_two_groups_are_refused(rows: int) -> None:
    with pytest.raises(Refusal, match=rf"of {int(rows > 0)} group\(s\)"):
        list(inner_folds(of(np.full(rows, "a"), rows), 5))


def test_rows_without_groups_are_misuse() -> None:
    with pytest.raises(Misuse, match="given no groups"):
        list(inner_folds(of(None, 7), 5))
