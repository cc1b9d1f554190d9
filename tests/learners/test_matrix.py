from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watertight.core.errors import Misuse, Refusal
from watertight.learners.matrix import feature_matrix, list_widths

numbers = st.one_of(st.none(), st.floats(-1e6, 1e6, width=32))
vectors = st.one_of(st.none(), st.lists(numbers, min_size=3, max_size=3))
TABLE = pl.DataFrame(
    {"count": [1, None, 3], "vector": [[1.0, 2.0], None, [None, 4.0]], "share": [0.5, 0.25, None], "text": ["a", "b", "c"]},
    schema_overrides={"vector": pl.List(pl.Float32)},
)


def test_numbers_and_lists_stand_side_by_side_in_the_order_asked_for() -> None:
    found = feature_matrix(TABLE, ["share", "vector", "count"])
    assert found.names == ("share", "vector[0]", "vector[1]", "count")
    assert found.values.dtype == np.float32
    assert found.values.flags.c_contiguous
    nan = np.nan
    np.testing.assert_array_equal(found.values, np.float32([[0.5, 1, 2, 1], [0.25, nan, nan, nan], [nan, nan, 4, 3]]))
    np.testing.assert_array_equal(found.column("vector[1]"), np.float32([2, nan, 4]))


@given(st.lists(st.tuples(numbers, vectors), max_size=8), st.booleans())
def test_a_matrix_equals_one_filled_cell_by_cell(rows: list[tuple], fixed: bool) -> None:
    schema = {"x": pl.Float64, "v": pl.Array(pl.Float32, 3) if fixed else pl.List(pl.Float32)}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    found = feature_matrix(table, ["x", "v"], {"v": 3}).values
    assert found.shape == (len(rows), 4)
    for place, (number, vector) in enumerate(rows):
        expected = [number, *(vector or [None] * 3)]
        np.testing.assert_array_equal(found[place], np.array(expected, dtype=np.float32))


@pytest.mark.parametrize("kind", [pl.List(pl.Float32), pl.Array(pl.Float64, 2)])
def test_lists_of_any_kind_are_expanded(kind: pl.DataType) -> None:
    table = TABLE.with_columns(pl.col("vector").cast(kind))
    np.testing.assert_array_equal(feature_matrix(table, ["vector"]).values, feature_matrix(TABLE, ["vector"]).values)


@pytest.mark.parametrize("kind", [pl.List(pl.Float32), pl.Null])
def test_a_column_of_nulls_keeps_the_width_of_the_model(kind: pl.DataType) -> None:
    table = pl.DataFrame({"v": pl.Series([None, None], dtype=kind)})
    found = feature_matrix(table, ["v"], {"v": 3})
    assert found.names == ("v[0]", "v[1]", "v[2]")
    assert np.isnan(found.values).all()


def test_lists_that_nobody_has_seen_take_no_place() -> None:
    table = pl.DataFrame({"v": pl.Series([None, None], dtype=pl.List(pl.Float32)), "x": [1.0, 2.0]})
    assert list_widths(table, ["v", "x"]) == {"v": 0}
    for widths in (None, {"v": 0}):
        found = feature_matrix(table, ["v", "x"], widths)
        assert found.names == ("x",)
        assert found.values.tolist() == [[1.0], [2.0]]


def test_a_number_that_is_null_throughout_is_one_column() -> None:
    found = feature_matrix(pl.DataFrame({"x": [None, None]}), ["x"])
    assert found.names == ("x",)
    assert np.isnan(found.values).all()


@pytest.mark.parametrize(
    ("lists", "widths"),
    [([[1.0], [1.0, 2.0]], None), ([[1.0, 2.0], [1.0, 2.0]], {"v": 3}), ([[], [1.0]], None), ([[]], {"v": 2})],
)
def test_lists_of_another_length_are_refused(lists: list[list[float]], widths: dict[str, int] | None) -> None:
    table = pl.DataFrame({"v": pl.Series(lists, dtype=pl.List(pl.Float32))})
    with pytest.raises(Refusal, match="the vectors in v differ in length"):
        feature_matrix(table, ["v"], widths)


@pytest.mark.parametrize("widths", [None, {}])
def test_what_is_no_number_is_refused(widths: dict[str, int] | None) -> None:
    with pytest.raises(Refusal, match="text is String, which no model takes"):
        feature_matrix(TABLE, ["count", "text"], widths)


def test_no_rows_and_no_columns() -> None:
    assert feature_matrix(TABLE.clear(), ["count", "vector"], {"vector": 2}).values.shape == (0, 3)
    assert feature_matrix(TABLE, []).values.shape == (3, 0)


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(Misuse, match="did you mean 'count'"):
        feature_matrix(TABLE, ["count"]).column("cuont")
