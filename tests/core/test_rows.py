from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from watertight.core.contract import DTYPES, SourceContract, Target
from watertight.core.errors import Refusal
from watertight.core.rows import labelled, typed_rows

CONTRACT = SourceContract.model_validate(
    {
        "about": "answers to prompts",
        "zone": "Europe/Berlin",
        "group": "prompt_id",
        "keys": ["prompt_id"],
        "text": ["text"],
        "targets": {
            "score": {"kind": "scalar", "range": [0, 1]},
            "verdict": {"kind": "class", "classes": ["good", "bad"]},
            "image": {"kind": "vector", "dimension": 2},
        },
        "columns": {"length": "int", "edited": "bool"},
    }
)
ASKED = datetime(2025, 5, 3, 7, 30, tzinfo=UTC)
LATER = ["2025-05-04T09:30:00Z"] * 2


def raw(**changes: Any) -> pl.DataFrame:
    """Two rows with every column that has no default, as strings, as a CSV gives them."""
    columns = {
        "row_id": ["r1", "r2"],
        "asked_at": ["2025-05-03T09:30:00", "2025-05-03T07:30:00Z"],
        "prompt_id": ["p1", "p2"],
        "text": ["a text", "another"],
        "length": ["3", " 4 "],
        "edited": ["true", "No"],
    }
    return pl.DataFrame({**columns, **changes}, strict=False)


def typed(**changes: Any) -> pl.DataFrame:
    return typed_rows(raw(**changes), CONTRACT, "first")


def test_columns_are_those_of_the_contract_in_its_order_and_types() -> None:
    rows = typed(not_in_the_contract=["x", "y"])
    assert dict(rows.schema) == {name: DTYPES[kind] for name, kind in CONTRACT.column_types().items()}
    assert rows.columns == list(CONTRACT.column_types())
    assert typed_rows(raw().select(sorted(raw().columns)), CONTRACT, "first").equals(typed())


def test_roles_that_are_not_given_have_their_defaults() -> None:
    rows = typed()
    assert rows["group_id"].to_list() == ["p1", "p2"]
    assert rows["created_at"].to_list() == [ASKED, ASKED], "an unlabelled record is as old as its question"
    assert rows["synthetic"].to_list() == [False, False]
    assert rows["weight"].to_list() == [1.0, 1.0]
    assert rows["drop"].to_list() == ["first", "first"]
    for name in ("labelled_at", "parent_id", "score", "verdict", "image"):
        assert rows[name].null_count() == 2


@pytest.mark.parametrize("name", ["a/b", "..", ".", "/etc/x", "a\\b", "", None, "a\0b", "a\nb", "ä" * 101])
def test_a_drop_that_cannot_name_a_file_is_refused(name: str | None) -> None:
    with pytest.raises(Refusal, match="a drop cannot be called") as caught:
        typed(drop=["first", name])
    assert (caught.value.column, caught.value.rows) == ("drop", ("r2",))


@pytest.mark.parametrize("name", ["..a", "a.b", "2025-05 (ä) first", "ä" * 100])
def test_a_drop_that_can_name_a_file_is_taken(name: str, tmp_path: Path) -> None:
    assert typed(drop=["first", name])["drop"].to_list() == ["first", name]
    (tmp_path / f"{name}.parquet").touch()
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.parquet"]


def test_what_is_given_wins_over_the_defaults() -> None:
    labelled_at = ["2025-05-04T00:00:00Z", None]
    rows = typed(group_id=["g", "g"], labelled_at=labelled_at, weight=["0.5", "2"], synthetic=["0", "1"], parent_id=[None, "r1"])
    assert rows["group_id"].to_list() == ["g", "g"]
    assert rows["weight"].to_list() == [0.5, 2.0]
    assert rows["synthetic"].to_list() == [False, True]
    assert rows["parent_id"].to_list() == [None, "r1"]
    assert rows["created_at"].to_list() == [datetime(2025, 5, 4, tzinfo=UTC), ASKED]


def test_strings_become_the_types_of_the_contract() -> None:
    rows = typed(score=["0.25", None], verdict=["good", "bad"], image=[[1.0, 2.0], None], labelled_at=LATER)
    assert rows["asked_at"].to_list() == [ASKED, ASKED]
    assert rows["length"].to_list() == [3, 4]
    assert rows["edited"].to_list() == [True, False]
    assert rows["score"].to_list() == [0.25, None]
    assert rows["image"].to_list() == [[1.0, 2.0], None]


