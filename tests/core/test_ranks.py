"""Ranks in a gallery beside a slow self that sorts, and galleries of other sizes beside ones that were drawn."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from watertight.core import ranks as module
from watertight.core.ranks import gallery, ranks, recall_in, reciprocal_in


def slow_rank(query: np.ndarray, own: int, vectors: np.ndarray) -> float:
    near = vectors @ query / np.linalg.norm(query)
    return float(1 + sum(near > near[own]) + (sum(near == near[own]) - 1) / 2)


def test_a_gallery_holds_each_vector_once_and_says_whose_it_is() -> None:
    truth = np.array([[3.0, 4.0], [0.0, 1.0], [3.0, 4.0], [1.0, 0.0], [0.0, 1.0]])
    found = gallery(truth)
    assert np.allclose(found.vectors, [[0.6, 0.8], [0, 1], [1, 0]])
    assert found.own.tolist() == [0, 1, 0, 2, 1]


@pytest.mark.parametrize("block", [2**27, 64])
def test_ranks_are_those_of_a_slow_look(block: int) -> None:
    chance = np.random.default_rng(0)
    truth = chance.normal(size=(30, 8))[np.repeat(np.arange(30), 3)]
    queries = truth + chance.normal(size=truth.shape)
    among = gallery(truth)
    with patch.object(module, "BLOCK_BYTES", block):
        found = ranks(queries, among)
    asked = queries.astype(np.float32)
    assert found.tolist() == [slow_rank(query, own, among.vectors) for query, own in zip(asked, among.own)]
    assert 1 in found and found.max() > 3


def test_who_is_as_near_shares_the_place_and_one_answer_for_all_is_the_middle() -> None:
    truth = np.eye(5)
    assert ranks(np.ones((5, 5)), gallery(truth)).tolist() == [3.0] * 5
    assert ranks(np.zeros((5, 5)), gallery(truth)).tolist() == [3.0] * 5
    assert ranks(truth, gallery(truth)).tolist() == [1.0] * 5


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("block", [2**27, 64])
def test_a_query_that_is_not_finite_has_no_rank_and_spoils_no_other(bad: float, block: int) -> None:
    truth = np.random.default_rng(2).normal(size=(9, 4))
    queries = truth + 0.5
    whole = ranks(queries, gallery(truth))
    queries[3, 1] = queries[8] = bad
    with patch.object(module, "BLOCK_BYTES", block), np.errstate(all="raise"):
        found = ranks(queries, gallery(truth))
    assert np.isnan(found[[3, 8]]).all()
    assert np.delete(found, [3, 8]).tolist() == np.delete(whole, [3, 8]).tolist()
    assert module.directions(queries)[[3, 8]].tolist() == np.zeros((2, 4)).tolist(), "nor does it as one of a bank"


@pytest.mark.parametrize(("whole", "size"), [(12, 5), (12, 12), (40, 1), (40, 7)])
def test_a_smaller_gallery_is_worked_out_as_if_it_were_drawn(whole: int, size: int) -> None:
    chance = np.random.default_rng(1)
    for rank in (1, 2, whole // 2, whole):
        drawn = np.array(
            [1 + np.count_nonzero(chance.choice(whole - 1, size - 1, replace=False) < rank - 1) for _ in range(4000)]
        )
        asked = np.array([float(rank)])
        assert reciprocal_in(asked, whole, size)[0] == pytest.approx(np.mean(1 / drawn), abs=0.02)
        assert recall_in(asked, whole, size, 3)[0] == pytest.approx(np.mean(drawn <= 3), abs=0.03)
    everyone = np.arange(1.0, whole + 1)
    assert reciprocal_in(everyone, whole, whole) == pytest.approx(1 / everyone)
