from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from watertight.core.errors import Misuse, Refusal
from watertight.core.interactions import Floats, InteractionSpec, interaction_of, interactions, recomputed
from watertight.core.view_spec import TAG

EVERY = InteractionSpec(left="w_a__vector", right="w_b__vector", of=("product", "difference", "cosine"))
NUMBERS = st.floats(-4, 4, width=32)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Floats, Floats]:
    """Two matrices of one shape, some rows of them null or zero."""
    shape = (draw(st.integers(1, 6)), draw(st.integers(1, 40)))
    left, right = (draw(arrays(np.float32, shape, elements=NUMBERS)) for _ in range(2))
    for matrix in (left, right):
        for row in range(shape[0]):
            matrix[row] = draw(st.sampled_from([matrix[row], np.float32("nan"), np.float32(0)]))
    return left, right


def _cosine_slowly(a: Floats, b: Floats) -> float:
    a, b = a.astype(float), b.astype(float)
    lengths = math.sqrt(math.fsum(x * x for x in a)) * math.sqrt(math.fsum(x * x for x in b))
    return math.fsum(x * y for x, y in zip(a, b, strict=True)) / lengths if lengths else math.nan


@given(pairs())
def test_every_interaction_is_what_a_loop_over_the_numbers_says(given: tuple[Floats, Floats]) -> None:
    left, right = given
    found = interactions(left, right, EVERY)
    assert {name: (values.dtype, values.shape) for name, values in found.items()} == {
        "product": (np.float32, left.shape),
        "difference": (np.float32, left.shape),
        "cosine": (np.float32, (len(left), 1)),
    }
    for row in range(len(left)):
        for place in range(left.shape[1]):
            a, b = left[row, place], right[row, place]
            assert np.array_equal(found["product"][row, place], a * b, equal_nan=True)
            assert np.array_equal(found["difference"][row, place], abs(a - b), equal_nan=True)
        assert found["cosine"][row, 0] == pytest.approx(_cosine_slowly(left[row], right[row]), abs=1e-6, nan_ok=True)
    assert np.nanmax(np.abs(found["cosine"]), initial=0) <= 1


@given(pairs())
def test_a_row_has_the_same_bits_alone_and_in_any_layout(given: tuple[Floats, Floats]) -> None:
    left, right = given
    whole = interactions(left, right, EVERY)
    columnwise = interactions(np.asfortranarray(left), np.asfortranarray(right), EVERY)
    for name, values in whole.items():
        alone = [interactions(left[row : row + 1], right[row : row + 1], EVERY)[name] for row in range(len(left))]
        assert np.vstack(alone).tobytes() == values.tobytes()
        assert np.ascontiguousarray(columnwise[name]).tobytes() == values.tobytes()


def test_only_what_is_asked_is_made() -> None:
    vectors = np.ones((2, 3), dtype=np.float32)
    assert list(interactions(vectors, vectors, InteractionSpec(left="a", right="b", of=("cosine",)))) == ["cosine"]


def test_vectors_of_two_dimensions_are_refused_by_name() -> None:
    with pytest.raises(Refusal, match="w_a__vector has vectors of 3 numbers, w_b__vector of 2"):
        interactions(np.ones((2, 3), dtype=np.float32), np.ones((2, 2), dtype=np.float32), EVERY)


def test_joined_columns_are_named_as_the_join_names_them() -> None:
    columns = {name: np.ones((2, 3), dtype=np.float32) for name in ("w_a__vector", "w_b__vector")}
    assert list(recomputed(columns, {"w_ab": EVERY})) == ["w_ab__product", "w_ab__difference", "w_ab__cosine"]
    with pytest.raises(Misuse, match="no column of vectors is called 'w_b__vector'"):
        recomputed({"w_a__vector": columns["w_a__vector"]}, {"w_ab": EVERY})


def test_a_declaration_survives_the_tags_of_a_view() -> None:
    assert interaction_of("w_ab", {"owner": "us", **EVERY.tags()}) == EVERY
    assert interaction_of("theirs", {"owner": "us"}) is None
    with pytest.raises(Misuse, match="view 'w_ab' has 1 error"):
        interaction_of("w_ab", {TAG: '{"left": "a", "right": "b", "of": []}'})
