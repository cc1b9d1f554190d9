"""What makes events one history: counted without a gap, each on the one before, unedited, and time never goes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from watertight.registry.moments import written
from watertight.registry.records import Event

Numbered = Sequence[tuple[int, Event | None]]


def broken(model: str, events: Numbered) -> Iterator[tuple[int, str]]:
    """Every fault of events as (number in the file's name, event or null where it cannot be read), in order of the numbers.

    Yields the number at which a fault stands, and what it is.
    """
    for number, event in events:
        if event:
            yield from ((number, fault) for fault in _alone(model, number, event))
    first = events[0] if events else (1, None)
    if first[0] != 1 or (first[1] and first[1].previous):
        yield first[0], "the events before it are missing"
    for (before, earlier), (number, event) in pairwise(events):
        yield from ((number, fault) for fault in _after(before, earlier, number, event))
    yield from _used_though_deprecated(events)


def _alone(model: str, number: int, event: Event) -> Iterator[str]:
    if (event.model, event.number) != (model, number):
        yield f"it says that it is event {event.number} of {event.model}"
    if event.digest != event.own_digest:
        yield "it was edited: its digest is of other content"


def _after(before: int, earlier: Event | None, number: int, event: Event | None) -> Iterator[str]:
    if number != before + 1:
        yield f"event {before + 1} is missing" if number == before + 2 else f"events {before + 1} to {number - 1} are missing"
    elif earlier and event and event.previous != earlier.digest:
        yield f"it was not recorded on top of event {before} as that stands here"
    if earlier and event and event.at < earlier.at:
        yield f"its time, {written(event.at)}, is before that of event {before}, {written(earlier.at)}"


def _used_though_deprecated(events: Numbered) -> Iterator[tuple[int, str]]:
    deprecated: dict[str, int] = {}
    for number, event in events:
        if event and event.version in deprecated:
            yield number, f"it uses version {event.version}, which event {deprecated[event.version]} had deprecated"
        if event and event.kind == "deprecation":
            deprecated[event.version] = number
