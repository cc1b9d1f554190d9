"""One version: what it is, what it holds, how well it does, why it was promoted, and its card where it can be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from watertight.core.errors import WatertightError
from watertight.registry.gate_text import gate_lines
from watertight.registry.headlines import interval
from watertight.registry.history import Registry
from watertight.registry.moments import written
from watertight.registry.records import Event, VersionRecord

KEPT_APART = ("figures", "stages", "params")


def shown(registry: Registry, record: VersionRecord, card: Callable[[VersionRecord], str]) -> dict[str, Any]:
    """For machines: the record but its stages and params, which stages it holds, its events, figures, and ``card``.

    ``card``: of the bundle; null where it cannot be had, with the reason as ``no_card``.
    """
    held = [stage for stage, event in registry.holders().items() if event.version == record.version]
    told = record.model_dump(mode="json", exclude=set(KEPT_APART))
    events = [event.model_dump(mode="json") for event in _events(registry, record)]
    known = {"holds": sorted(held), "deprecated": record.version in registry.deprecated()}
    return {**told, **known, "figures": list(record.figures), "events": events, **_card(record, card)}


def _card(record: VersionRecord, card: Callable[[VersionRecord], str]) -> dict[str, str | None]:
    try:
        return {"card": card(record), "no_card": None}
    except WatertightError as error:
        return {"card": None, "no_card": error.what}


def _events(registry: Registry, record: VersionRecord) -> list[Event]:
    return [event for event in registry.events() if event.version == record.version]


def shown_text(registry: Registry, record: VersionRecord, card: Callable[[VersionRecord], str]) -> str:
    """For a person: facts, events with what their gates answered, then the card, or else the figures of the record."""
    told = _card(record, card)
    held = [stage for stage, event in registry.holders().items() if event.version == record.version]
    barred = ", deprecated" if record.version in registry.deprecated() else ""
    lines = [
        f"{record.model} {record.version}{barred}, holds {', '.join(held) or 'no stage'}",
        f"because: {'; '.join(record.because)}",
        f"commit {record.revision[:12]}{f', experiment {record.experiment}' if record.experiment else ''}",
        f"bundle {record.bundle.md5}, {record.bundle.size} bytes",
        *(line for event in _events(registry, record) for line in _event(event)),
    ]
    rest = [told["card"]] if told["card"] else [f"no card: {told['no_card']}", *map(_figure, record.figures)]
    return "\n".join([*lines, "", *map(str, rest)]).rstrip()


def _event(event: Event) -> Iterator[str]:
    where = f" to {event.stage}" if event.stage else ""
    yield f"{event.kind}{where}, {written(event.at)}, by {event.by}{f': {event.reason}' if event.reason else ''}"
    yield from (f"  OVERRIDDEN: {reason}" for reason in event.overridden)
    yield from gate_lines(event.evidence.gates)


def _figure(line: Any) -> str:
    rows = f"{line['rows']} rows, {line['groups']} groups, row set {line['row_set']}"
    return f"{line['target']} {line['part']} {line['metric']} {interval(line)} ({rows})"
