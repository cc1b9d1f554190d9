"""The offline store conforms: every case, judged in all that the contract fixes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.stores.offline.case import Case
from tests.stores.offline.cases import CASES
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
    """What Feast's stores keep belongs to the version at hand; that each case stands there, and that ours keeps it, does not."""
    part = PAGE.read_text(encoding="utf-8").split("<!-- conformance -->")[1]
    told = [[cell.strip() for cell in line.split("|")] for line in part.splitlines() if line.startswith("| `")]
    assert [cells[1].strip("`") for cells in told] == [case.name for case in CASES]
    assert [cells[2] for cells in told] == [case.behaviour for case in CASES]
    assert {cells[3] for cells in told} == {"✓"}
