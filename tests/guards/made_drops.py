"""Files of rows that are brought to the tiny project as drops."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

MADE = Path(__file__).parent / "tiny" / "pipelines" / "sources" / "tiny" / "made.py"
HOUR = timedelta(hours=1)

Note = dict[str, Any]


def note(author: int, number: int, **changes: Any) -> Note:
    """A note as the tiny source makes them: six of twelve authors are known, 0 to 5 of 0 to 11."""
    spec = importlib.util.spec_from_file_location("made", MADE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {**module._note(author, number), **changes}


def file_of(notes: Iterable[Note], path: Path) -> Path:
    """The notes as CSV."""
    pl.DataFrame(list(notes), infer_schema_length=None).write_csv(path)
    return path


def corrected(told: Note, mood: float | None, hours: int, **changes: Any) -> Note:
    """The same note with another mood, known so many hours after the first."""
    return {**told, "mood": mood, "created_at": told["created_at"] + hours * HOUR, **changes}


LATER = [note(author, number) for author in (0, 1, 7, 12, 13) for number in (6, 7)]
"""Ten new notes: of three authors who are known and of two who are not."""
