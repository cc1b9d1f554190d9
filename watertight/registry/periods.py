"""Who held which stage from when to when: what the events of a model add up to over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watertight.registry.records import Event


@dataclass(frozen=True)
class Period:
    """From ``event`` on its version held its stage, until the moment of the next event there; null where it still does."""

    event: Event
    until: datetime | None

    def touches(self, first: datetime, last: datetime) -> bool:
        """Whether any instant from ``first`` to ``last``, both included, lies in it; its own end does not."""
        return self.event.at <= last and (self.until is None or first < self.until)

    def facts(self) -> dict[str, Any]:
        """For machines: the event but its chain, with ``from`` and ``to``."""
        told = self.event.model_dump(mode="json", exclude={"at", "previous", "digest", "model"})
        end = self.until.isoformat() if self.until else None
        return {"from": self.event.at.isoformat(), "to": end, **told}


def periods(events: Iterable[Event]) -> list[Period]:
    """Every period of every stage, in the order of the events that began them."""
    listed = [event for event in events if event.stage]
    return [Period(event, _end(event, listed[place + 1 :])) for place, event in enumerate(listed)]


def _end(event: Event, later: Iterable[Event]) -> datetime | None:
    return next((other.at for other in later if other.stage == event.stage), None)


def came_before(events: Iterable[Event], stage: str) -> Iterator[str]:
    """The versions that a stage can be taken back to, the nearest first, none twice.

    A rollback takes back what was promoted since, so that two in a row go two versions back, and not there and back again.
    """
    stack: list[str] = []
    for event in events:
        if event.stage != stage:
            continue
        if event.kind == "rollback" and event.version in stack:
            while stack[-1] != event.version:
                stack.pop()
        else:
            stack.append(event.version)
    yield from dict.fromkeys(version for version in reversed(stack) if version != stack[-1])
