"""The judge of answers finds what is wrong, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.stores.offline.calls import joins
from tests.stores.offline.case import About, Answer, Case, Fails, view
from tests.stores.offline.declared import OURS
from tests.stores.offline.judge import complaints
from tests.stores.offline.made import frame, hours, stats
from tests.stores.offline.run import verdict

EXPECTED = Answer(pa.table({"row": [0, 1], "key": ["a", "b"], "value": [1, None]}), ("row", "key"), ("row",))
FLOATS = pa.table({"key": ["a", "b"], "value": [1.0, float("nan")], "row": [0, 1]})


def _case(about: About = About.VALUES) -> Case:
    return joins("one", "One.", [view("stats", stats())], frame([1], hours(1)), ["stats:trips"], {"trips": [20]}, about=about)


def _complaints(table: pa.Table, about: About = About.VALUES, *, strict: bool = False) -> list[str]:
    return complaints(_case(about), EXPECTED, table, strict=strict)


def test_the_very_answer_is_right() -> None:
    assert _complaints(EXPECTED.table, strict=True) == []


def test_another_order_or_type_is_wrong_only_where_it_is_looked_at() -> None:
    assert _complaints(FLOATS.take([1, 0])) == []
    assert _complaints(FLOATS, About.COLUMNS) == ["columns ['key', 'value', 'row'], not ['row', 'key', 'value']"]
    assert _complaints(FLOATS.take([1, 0]), About.ORDER)[0].startswith("2 of 2 rows differ")
    assert _complaints(FLOATS, About.TYPES)[0] == "value is double, not int64"
    assert len(_complaints(FLOATS, strict=True)) == 3


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (EXPECTED.table.slice(0, 1), "1 rows, not 2"),
        (EXPECTED.table.drop("value"), "columns ['value'] are missing or stand there twice"),
        (EXPECTED.table.set_column(2, "value", pa.array([2, None])), "1 of 2 rows differ; first: value is 2, not 1"),
        (EXPECTED.table.set_column(2, "value", pa.array([1, 0])), "1 of 2 rows differ; first: value is 0, not None"),
        (EXPECTED.table.set_column(0, "row", pa.array([0, 0])), "1 of 2 rows differ; first: row is 0, not 1"),
    ],
)
def test_what_is_wrong_is_said(table: pa.Table, complaint: str) -> None:
    assert _complaints(table) == [complaint]


def test_the_callers_columns_count_where_the_case_is_about_them() -> None:
    changed = EXPECTED.table.set_column(1, "key", pa.array(["a", "c"]))
    assert _complaints(changed) == []
    assert _complaints(changed, About.ENTITY) == ["1 of 2 rows differ; first: key is 'c', not 'b'"]


def test_nan_is_not_null_to_a_strict_judge() -> None:
    expected = Answer(pa.table({"row": [0], "value": pa.array([None], pa.float64())}), ("row",), ("row",))
    found = pa.table({"row": [0], "value": [float("nan")]})
    assert complaints(_case(), expected, found, strict=False) == []
    assert complaints(_case(), expected, found, strict=True) == ["1 of 1 rows differ; first: value is 'NaN', not None"]


def test_an_error_that_was_expected_must_tell_its_words(tmp_path: Path) -> None:
    views, asked = [view("stats", stats())], frame([1], hours(1))
    wanted = joins("one", "One.", views, asked, ["stats:trips"], Fails(("nonsense",)))
    assert verdict(wanted, OURS, tmp_path / "none", strict=True) == ["no error, which was to tell nonsense"]
    keyless = joins("two", "Two.", views, asked.drop(columns="driver_id"), ["stats:trips"], Fails(("driver_id", "nonsense")))
    assert verdict(keyless, OURS, tmp_path / "other", strict=True)[0].startswith("the error does not tell nonsense")


def test_an_error_that_was_not_expected_is_told(tmp_path: Path) -> None:
    keyless = frame([1], hours(1)).drop(columns="driver_id")
    case = joins("one", "One.", [view("stats", stats())], keyless, ["stats:trips"], {"trips": [20]})
    assert "driver_id" in verdict(case, OURS, tmp_path / "one", strict=True)[0]
