"""What queries find, beside a slow loop over each query and the whole gallery."""

from __future__ import annotations

import numpy as np
import pytest

from watertight.core import ranks, top_k
from watertight.core.ranks import gallery
from watertight.evaluation.retrieved import occurrences, retrieved, retrieved_apart, skewness


def slowly(queries: np.ndarray, vectors: np.ndarray, k: int) -> list[list[int]]:
    """Per query the places of the nearest by float32 products, one at a time, equal ones in the gallery's order."""
    found = []
    for query in ranks.directions(queries):
        near = [float(query @ vector) for vector in vectors]
        found.append(sorted(range(len(vectors)), key=lambda place: (-near[place], place))[:k])
    return found


def quarters(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Vectors of length 2 with four entries of 1 or -1: their cosines are exact in any order of summing, and often equal."""
    signs = rng.choice([-1.0, 1.0], (rows, 8))
    return np.where(rng.random((rows, 8)).argsort(axis=1) < 4, signs, 0.0)


@pytest.mark.parametrize("k", [1, 3, 40, 1000])
def test_the_nearest_are_those_of_a_slow_loop(monkeypatch: pytest.MonkeyPatch, k: int) -> None:
    rng = np.random.default_rng(0)
    truth, queries = quarters(rng, 60), quarters(rng, 60)
    among = gallery(truth)
    wanted = slowly(queries, among.vectors, k)
    for bytes_of_a_block in (top_k.BLOCK_BYTES, 4 * len(queries) * 7):
        monkeypatch.setattr(top_k, "BLOCK_BYTES", bytes_of_a_block)
        told = retrieved(queries, among, k)
        assert told.places.tolist() == wanted
        assert told.near.tolist() == [
            [float(query @ among.vectors[place]) / 2 for place in row] for query, row in zip(queries, wanted, strict=True)
        ]


def test_the_own_image_and_the_nearest_other_are_told_apart() -> None:
    truth = np.array([[1.0, 0], [0, 1], [-1, 0], [1, 0]])
    told = retrieved(np.array([[2.0, 0], [3, 4], [1, 0], [0, 0]]), gallery(truth), 2)
    assert told.rank.tolist() == [1, 1, 3, 2]
    assert told.own.tolist() == pytest.approx([1, 0.8, -1, 0])
    assert told.other.tolist() == pytest.approx([0, 0.6, 1, 0])
    assert told.places.tolist() == [[0, 1], [1, 0], [0, 1], [0, 1]]
    alone = retrieved(np.ones((2, 2)), gallery(np.ones((2, 2))), 5)
    assert alone.places.tolist() == [[0], [0]]
    assert np.isnan(alone.other).all()


def test_hubs_are_counted_and_their_skew_is_that_of_the_third_moment() -> None:
    counts = occurrences(np.array([[0, 1], [0, 2], [0, 1]]), 5)
    assert counts.tolist() == [3, 2, 1, 0, 0]
    assert skewness(counts) == pytest.approx(((1.8**3) + 0.8**3 - 0.2**3 - 2 * 1.2**3) / 5 / (6.8 / 5) ** 1.5)
    assert skewness(np.array([2, 2, 2])) == 0.0


def test_each_part_chooses_among_its_own_vectors_and_is_told_in_its_rows_places() -> None:
    rng = np.random.default_rng(2)
    truth, queries = quarters(rng, 60), quarters(rng, 60)
    among, parts = gallery(truth), [np.arange(1, 60, 2), np.arange(0, 60, 2)]
    told = retrieved_apart(queries, among, parts, 4)
    for rows in parts:
        alone = retrieved(queries[rows], gallery(truth[rows]), 4)
        assert told.rank[rows].tolist() == alone.rank.tolist()
        assert told.own[rows].tolist() == alone.own.tolist()
        assert told.near[rows].tolist() == alone.near.tolist()
        assert np.isin(told.places[rows], among.own[rows]).all(), "planted: the vectors of other parts"
    assert not np.isin(retrieved(queries, among, 4).places[parts[0]], among.own[parts[0]]).all()
