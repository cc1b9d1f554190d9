"""Records as files: written once, read strictly, and a merge that git left open is told with the way out of it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TypeVar

from watertight.core.declare import Declaration, parse
from watertight.core.errors import Misuse, Refusal
from watertight.registry.records import Event, VersionRecord

CONFLICT = re.compile(r"^(<{7}|={7}|>{7})", re.MULTILINE)

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
    if CONFLICT.search(text):
        raise conflicting(path)
    where = "/".join(path.parts[-3:])
    try:
        return parse(kind, json.loads(text), where)
    except ValueError as error:
        raise Refusal(f"{where} is not JSON: {error}", next_step=as_it_was(path)) from error
    except Misuse as error:
        raise Refusal(error.what, next_step=as_it_was(path)) from error


def conflicting(path: Path) -> Refusal:
    """Two people wrote a record of one name: whoever pushed first has it, the other promotes again on top of it."""
    return Refusal(
        f"{'/'.join(path.parts[-3:])} is in conflict: somebody else's record of this name was pushed first",
        expected="one history of the model: theirs stays, and what you recorded is done again on top of it",
        next_step=keep_theirs(path.parents[1].name),
    )


def keep_theirs(model: str) -> str:
    """The commands that give up one's own unpushed records for those that were pushed; looks at test sets are kept."""
    folders = f"models/{model}/versions models/{model}/events"
    return (
        f"git rm -rfq --ignore-unmatch {folders} && git checkout '@{{upstream}}' -- {folders} && git commit --no-edit "
        f"(in a rebase: git rebase --continue); then watertight verify {model}, and run your command again"
    )


def as_it_was(path: Path) -> str:
    """The command that brings a record back as it was first committed."""
    place = "/".join(("models", *path.parts[-3:]))
    return f"git checkout $(git log --diff-filter=A --format=%H -1 -- {place}) -- {place}"
