"""Every fault of a model's registry, file by file: what is not as it was written, and what does not fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from watertight.core.errors import Refusal
from watertight.registry.chain import broken
from watertight.registry.committed import changed, unreachable, way_out
from watertight.registry.files import CONFLICT, as_it_was, read_record
from watertight.registry.history import Registry, folded
from watertight.registry.looked import Look, look_faults, look_files, named_by, read_look
from watertight.registry.reach import Missing, answers, needed, out_of_reach
from watertight.registry.records import VERSION, Event, VersionRecord


@dataclass(frozen=True)
class Fault:
    """What is wrong with the file at ``place`` (from the project's root on), and a command that helps."""

    place: str
    what: str
    next_step: str


@dataclass(frozen=True)
class _Found:
    """What the files hold; null where one cannot be read."""

    registry: Registry
    events: dict[int, Event | None]
    versions: dict[str, VersionRecord | None]
    looks: dict[str, Look | None]

    def of(self, version: str) -> list[tuple[int, Event]]:
        """The events that name a version."""
        return [(number, event) for number, event in self.events.items() if event and event.version == version]


def verified(registry: Registry, missing: Missing) -> list[Fault]:
    """Every fault of ``registry``; empty where all holds.

    ``missing`` answers which objects (md5) are not on the DVC remote of those that it is given; see ``objects.Objects``. What
    git no longer has, as in a shallow clone, cannot be looked at: there a last event that was edited with its digest, or cut
    off, stays unseen.
    """
    faults = [*_strange_files(registry)]
    events, versions = registry.event_files(), [registry.place_of(version) for version in registry.versions()]
    found = _Found(registry, {}, {}, {name: read_look(path) for name, path in look_files(registry).items()})
    for path in events:
        record, told = _read(registry, Event, path)
        found.events[int(path.stem)] = record
        faults += told
    for path in versions:
        record_of_version, told = _read(registry, VersionRecord, path)
        found.versions[path.stem] = record_of_version
        faults += told
    faults += [*_chain(found), *_versions(found), *_not_named(found), *_looks(found)]
    told_by_git = [Fault(*told) for told in changed(registry, named_by(found.events))]
    if not any("/events/" in fault.place for fault in [*faults, *told_by_git]):  # or the event may be what is missing
        faults += _without_event(found)
    known = {fault.place for fault in faults}
    faults += [fault for fault in told_by_git if fault.place not in known]
    return [*faults, *_revisions(found), *_out_of_reach(found, missing)]


def verified_text(told: Mapping[str, Sequence[Fault]]) -> str:
    """A line per model where all holds, else each fault with what helps; the same help is given once."""
    return "\n".join(line for model, faults in told.items() for line in _lines(model, faults)) or "no model has a version yet"


def _lines(model: str, faults: Sequence[Fault]) -> Iterator[str]:
    yield (
        f"{model}: {len(faults)} fault(s)"
        if faults
        else f"{model}: every record is as it was written, every bundle on the remote"
    )
    for step, those in groupby(faults, key=lambda fault: fault.next_step):
        yield from (f"  {fault.place}: {fault.what}" for fault in those)
        yield f"    next: {step}"


def _read(registry: Registry, kind: type, path: Path) -> tuple[Any, list[Fault]]:
    try:
        return read_record(kind, path), []
    except Refusal as error:
        in_conflict = CONFLICT in path.read_text(encoding="utf-8")
        step = (in_conflict and way_out(registry)) or as_it_was(path)
        return None, [Fault(_place(registry, path), error.what, step)]


def _strange_files(registry: Registry) -> Iterator[Fault]:
    for path in sorted((registry.folder / "events").glob("*")):
        if path.name != f"{int(path.stem):04}.json" if path.stem.isdecimal() else True:
            yield Fault(_place(registry, path), "it is no event's file, such as 0001.json", _remove(registry, path))
    for path in sorted((registry.folder / "versions").glob("*")):
        if path.suffix != ".json" or not VERSION.fullmatch(path.stem):
            yield Fault(_place(registry, path), "it is no version's file, such as 1.2.0.json", _remove(registry, path))


def _chain(found: _Found) -> Iterator[Fault]:
    for number, what in broken(found.registry.model, list(found.events.items())):
        path = found.registry.folder / "events" / f"{number:04}.json"
        yield Fault(_place(found.registry, path), what, as_it_was(path))


def _versions(found: _Found) -> Iterator[Fault]:
    for version, record in found.versions.items():
        path, named = found.registry.place_of(version), found.of(version)
        if record and (record.model, record.version) != (found.registry.model, version):
            yield Fault(_place(found.registry, path), f"it says that it is {record.model} {record.version}", as_it_was(path))
        elif record and any(event.record != record.digest for _, event in named):
            numbers = ", ".join(str(number) for number, event in named if event.record != record.digest)
            yield Fault(_place(found.registry, path), f"it was edited: event {numbers} names other content", as_it_was(path))


def _without_event(found: _Found) -> Iterator[Fault]:
    for version, record in found.versions.items():
        if record and not found.of(version):
            path = found.registry.place_of(version)
            step = f"{_remove(found.registry, path)}, then watertight promote {found.registry.model}"
            yield Fault(_place(found.registry, path), "no event names it: a promotion that was not ended", step)


def _not_named(found: _Found) -> Iterator[Fault]:
    for number, event in found.events.items():
        if event and event.version not in found.versions:
            path = found.registry.place_of(event.version)
            yield Fault(_place(found.registry, path), f"it is not there, though event {number} names it", as_it_was(path))


def _looks(found: _Found) -> Iterator[Fault]:
    yield from (Fault(*told) for told in look_faults(found.registry, found.looks, named_by(found.events)))


def _revisions(found: _Found) -> Iterator[Fault]:
    records = [record for record in found.versions.values() if record]
    for record in unreachable(found.registry, records):
        merge = "merge branches that were promoted from, never squash or rebase them; git push where the commit still is"
        exp = f"where it was promoted: dvc exp branch {record.experiment} BRANCH, and git push origin BRANCH"
        what = f"its commit {record.revision[:12]} is nowhere in this clone; the record and the bundle stay usable"
        place = _place(found.registry, found.registry.place_of(record.version))
        yield Fault(place, what, exp if record.experiment else merge)


def _out_of_reach(found: _Found, missing: Missing) -> Iterator[Fault]:
    registry, told = found.registry, {version: record for version, record in found.versions.items() if record}
    held = {event.version: stage for stage, event in folded(event for event in found.events.values() if event).items()}
    looks = {name: look for name, look in found.looks.items() if look}
    wanted = [*needed(registry, told, held), *answers(registry, told, held, looks)]
    yield from (Fault(*fault) for fault in out_of_reach(registry, wanted, missing))


def _place(registry: Registry, path: Path) -> str:
    return path.relative_to(registry.root).as_posix()


def _remove(registry: Registry, path: Path) -> str:
    return f"git rm --cached --ignore-unmatch {_place(registry, path)} && rm {_place(registry, path)}"
