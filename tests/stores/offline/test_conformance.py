"""The offline store conforms: every case, judged in all that the contract fixes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.stores.offline.case import Case
from tests.stores.offline.cases import CASES, THEMES
from tests.stores.offline.declared import OURS
from tests.stores.offline.run import verdict

PAGE = Path(__file__).parents[3] / "docs" / "point-in-time.md"


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_store_does_what_the_case_says(case: Case, tmp_path: Path) -> None:
    assert verdict(case, OURS, tmp_path / case.name, strict=True) == []


def test_every_case_has_a_name_of_its_own() -> None:
    assert [name for name, times in Counter(case.name for case in CASES).items() if times > 1] == []
    assert all(case.behaviour.endswith(".") for case in CASES)


def test_the_page_tells_of_every_case_and_of_no_other() -> None:
    """The verdicts on Feast's stores belong to the version at hand; that each case stands there, and passes here, does not."""
    told = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    named = {
        cells[1].strip().strip("`"): cells[2].strip() for cells in told if cells[1].strip().strip("`") in _names() | _gone(told)
    }
    assert set(named) == _names()
    assert set(named.values()) == {"✓"}


def _names() -> set[str]:
    return {case.name for theme in THEMES.values() for case in theme}


def _gone(told: list[list[str]]) -> set[str]:
    """Names in the tables of cases that are no case: those tables have six columns."""
    return {cells[1].strip().strip("`") for cells in told if len(cells) == 8}
