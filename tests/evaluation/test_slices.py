from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from watertight.core.contract import Target
from watertight.evaluation.plots import calibration_points, slice_points
from watertight.evaluation.slices import slices, whole_and_slices

SCALAR = Target(kind="scalar", range=(-9, 9))


def frame(values: list[Any]) -> pl.DataFrame:
    return pl.DataFrame({"row_id": [f"r{place}" for place in range(len(values))], "c": values}, strict=False)


def found(values: list[Any], edges: tuple[float, ...] = ()) -> dict[str, list[int]]:
    """Slice → places of its rows."""
    told = {}
    for part in slices(frame(values), "c", edges):
        told[part.value] = [int(name[1:]) for name in part.rows["row_id"]]
    return told


def test_a_slice_per_value_and_one_for_nulls() -> None:
    assert found(["en", None, "de", "en", None]) == {"de": [2], "en": [0, 3], "(null)": [1, 4]}
    assert found([True, False, None]) == {"false": [1], "true": [0], "(null)": [2]}


def test_a_value_that_is_called_none_is_not_a_null() -> None:
    assert found(["none", None, "null"]) == {"none": [0], "null": [2], "(null)": [1]}


def test_ranges_are_open_below_and_closed_above() -> None:
    values = [0, 25, 25.5, 160, 160.5, 1e9, None]
    assert found(values, (25, 160)) == {"≤ 25": [0, 1], "≤ 160": [2, 3], "> 160": [4, 5], "(null)": [6]}
    assert found([1, 2, 3], (2,)) == {"≤ 2": [0, 1], "> 2": [2]}


def test_edges_that_lie_close_keep_names_of_their_own() -> None:
    told = found([1_000_000, 1_000_001, 2_000_000], (1_000_000, 1_000_001))
    assert told == {"≤ 1000000": [0], "≤ 1000001": [1], "> 1000001": [2]}


def test_all_rows_come_before_the_slices_of_each_declared_column() -> None:
    rows = frame(["a", "b", "a"])
    told = [(part.column, part.value) for part in whole_and_slices(rows, {"c": (), "mood": ()})]
    assert told == [("", ""), ("c", "a"), ("c", "b")], "an absent column has no slice"
    assert next(whole_and_slices(rows, {})).rows is rows


values = st.lists(st.one_of(st.none(), st.integers(-5, 5), st.floats(-5, 5)), min_size=1)
edges = st.lists(st.integers(-4, 4), unique=True, max_size=3).map(sorted).map(tuple)


@given(values, edges)
def test_every_row_is_in_one_slice_with_all_its_columns(values: list[Any], edges: tuple[float, ...]) -> None:
    rows = frame(values)
    parts = [part.rows for part in slices(rows, "c", edges)]
    assert_frame_equal(pl.concat(parts).sort("row_id"), rows.sort("row_id"))


@given(values, edges.filter(bool))
def test_a_range_holds_what_counting_edges_says(values: list[Any], edges: tuple[float, ...]) -> None:
    names = [*(f"≤ {edge}" for edge in edges), f"> {edges[-1]}"]
    expected: dict[str, list[int]] = {}
    for place, value in enumerate(values):
        name = "(null)" if value is None else names[sum(value > edge for edge in edges)]
        expected.setdefault(name, []).append(place)
    assert found(values, edges) == expected


def test_calibration_points_are_means_of_ten_even_bins() -> None:
    size = 57
    rows = pl.DataFrame({"row_id": [f"r{place}" for place in range(size)], "y": [(place * 37 % 11) / 2 for place in range(size)]})
    mean = [(place * 53 % size) / 10 for place in range(size)]
    made = rows.select("row_id", target=pl.lit("y"), cell=pl.lit("all"), mean=pl.Series(mean))
    points = calibration_points(rows, made, {"y": SCALAR})
    order = sorted(range(size), key=lambda place: mean[place])
    bins = [[place for rank, place in enumerate(order) if rank * 10 // size == number] for number in range(10)]
    assert points["rows"].to_list() == [len(part) for part in bins]
    for name, source in (("predicted", mean), ("observed", rows["y"].to_list())):
        means = [sum(source[place] for place in part) / len(part) for part in bins]
        assert points[name].to_list() == pytest.approx(means, abs=1e-6)


def test_equal_predictions_are_one_point_in_whatever_order_their_rows_stand() -> None:
    rows = pl.DataFrame({"row_id": ["a", "b", "c", "d"], "y": [0.0, 1.0, 2.0, 3.0]})
    made = pl.DataFrame({"row_id": ["d", "b", "a", "c"], "target": "y", "cell": "all", "mean": [0.5, 0.5, 0.1, 0.5]})
    points = calibration_points(rows, made, {"y": SCALAR})
    assert points.select("predicted", "observed", "rows").rows() == [(0.1, 0.0, 1), (0.5, 2.0, 3)]


def test_plots_of_slices_show_errors_of_slices_alone() -> None:
    record = {"target": "y", "cell": "all", "metric": "rmse", "figure": 0.5, "low": 0.4, "high": None, "rows": 3}
    lines = [
        {**record, "slice": "language", "value": "en"},
        {**record, "slice": "", "value": ""},
        {**record, "slice": "language", "value": "en", "metric": "mae"},
    ]
    points = slice_points(pl.DataFrame(lines, schema_overrides={"high": pl.Float64}))
    assert points.columns == ["target", "cell", "slice", "rmse", "low", "high", "rows"]
    assert points.rows() == [("y", "all", "language: en", 0.5, 0.4, None, 3)]


def test_other_kinds_than_scalars_have_no_calibration_points() -> None:
    made = pl.DataFrame({"row_id": ["a"], "target": ["v"], "cell": ["all"], "probabilities": [[0.5, 0.5]]})
    target = Target(kind="class", classes=("a", "b"))
    assert calibration_points(pl.DataFrame({"row_id": ["a"], "v": ["a"]}), made, {"v": target}).is_empty()
