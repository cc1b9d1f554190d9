"""All cases, and the verdict on one of them."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.stores.online.case import Case
from tests.stores.online.cases import keys, lives, newest, requests, search, times, values, verbs
from tests.stores.online.player import Player
from tests.stores.online.steps import Search

PARTS: dict[str, tuple[Case, ...]] = {
    "The newest row": newest.CASES,
    "Time": times.TIME,
    "TTL": times.TTL,
    "Nulls": values.NULLS,
    "Types": values.TYPES,
    "Keys": keys.CASES,
    "Requests": requests.CASES,
    "Writing": verbs.WRITING,
    "Declaring": verbs.DECLARING,
    "Processes": lives.CASES,
    "Search": search.CASES,
}
CASES: tuple[Case, ...] = tuple(case for part in PARTS.values() for case in part)


@dataclass(frozen=True)
class Subject:
    """A store under test: the sections of its feature_store.yaml, and whether it offers similarity search at all."""

    name: str
    sections: dict[str, Any]
    searches: bool = False

    def offers(self, case: Case) -> bool:
        return self.searches or not any(isinstance(step, Search) for step in case.steps)


def play(case: Case, subject: Subject, folder: Path) -> None:
    """Play a case in a project of its own, so that on a server that all share it meets an empty store.

    Raises AssertionError where an answer is not the expected one, and whatever Feast or the store raises.
    """
    project = f"{case.name.replace('-', '_')}_{uuid4().hex[:8]}"
    try:
        Player(folder, subject.sections, project=project).play(case.steps)
    finally:
        _release_duckdb()


def _release_duckdb() -> None:
    """Close the connection that Feast's DuckDB store leaves open in ibis, which would complain when Python ends."""
    if "ibis" in sys.modules and sys.modules["ibis"].options.default_backend is not None:
        sys.modules["ibis"].options.default_backend.disconnect()
        sys.modules["ibis"].options.default_backend = None


def verdict(case: Case, subject: Subject, folder: Path) -> str:
    """Empty where the case passes; otherwise what went wrong, in a line."""
    try:
        play(case, subject, folder)
    except AssertionError as wrong:
        return _line(str(wrong))
    except Exception as wrong:
        place = traceback.extract_tb(sys.exc_info()[2])[-1]
        return _line(f"{type(wrong).__name__}: {wrong} ({Path(place.filename).name}:{place.lineno})")
    return ""


def _line(told: str) -> str:
    return " ".join(told.split())[:300] or "failed without a word"