def test_an_empty_cell_is_no_value() -> None:
    rows = typed(score=["", "  "], length=["3", ""], edited=[None, ""])
    assert rows["score"].null_count() == 2
    assert rows["length"].to_list() == [3, None]
    assert rows["edited"].null_count() == 2


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("score", ["high", "1"]),
        ("score", ["inf", "1"]),
        ("score", [float("nan"), 1.0]),
        ("length", ["2.5", "1"]),
        ("length", [2.5, 1.0]),
        ("edited", ["maybe", "yes"]),
        ("edited", [2, 1]),
        ("asked_at", ["yesterday", "2025-05-03"]),
        ("asked_at", ["2025-03-30T02:30:00", "2025-05-03"]),
        ("weight", ["heavy", "1"]),
    ],
)
def test_a_value_of_a_wrong_type_is_refused_with_its_row(column: str, values: list[Any]) -> None:
    with pytest.raises(Refusal, match=f"{column}: 1 value") as caught:
        typed(**{column: values})
    assert caught.value.rows == ("r1",)


def test_wrong_values_of_all_columns_are_told_together() -> None:
    with pytest.raises(Refusal, match=r"(?s)score: 1.*length: 1") as caught:
        typed(length=["x", "1"], score=["1", "x"])
    assert set(caught.value.rows) == {"r1", "r2"}


def test_a_missing_column_is_told_with_the_nearest_name() -> None:
    with pytest.raises(Refusal, match="lacks 1 column") as caught:
        typed_rows(raw().rename({"text": "txet"}), CONTRACT, "first")
    assert "did you mean 'txet'?" in str(caught.value)


def test_a_group_that_is_neither_given_nor_there_is_missing() -> None:
    with pytest.raises(Refusal, match="group_id, prompt_id"):
        typed_rows(raw().drop("prompt_id"), CONTRACT, "first")


def test_an_empty_drop_is_refused() -> None:
    with pytest.raises(Refusal, match="holds no rows"):
        typed_rows(raw().clear(), CONTRACT, "first")


def test_labelled_means_any_target() -> None:
    rows = typed(score=["0.5", None], verdict=[None, None], labelled_at=LATER)
    assert rows.select(labelled(CONTRACT)).to_series().to_list() == [True, False]
    assert typed(image=[None, [1.0, 2.0]], labelled_at=LATER).select(labelled(CONTRACT)).to_series().to_list() == [False, True]


def test_a_contract_as_yaml_would_give_it_survives_json() -> None:
    assert SourceContract.model_validate(json.loads(CONTRACT.model_dump_json())) == CONTRACT


@pytest.mark.parametrize(
    "vector", [[1.0], [1.0, 2.0, 3.0], [], [1.0, None], [1.0, float("nan")], [float("inf"), 1.0], [1e39, 0.0], [0.0, 0.0]]
)
def test_a_vector_of_another_length_or_without_a_number_is_of_a_wrong_type(vector: list[float | None]) -> None:
    told = r"image: 1 value\(s\) are no list of 2 finite numbers, not all of them 0, first \[.*\] in row r2"
    with pytest.raises(Refusal, match=told) as caught:
        typed(image=[[1.0, 2.0], vector])
    assert caught.value.rows == ("r2",)


def test_a_label_without_a_time_is_refused() -> None:
    contract = SourceContract(about="a", group="g", keys=("g",), targets={"y": Target(kind="scalar", range=(0, 1))})
    asked = datetime(2025, 1, 1, tzinfo=UTC)
    raw = pl.DataFrame({"row_id": ["a", "b", "c"], "g": ["g"] * 3, "asked_at": [asked] * 3, "y": [0.5, None, 0.7]})
    known = raw.with_columns(labelled_at=pl.Series([asked, None, None], dtype=pl.Datetime("us", "UTC")))
    with pytest.raises(Refusal, match="no time at which it was given") as caught:
        typed_rows(known, contract, "drop")
    assert (caught.value.rows, caught.value.column) == (("c",), "labelled_at")
