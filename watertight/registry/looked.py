"""The looks at the test sets in ``models/<model>/looks``: each is as its name says, and those that decided anything are there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from watertight.core.digests import SHORT, json_digest
from watertight.registry.files import as_it_was
from watertight.registry.history import Registry
from watertight.registry.records import Event

Look = dict[str, Any]


def look_files(registry: Registry) -> dict[str, Path]:
    """By its name, the file of each look."""
    return {path.stem: path for path in sorted((registry.folder / "looks").glob("*.json"))}


def read_look(path: Path) -> Look | None:
    """What a look holds; null unless its name is the digest of that, as it was when it was recorded."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return told if isinstance(told, dict) and json_digest(told)[:SHORT] == path.stem else None


def named_by(events: Mapping[int, Event | None]) -> dict[str, int]:
    """By its name each look that decided a promotion, and the first event that says so."""
    named: dict[str, int] = {}
    for number, event in events.items():
        for name in event.evidence.looks.values() if event else ():
            named.setdefault(name, number)
    return named


def look_faults(registry: Registry, looks: Mapping[str, Look | None], named: Mapping[str, int]) -> Iterator[tuple[str, str, str]]:
    """Looks that were edited, or that an event names and that are not there: place, what is wrong, what helps."""
    for name in [*looks, *(name for name in named if name not in looks)]:
        path = registry.folder / "looks" / f"{name}.json"
        place = path.relative_to(registry.root).as_posix()
        if name not in looks:
            yield place, f"it is not there, though event {named[name]} was decided by it", as_it_was(path)
        elif looks[name] is None:
            yield place, "it was edited: its name is the digest of other content", as_it_was(path)
