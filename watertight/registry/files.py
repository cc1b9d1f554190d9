"""Records as files: written once, read strictly, and a merge that git left open is told with the way out of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from watertight.core.declare import Declaration, parse
from watertight.core.errors import Misuse, Refusal
from watertight.registry.records import Event, VersionRecord

CONFLICT = "<<<<<<< "

Record = TypeVar("Record", Event, VersionRecord)


def write_once(record: Declaration, path: Path) -> Path:
    """Write a record whole or not at all; raises Refusal where the file exists, for records never change."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    text = json.dumps(record.model_dump(mode="json"), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        draft.write_text(f"{text}\n", encoding="utf-8")
        os.link(draft, path)  # unlike a rename, this fails where somebody else was first
    except FileExistsError as error:
        raise Refusal(f"{path.name} is there already", expected="a record that is written once", next_step="run again") from error
    finally:
        draft.unlink(missing_ok=True)
    return path


def read_record(kind: type[Record], path: Path) -> Record:
    """The record in a file of ``models/<model>/versions`` or ``events``.

    Raises Refusal where it is no such record, and Refusal that says how to go on where git left a conflict in it.
    """
    text = path.read_text(encoding="utf-8")
    try:
        return kind.model_validate_json(text)
    except ValidationError:
        raise _told(kind, path, text) from None


def _told(kind: type[Declaration], path: Path, text: str) -> Refusal:
    """What is wrong with a record that cannot be read."""
    if CONFLICT in text:
        return conflicting(path)
    where = "/".join(path.parts[-3:])
    try:
        parse(kind, json.loads(text), where)
    except ValueError as error:
        return Refusal(f"{where} is not JSON: {error}", next_step=as_it_was(path))
    except Misuse as error:
        return Refusal(error.what, next_step=as_it_was(path))
    return Refusal(f"{where} is no record", next_step=as_it_was(path))


def conflicting(path: Path) -> Refusal:
    """Two people wrote a record of one name: whoever pushed first has it, the other promotes again on top of it."""
    return Refusal(
        f"{'/'.join(path.parts[-3:])} is in conflict: somebody else's record of this name was pushed first",
        expected="one history of the model: theirs stays, and what you recorded is done again on top of it",
        next_step=f"watertight verify {path.parts[-3]}, which gives the commands",
    )


def as_it_was(path: Path) -> str:
    """The command that brings a record back as it was first committed."""
    place = "/".join(("models", *path.parts[-3:]))
    return f"git checkout $(git log --diff-filter=A --format=%H -1 -- {place}) -- {place}"
