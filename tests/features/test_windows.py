from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watertight.features.windows import join_windows, split_windows, window_bounds

lengths = st.integers(0, 3000)
sizes = st.integers(2, 600)


def _one_token_at_a_time(tokens: int, size: int) -> list[tuple[int, int]]:
    bounds, start = [], 0
    while True:
        stop = start
        while stop < tokens and stop - start < size:
            stop += 1
        bounds.append((start, stop))
        if stop == tokens:
            return bounds
        start += size // 2


@given(lengths, sizes)
def test_bounds_equal_the_slow_walk(tokens: int, size: int) -> None:
    assert window_bounds(tokens, size) == _one_token_at_a_time(tokens, size)


@given(lengths, sizes)
def test_every_token_is_covered_in_order_by_windows_of_bounded_length(tokens: int, size: int) -> None:
    bounds = window_bounds(tokens, size)
    assert sorted({at for start, stop in bounds for at in range(start, stop)}) == list(range(tokens))
    assert [start for start, _ in bounds] == [index * (size // 2) for index in range(len(bounds))]
    assert all(stop - start == size for start, stop in bounds[:-1])
    assert bounds[-1][1] - bounds[-1][0] <= size


@given(lengths, sizes)
def test_no_window_is_contained_in_another(tokens: int, size: int) -> None:
    stops = [stop for _, stop in window_bounds(tokens, size)]
    assert all(later > earlier for earlier, later in pairwise(stops))


@given(st.lists(st.integers(), max_size=200), st.integers(2, 40))
def test_windows_hold_the_tokens_of_their_bounds(tokens: list[int], size: int) -> None:
    windows = split_windows(tokens, size)
    assert windows == [tokens[start:stop] for start, stop in window_bounds(len(tokens), size)]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [(0, [(0, 0)]), (1, [(0, 1)]), (10, [(0, 10)]), (11, [(0, 10), (5, 11)]), (15, [(0, 10), (5, 15)])],
)
def test_the_rule_on_small_numbers(tokens: int, expected: list[tuple[int, int]]) -> None:
    assert window_bounds(tokens, 10) == expected


@pytest.mark.parametrize(("tokens", "size"), [(5, 1), (5, 0), (-1, 10)])
def test_windows_that_cannot_be_are_refused(tokens: int, size: int) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        window_bounds(tokens, size)


vectors = st.integers(1, 6).flatmap(
    lambda dimension: st.lists(
        st.tuples(st.lists(st.floats(-10, 10), min_size=dimension, max_size=dimension), st.integers(0, 500)),
        min_size=1,
        max_size=8,
    )
)


@given(vectors)
def test_joined_vector_equals_the_sums_written_out(pairs: list[tuple[list[float], int]]) -> None:
    total = sum(max(length, 1) for _, length in pairs)
    mean = [math.fsum(vector[axis] * max(length, 1) for vector, length in pairs) / total for axis in range(len(pairs[0][0]))]
    norm = math.sqrt(math.fsum(value * value for value in mean))
    joined = join_windows([vector for vector, _ in pairs], [length for _, length in pairs])
    if norm > 1e-6:
        np.testing.assert_allclose(joined, np.divide(mean, norm), atol=1e-8)
        assert abs(np.linalg.norm(joined) - 1) < 1e-12


def test_windows_weigh_by_their_tokens() -> None:
    np.testing.assert_allclose(join_windows([[1.0, 0.0], [0.0, 1.0]], [3, 4]), [0.6, 0.8])


def test_a_mean_without_direction_stays_zero() -> None:
    assert join_windows([[1.0, 0.0], [-1.0, 0.0]], [2, 2]).tolist() == [0.0, 0.0]
