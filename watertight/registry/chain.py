"""What makes events one history: counted without a gap, each on the one before, unedited, and time never goes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from watertight.registry.moments import written
from watertight.registry.records import Event

Numbered = Sequence[tuple[int, Event | None]]


def broken(model: str, events: Numbered) -> Iterator[tuple[int, str]]:
    """Every fault of events as (number in the file's name, event or null where it cannot be read), in order of the numbers.

    Yields the number of the file at fault, which may be the one that is not there, and what is wrong with it.
    """
    for number, event in events:
        if event:
            yield from ((number, fault) for fault in _alone(model, number, event))
    for (before, earlier), (number, event) in pairwise([(0, None), *events]):
        if number != before + 1:
            more = f", and so are all up to event {number - 1}" if number > before + 2 else ""
            yield before + 1, f"it is missing{more}"
        yield from ((number, fault) for fault in _after(earlier, event, is_first=number == 1))
    yield from _used_though_deprecated(events)


def _alone(model: str, number: int, event: Event) -> Iterator[str]:
    if (event.model, event.number) != (model, number):
        yield f"it says that it is event {event.number} of {event.model}"
    if event.digest != event.own_digest:
        yield "it was edited: its digest is of other content"


def _after(earlier: Event | None, event: Event | None, is_first: bool) -> Iterator[str]:
    if event and is_first and event.previous:
        yield "it was recorded on top of another, and counts as the first"
    if not (earlier and event):
        return
    if event.number == earlier.number + 1 and event.previous != earlier.digest:
        yield f"it was not recorded on top of event {earlier.number} as that stands here"
    if event.at < earlier.at:
        yield f"its time, {written(event.at)}, is before that of event {earlier.number}, {written(earlier.at)}"


def _used_though_deprecated(events: Numbered) -> Iterator[tuple[int, str]]:
    deprecated: dict[str, int] = {}
    for number, event in events:
        if event and event.version in deprecated:
            yield number, f"it uses version {event.version}, which event {deprecated[event.version]} had deprecated"
        if event and event.kind == "deprecation":
            deprecated[event.version] = number
