"""What makes events one history: counted without a gap, each on the one before, unedited, and time never goes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from watertight.registry.records import Event


def broken(model: str, events: Sequence[tuple[int, Event]]) -> Iterator[tuple[int, str]]:
    """Every fault of events as (number in the file's name, event), in order: the number at which it stands, and what it is."""
    for place, (number, event) in enumerate(events, start=1):
        if (event.model, event.number) != (model, number):
            yield number, f"it says that it is event {event.number} of {event.model}"
        if event.digest != event.own_digest:
            yield number, "it was edited: its digest is of other content"
        if place == 1 and (number, event.previous) != (1, ""):
            yield number, "the events before it are missing"
    for (before, earlier), (number, event) in pairwise(events):
        if number != before + 1:
            yield (
                number,
                f"event {before + 1} is missing" if number == before + 2 else f"events {before + 1} to {number - 1} are missing",
            )
        elif event.previous != earlier.digest:
            yield number, f"it was not recorded on top of event {before} as that stands here"
        if event.at < earlier.at:
            yield number, f"its time {event.at.isoformat()} is before that of event {before}"
    yield from _deprecated_and_used(events)


def _deprecated_and_used(events: Sequence[tuple[int, Event]]) -> Iterator[tuple[int, str]]:
    deprecated: dict[str, int] = {}
    for number, event in events:
        if event.version in deprecated:
            yield number, f"version {event.version} was deprecated by event {deprecated[event.version]}"
        if event.kind == "deprecation":
            deprecated[event.version] = number
