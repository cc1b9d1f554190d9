"""The first k of a gallery beside a slow self that sorts it whole: ties, blocks, memory maps, and what is kept in memory."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watertight.core import top_k as module
from watertight.core.top_k import top_k


def slow(queries: np.ndarray, gallery: np.ndarray, k: int) -> list[list[int]]:
    scores = (queries @ gallery.T).tolist()
    return [sorted(range(len(gallery)), key=lambda place: (-row[place], place))[:k] for row in scores]


@given(
    st.integers(0, 99), st.integers(1, 40), st.integers(1, 45), st.sampled_from([4, 40, 400, 2**20]), st.sampled_from([1, 3, 64])
)
def test_places_are_those_of_a_sort_in_blocks_of_any_size_and_ties_go_to_the_earlier(
    seed: int, size: int, k: int, block: int, at_once: int
) -> None:
    """Whole numbers, so that many products are equal, and equal however they are added up."""
    chance = np.random.default_rng(seed)
    queries, gallery = (chance.integers(-2, 3, size=(rows, 3)).astype(np.float32) for rows in (7, size))
    with patch.object(module, "BLOCK_BYTES", block), patch.object(module, "QUERIES", at_once):
        found = top_k(queries, gallery, k)
    assert found.places.tolist() == slow(queries, gallery, k)
    assert np.array_equal(found.scores, np.take_along_axis(queries @ gallery.T, found.places, axis=1))


def test_a_gallery_that_gets_better_and_better_is_looked_at_to_its_end() -> None:
    gallery = np.arange(500, dtype=np.float32)[:, None]
    with patch.object(module, "BLOCK_BYTES", 4 * 2 * 50):
        found = top_k(np.array([[1], [-1]], dtype=np.float32), gallery, 3)
    assert found.places.tolist() == [[499, 498, 497], [0, 1, 2]]


def test_one_query_that_is_as_near_to_all_gets_the_first_places() -> None:
    gallery = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    queries = np.vstack([np.zeros((1, 4)), gallery[:5]]).astype(np.float32)
    with patch.object(module, "BLOCK_BYTES", 4 * 6 * 100):
        found = top_k(queries, gallery, 7)
    assert found.places.tolist() == slow(queries, gallery, 7)


def test_a_gallery_on_disk_is_read_block_by_block(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    np.save(tmp_path / "gallery.npy", chance.normal(size=(400, 8)).astype(np.float32))
    mapped = np.load(tmp_path / "gallery.npy", mmap_mode="r")
    queries = chance.normal(size=(5, 8)).astype(np.float32)
    with patch.object(module, "BLOCK_BYTES", 4 * 5 * 64):
        assert top_k(queries, mapped, 10).places.tolist() == slow(queries, np.array(mapped), 10)


def test_nothing_asked_and_nothing_there() -> None:
    some = np.ones((3, 2), dtype=np.float32)
    assert top_k(some[:0], some, 2).places.shape == (0, 2)
    assert top_k(some, some[:0], 2).places.shape == (3, 0)
    with pytest.raises(ValueError, match="k is above 0"):
        top_k(some, some, 0)
