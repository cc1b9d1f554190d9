from __future__ import annotations

import pytest

from watertight.core.errors import Misuse, Refusal, WatertightError


def test_an_error_tells_where_what_how_many_which_expected_and_next() -> None:
    error = Refusal(
        "3 prompts have no text",
        workload="judge",
        stage="check",
        column="prompt",
        rows=["r1", "r2", "r3", "r4", "r5", "r6"],
        expected="a text per prompt",
        next_step="mend the file",
    )
    assert str(error).splitlines() == [
        "judge · check: 3 prompts have no text",
        "  column: prompt",
        "  rows: 6 (r1, r2, r3, r4, r5, …)",
        "  expected: a text per prompt",
        "  next: mend the file",
    ]


def test_an_error_without_facts_is_one_line() -> None:
    assert str(Misuse("no such command")) == "no such command"


@pytest.mark.parametrize(
    ("count", "rows", "told"),
    [(7, ["a"], "  rows: 7 (a)"), (7, [], "  rows: 7"), (None, ["a", "b"], "  rows: 2 (a, b)"), (0, [], None)],
)
def test_rows_are_counted_and_the_first_are_shown(count: int | None, rows: list[str], told: str | None) -> None:
    lines = str(Refusal("no", count=count, rows=rows)).splitlines()
    assert lines[1:] == ([told] if told else [])


def test_the_place_is_added_once() -> None:
    error = Refusal("no", stage="split")
    assert str(error.located("judge", "run")) == "judge · split: no"
    assert str(error.located("other", "other")) == "judge · split: no"


def test_exit_status_says_refused_or_misused() -> None:
    assert (Refusal("no").exit_code, Misuse("no").exit_code) == (1, 2)
    assert issubclass(Refusal, WatertightError)
    assert issubclass(Misuse, WatertightError)
