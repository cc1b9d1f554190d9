"""The query of a source: which of the contract's columns is made of which of the file's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pipelines.new.columns import Column
from pipelines.new.guesses import Guesses
from pipelines.new.targets import GuessedTarget
from pipelines.new.wanted import Wanted

DIGITS = 16


class Selected(NamedTuple):
    """A line of the query: what is ``told`` AS ``name``, and the ``mark`` of a guess, empty where it is none."""

    told: str
    name: str
    mark: str = ""


def selected(guesses: Guesses, wanted: Wanted) -> Iterator[Selected]:
    """The lines of the query in the contract's order."""
    name, mark = _row_id(guesses, wanted)
    yield from (Selected(name, "row_id", mark), Selected(name, guesses.key))
    if guesses.group.name != guesses.key:
        yield Selected(quoted(guesses.group.raw), guesses.group.name)
    yield Selected(quoted(guesses.time.raw), "asked_at")
    yield _labelled_at(guesses, wanted)
    yield from (Selected(quoted(column.raw), column.name) for column in guesses.texts)
    yield from (Selected(_target(target), target.column.name) for target in guesses.targets)
    yield from (Selected(_further(column), column.name) for column in guesses.further)


def quoted(name: str) -> str:
    """A name as SQL quotes it."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _row_id(guesses: Guesses, wanted: Wanted) -> tuple[str, str]:
    if guesses.row_id is None:
        made_of = ", ".join(quoted(column.raw) for column in guesses.digest)
        mark = "no column names a row; one that comes again with any of these changed is another row"
        return f"left(md5(concat_ws(chr(31), {made_of})), {DIGITS})", mark
    mark = "" if wanted.row_id else "no two rows have the same; it must name the same row in every later file"
    return quoted(guesses.row_id.raw), mark


def _labelled_at(guesses: Guesses, wanted: Wanted) -> Selected:
    some = " OR ".join(f"trim({quoted(target.column.raw)}::VARCHAR) <> ''" for target in guesses.targets)
    given = guesses.label_time or guesses.time
    mark = "" if wanted.labelled_at else "when the label was known" if guesses.label_time else "known as soon as it was asked"
    return Selected(f"CASE WHEN {some} THEN {quoted(given.raw)} END", "labelled_at", mark)


def _target(target: GuessedTarget) -> str:
    return _word(target.column) if target.kind == "class" else quoted(target.column.raw)


def _further(column: Column) -> str:
    return _word(column) if column.kind == "string" else quoted(column.raw)


def _word(column: Column) -> str:
    """A word without the blanks around it; nothing where nothing is left."""
    return f"nullif(trim({quoted(column.raw)}::VARCHAR), '')"
