"""A model's registry: its versions, its events, and what they add up to. Light: nothing slow is imported here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from watertight.core.declare import nearest
from watertight.core.errors import Misuse, Refusal
from watertight.registry.chain import broken
from watertight.registry.files import read_record, write_once
from watertight.registry.moments import written
from watertight.registry.records import VERSION, Event, Evidence, Kind, VersionRecord

MODELS = "models"
DEFAULT_STAGE = "prod"
SELECTOR = re.compile(r"(?P<model>[^@#\s]+)(@(?P<version>[^@#\s]+)|#(?P<stage>[^@#\s]+))?")


def parse_selector(selector: str) -> tuple[str, str | None, str | None]:
    """``judge@1.2.0``, ``judge#prod`` or ``judge`` as model, version and stage; raises Misuse where it is none of these."""
    found = SELECTOR.fullmatch(selector)
    version = found and found["version"]
    if not found or (version and not VERSION.fullmatch(version)):
        raise Misuse(f"{selector!r} selects no version", expected="MODEL, MODEL@VERSION or MODEL#STAGE, such as judge@1.2.0")
    return found["model"], version or None, found["stage"]


def order(version: str) -> tuple[int, ...]:
    """What versions are sorted by."""
    return tuple(int(part) for part in version.split("."))


def folded(events: Iterable[Event]) -> dict[str, Event]:
    """By stage the last event that put a version there."""
    return {event.stage: event for event in events if event.stage}


@dataclass(frozen=True)
class Registry:
    """The registry of one model of the project at ``root``; its events are read once.

    Raises Misuse for names that are unknown, Refusal where the files are no whole history; ``watertight verify`` tells it all.
    """

    root: Path
    model: str

    @property
    def folder(self) -> Path:
        """``models/<model>``."""
        return self.root / MODELS / self.model

    def versions(self) -> list[str]:
        """Every version that has a file, the lowest first."""
        names = [path.stem for path in (self.folder / "versions").glob("*.json")]
        return sorted((name for name in names if VERSION.fullmatch(name)), key=order)

    def version(self, version: str) -> VersionRecord:
        """The record of a version, as it was when the events that name it were recorded."""
        path = self.place_of(version)
        if not path.is_file():
            raise Misuse(f"{self.model} has no version {version!r}; {nearest(version, self.versions())}")
        record = read_record(VersionRecord, path)
        named = {event.record for event in self.events() if event.version == version}
        if named - {record.digest} or (record.model, record.version) != (self.model, version):
            raise self._broken(f"version {version} was edited: it is not what its events name")
        return record

    def events(self) -> list[Event]:
        """Every event, the first first."""
        return list(self._events)

    @cached_property
    def _events(self) -> tuple[Event, ...]:
        numbered = [(int(path.stem), read_record(Event, path)) for path in self.event_files()]
        faults = [f"event {number}: {fault}" for number, fault in broken(self.model, numbered)]
        if faults:
            raise self._broken("\n".join([f"the history of {self.model} is broken", *(f"  - {fault}" for fault in faults)]))
        return tuple(event for _, event in numbered)

    def event_files(self) -> list[Path]:
        """The files of the events in the order of their numbers."""
        found = [path for path in (self.folder / "events").glob("*.json") if path.stem.isdecimal()]
        return sorted(found, key=lambda path: int(path.stem))

    def place_of(self, version: str) -> Path:
        """Where the record of a version stands, or would."""
        return self.folder / "versions" / f"{version}.json"

    def holders(self, at: datetime | None = None) -> dict[str, Event]:
        """By stage the event by which its version holds it, now or ``at`` a moment (inclusive, with a zone)."""
        return folded(event for event in self.events() if at is None or event.at <= at)

    def deprecated(self) -> set[str]:
        """The versions that may not be used any more."""
        return {event.version for event in self.events() if event.kind == "deprecation"}

    def resolve(self, version: str | None = None, stage: str | None = None) -> VersionRecord:
        """The record of ``version``, or of what holds ``stage``; by default of what holds ``prod``, else of the newest.

        The newest is the highest that is not deprecated.
        """
        if version:
            return self.version(version)
        held = self.holders()
        if stage and stage not in held:
            raise Misuse(
                f"no version of {self.model} holds {stage!r}; {nearest(stage, held)}",
                next_step=f"watertight history {self.model}: what held which stage; or {self._promote('STAGE')}",
            )
        found = held.get(stage or DEFAULT_STAGE)
        usable = [name for name in self.versions() if name not in self.deprecated()]
        if not found and not usable:
            raise Misuse(f"{self.model} has no version", next_step=self._promote(DEFAULT_STAGE))
        return self.version(found.version if found else usable[-1])

    def append(
        self,
        kind: Kind,
        version: str,
        *,
        at: datetime,
        by: str,
        stage: str = "",
        reason: str = "",
        overridden: Sequence[str] = (),
        evidence: Evidence | None = None,
    ) -> Path:
        """Record what happened to a version that is there, on top of the last event; the new file's place.

        Raises Refusal where the clock ``at`` is behind the last event, or ``version`` is deprecated.
        """
        events = self.events()
        event = Event(
            number=len(events) + 1,
            model=self.model,
            kind=kind,
            version=version,
            stage=stage,
            at=at,
            by=by,
            reason=reason,
            overridden=tuple(overridden),
            evidence=evidence or Evidence(),
            record=self.version(version).digest,
            previous=events[-1].digest if events else "",
        ).sealed()
        self._demand_possible(events, event)
        self.__dict__.pop("_events", None)
        return write_once(event, self.folder / "events" / f"{event.number:04}.json")

    def write_version(self, record: VersionRecord) -> Path:
        """Write the record of a new version; the file's place. Raises Refusal where the version exists."""
        if record.model != self.model:
            raise ValueError(f"a version of {record.model} in the registry of {self.model}")
        return write_once(record, self.place_of(record.version))

    def _demand_possible(self, events: Sequence[Event], event: Event) -> None:
        if events and event.at < events[-1].at:
            raise Refusal(
                f"this machine's clock says {written(event.at)}, which is before the last event of {self.model}",
                expected=f"a time from {written(events[-1].at)} on",
                next_step="set the clock right",
            )
        if event.version in self.deprecated():
            raise Refusal(
                f"{self.model} {event.version} is deprecated", next_step=f"watertight history {self.model}: who, and why"
            )

    def _broken(self, what: str) -> Refusal:
        return Refusal(what, expected="records as they were written", next_step=f"watertight verify {self.model}")

    def _promote(self, stage: str) -> str:
        return f"watertight promote {self.model} --to {stage}"


def registry_of(root: Path, model: str) -> Registry:
    """The registry of a model that has versions or events; raises Misuse with the nearest name where it has neither."""
    known = [registry.model for registry in registries(root)]
    if model not in known:
        step = "watertight models, which lists them; a first version comes with watertight promote WORKLOAD"
        raise Misuse(f"no model is called {model!r}; {nearest(model, known)}", next_step=step)
    return Registry(root, model)


def registries(root: Path) -> list[Registry]:
    """Every model of the project at ``root`` that has versions or events, by name."""
    folders = sorted(path for path in (root / MODELS).glob("*") if (path / "versions").is_dir() or (path / "events").is_dir())
    return [Registry(root, folder.name) for folder in folders]
