"""Which of several rows of one entity is the newest: by event, then by created, whatever the order in which they arrive."""

from __future__ import annotations

from feast.types import Float64, String

from tests.stores.online.case import MONDAY, Case, after, drivers, row
from tests.stores.online.steps import Apply, Ask, Write
from tests.stores.online.views import View

TRIPS = Apply([View()])
TWO = Apply([View(features={"a": Float64, "b": String})])
NOON, EVENING = after(hours=3), after(hours=9)

CASES = (
    Case(
        "newer-event-replaces",
        "A row with a newer event replaces the older one",
        TRIPS,
        Write("trips", [row(1, at=MONDAY, a=1.0)]),
        Write("trips", [row(1, at=NOON, a=2.0)]),
        Ask(drivers(1), {"a": [2.0]}, at={"a": [NOON]}),
    ),
    Case(
        "older-event-in-a-later-batch",
        "An older event that arrives in a later batch changes nothing",
        TRIPS,
        Write("trips", [row(1, at=NOON, a=2.0)]),
        Write("trips", [row(1, at=MONDAY, a=1.0)]),
        Ask(drivers(1), {"a": [2.0]}, at={"a": [NOON]}),
    ),
    Case(
        "older-event-later-in-the-batch",
        "An older event that stands after a newer one in the same batch changes nothing",
        TRIPS,
        Write("trips", [row(1, at=NOON, a=2.0), row(1, at=MONDAY, a=1.0)]),
        Ask(drivers(1), {"a": [2.0]}),
    ),
    Case(
        "three-events-in-a-batch",
        "Of three events of one entity in a batch the newest is kept, wherever it stands",
        TRIPS,
        Write("trips", [row(1, at=MONDAY, a=1.0), row(1, at=EVENING, a=3.0), row(1, at=NOON, a=2.0)]),
        Ask(drivers(1), {"a": [3.0]}),
    ),
    Case(
        "tie-newer-created-wins",
        "Of two rows with one event the one created later replaces the other",
        TRIPS,
        Write("trips", [row(1, created=NOON, a=1.0)]),
        Write("trips", [row(1, created=EVENING, a=2.0)]),
        Ask(drivers(1), {"a": [2.0]}),
    ),
    Case(
        "tie-older-created-loses",
        "Of two rows with one event the one created earlier changes nothing, though it is written last",
        TRIPS,
        Write("trips", [row(1, created=EVENING, a=2.0)]),
        Write("trips", [row(1, created=NOON, a=1.0)]),
        Ask(drivers(1), {"a": [2.0]}),
    ),
    Case(
        "tie-within-a-batch",
        "Within a batch, too, a tie goes to the row created later, wherever it stands",
        TRIPS,
        Write("trips", [row(1, created=EVENING, a=2.0), row(1, created=NOON, a=1.0)]),
        Write("trips", [row(2, created=NOON, a=1.0), row(2, created=EVENING, a=2.0)]),
        Ask(drivers(1, 2), {"a": [2.0, 2.0]}),
    ),
    Case(
        "tie-created-unknown-loses",
        "Of two rows with one event one without a created time does not replace one that has it",
        TRIPS,
        Write("trips", [row(1, created=NOON, a=2.0)]),
        Write("trips", [row(1, created=None, a=1.0)]),
        Ask(drivers(1), {"a": [2.0]}),
    ),
    Case(
        "tie-created-known-wins",
        "Of two rows with one event one with a created time replaces one without",
        TRIPS,
        Write("trips", [row(1, created=None, a=1.0)]),
        Write("trips", [row(1, created=NOON, a=2.0)]),
        Ask(drivers(1), {"a": [2.0]}),
    ),
    Case(
        "event-before-created",
        "The event decides before the created time: an old event written anew changes nothing",
        TRIPS,
        Write("trips", [row(1, at=NOON, created=NOON, a=2.0)]),
        Write("trips", [row(1, at=MONDAY, created=EVENING, a=1.0)]),
        Ask(drivers(1), {"a": [2.0]}),
    ),
    Case(
        "equal-writes",
        "The same row written twice is the row",
        TRIPS,
        Write("trips", [row(1, created=NOON, a=1.0)]),
        Write("trips", [row(1, created=NOON, a=1.0)]),
        Ask(drivers(1), {"a": [1.0]}, at={"a": [MONDAY]}),
    ),
    Case(
        "each-entity-for-itself",
        "A batch that is newer for one entity and older for another updates just the one",
        TRIPS,
        Write("trips", [row(1, at=MONDAY, a=1.0), row(2, at=EVENING, a=2.0)]),
        Write("trips", [row(1, at=NOON, a=10.0), row(2, at=NOON, a=20.0)]),
        Ask(drivers(1, 2), {"a": [10.0, 2.0]}, at={"a": [NOON, EVENING]}),
    ),
    Case(
        "newest-value-null-stays-null",
        "A null in the newest row is not filled from an older one",
        TWO,
        Write("trips", [row(1, at=MONDAY, a=1.0, b="old")]),
        Write("trips", [row(1, at=NOON, a=None, b="new")]),
        Ask(drivers(1), {"a": [None], "b": ["new"]}, features=["trips:a", "trips:b"]),
    ),
)
