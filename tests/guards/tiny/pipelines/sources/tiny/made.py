"""Twelve authors (a00 … a11), six notes each (a00-0 … a00-5), one every four days; labels come five days late.

The exceptions are there to be seen or not to be seen: a00-2 is labelled the instant it is asked; the label of a01-1
arrives the instant a01-3 is asked; a02-5 has no label; the label of a06-1 was given on time and written down six days
later; energy is told of every second note only; four notes have a synthetic child each.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

START = datetime(2024, 3, 4, 9, tzinfo=UTC)
WORDS = ("calm", "happy", "tired", "angry", "hopeful")
PARENTS = ("a03-1", "a05-1", "a07-0", "a08-5")
DAY = timedelta(days=1)


def simulate() -> pl.DataFrame:
    """76 rows, the 72 notes and then the four children; always the same."""
    notes = [_note(author, number) for author in range(12) for number in range(6)]
    children = [_child(note) for note in notes if note["row_id"] in PARENTS]
    return pl.DataFrame([*notes, *children], infer_schema_length=None)


def _note(author: int, number: int) -> dict[str, object]:
    row, asked = f"a{author:02}-{number}", START + author * timedelta(hours=1) + 4 * number * DAY
    late = {"a00-2": 0, "a01-1": 8, "a02-5": None}.get(row, 5)
    labelled = None if late is None else asked + late * DAY
    mood, energy = ((author * 7 + number * 5) % 9 - 4) / 2, ((author + number) % 5) / 2
    return {
        "row_id": row,
        "note_id": row,
        "author_id": row[:3],
        "text": f"note {number}: I feel {WORDS[(author + number) % 5]} and {WORDS[(author * number) % 5]} today",
        "asked_at": asked,
        "labelled_at": labelled,
        "created_at": labelled + 6 * DAY if row == "a06-1" and labelled else labelled,
        "parent_id": None,
        "synthetic": False,
        "mood": None if labelled is None else mood,
        "energy": energy if labelled is not None and number % 2 == 0 else None,
    }


def _child(note: dict[str, object]) -> dict[str, object]:
    row = f"{note['row_id']}-child"
    return {**note, "row_id": row, "note_id": row, "text": f"{note['text']}, not", "parent_id": note["row_id"], "synthetic": True}
