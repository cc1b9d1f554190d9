"""A model's history for a person: who held what, from when to when, why, with the evidence; overrides stand out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from watertight.registry.committed import uncommitted
from watertight.registry.gate_text import telling
from watertight.registry.history import Registry
from watertight.registry.moments import written
from watertight.registry.periods import Period, periods
from watertight.registry.records import Event

LOOSE = " (not committed)"


def diary(registry: Registry, when: tuple[datetime, datetime] | None = None) -> dict[str, Any]:
    """``held``: every period (of ``when``, first and last instant, those that touch it); ``deprecated``: those events."""
    held = [period for period in periods(registry.events()) if when is None or period.touches(*when)]
    return {"held": [period.facts() for period in held], "deprecated": [_deprecation(event) for event in _ended(registry, when)]}


def _ended(registry: Registry, when: tuple[datetime, datetime] | None) -> Iterator[Event]:
    for event in registry.events():
        if event.kind == "deprecation" and (when is None or event.at <= when[1]):
            yield event


def _deprecation(event: Event) -> dict[str, Any]:
    return event.model_dump(mode="json", include={"number", "version", "at", "by", "reason"})


def diary_text(registry: Registry, when: tuple[datetime, datetime] | None = None) -> str:
    """The periods a paragraph each, the last first, then what was deprecated; ``not committed`` where git does not have it."""
    held = [period for period in periods(registry.events()) if when is None or period.touches(*when)]
    loose = uncommitted(registry)
    parts = ["\n".join(_period(period, period.event.number in loose)) for period in reversed(held)]
    parts += [_barred(event, event.number in loose) for event in _ended(registry, when)]
    return "\n\n".join(parts) or f"nothing of {registry.model} held a stage then"


def _barred(event: Event, loose: bool) -> str:
    return f"{event.version} deprecated {written(event.at)} by {event.by}: {event.reason}{LOOSE if loose else ''}"


def _period(period: Period, loose: bool) -> Iterator[str]:
    event = period.event
    until = written(period.until) if period.until else "now"
    yield f"{event.stage}: {event.model} {event.version}, {written(event.at)} to {until}{LOOSE if loose else ''}"
    yield f"  {event.kind.upper() if event.kind == 'override' else event.kind} by {event.by}{_colon(event.reason)}"
    for reason in event.overridden:
        yield f"  OVERRIDDEN: {reason}"
    if event.evidence.champion:
        yield f"  beside {event.evidence.champion}:"
    yield from telling(event.evidence.gates)


def _colon(reason: str) -> str:
    return f": {reason}" if reason else ""
