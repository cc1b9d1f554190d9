"""docs/online.md tells of every case of the suite, in its words, and of no other."""

from __future__ import annotations

from pathlib import Path

from benchmarks.online_conformance import FAILS, PASSES, STORES, WHY
from tests.stores.online.suite import CASES

PAGE = (Path(__file__).parents[3] / "docs" / "online.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in PAGE.splitlines() if line.startswith("| `")]
TOLD = [cells for cells in ROWS if len(cells) == 3 + len(STORES)]


def test_the_page_tells_of_every_case() -> None:
    assert [(cells[0].strip("`"), cells[1]) for cells in TOLD] == [(case.name, case.says) for case in CASES]


def test_ours_passes_every_case() -> None:
    assert {cells[2] for cells in TOLD} == {PASSES}


def test_where_a_store_fails_the_page_says_why() -> None:
    for name, _, *marks, why in TOLD:
        failing = {store for store, mark in zip(STORES, marks) if mark == FAILS}
        known = {store: words for stores, words, cases in WHY for store in stores if name.strip("`") in cases}
        assert failing <= set(known), name
        assert all(known[store] in why for store in failing), name
        assert bool(why) == bool(failing), name


def test_no_reason_is_told_of_a_case_that_is_not_there() -> None:
    assert {name for _, _, cases in WHY for name in cases} <= {case.name for case in CASES}
