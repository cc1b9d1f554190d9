"""Every case of the suite holds of our store; and the suite is one that can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.online_conformance import OURS
from tests.stores.online.case import Case, names
from tests.stores.online.suite import CASES, Subject, play, verdict


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_our_store(case: Case, tmp_path: Path) -> None:
    play(case, Subject("ours", OURS, searches=True), tmp_path)


@pytest.mark.parametrize("name", ["older-event-in-a-later-batch", "outside-the-ttl", "null-value", "microseconds-are-kept"])
def test_the_suite_sees_what_feasts_sqlite_store_gets_wrong(name: str, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == name)
    store = Subject("SQLite", {"online_store": {"type": "sqlite", "path": "online.db"}})
    assert "expected" in verdict(case, store, tmp_path)


def test_names_and_sentences_are_unique() -> None:
    assert len(set(names(CASES))) == len({case.says for case in CASES}) == len(CASES) >= 35
