"""Instants: in UTC, to the microsecond, wherever a process lives; and how long a value may be served."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from tests.stores.online.case import MONDAY, Case, after, drivers, row
from tests.stores.online.steps import Apply, Ask, Elsewhere, Wait, Write
from tests.stores.online.views import View

TRIPS = Apply([View()])
HOUR = timedelta(hours=1)
HOURLY = Apply([View(ttl=HOUR)])
INDIA = timezone(timedelta(hours=5, minutes=30))
BEFORE_1970 = datetime(1965, 5, 1, tzinfo=UTC)
SOON = HOUR - timedelta(seconds=3)

TIME = (
    Case(
        "written-east-read-west",
        "What a process in Tokyo wrote has the same instant for one in New York",
        TRIPS,
        Elsewhere([Write("trips", [row(1, a=1.0)])], zone="Asia/Tokyo"),
        Elsewhere([Ask(drivers(1), {"a": [1.0]}, at={"a": [MONDAY]})], zone="America/New_York"),
    ),
    Case(
        "newest-across-zones",
        "Which row is newer does not depend on where the writers live",
        TRIPS,
        Elsewhere([Write("trips", [row(1, at=after(hours=2), a=2.0)])], zone="America/New_York"),
        Elsewhere([Write("trips", [row(1, at=MONDAY, a=1.0)])], zone="Asia/Tokyo"),
        Elsewhere([Write("trips", [row(2, at=MONDAY, a=1.0)])], zone="Asia/Tokyo"),
        Elsewhere([Write("trips", [row(2, at=after(hours=2), a=2.0)])], zone="America/New_York"),
        Ask(drivers(1, 2), {"a": [2.0, 2.0]}),
    ),
    Case(
        "naive-is-utc",
        "A timestamp without a zone is UTC, also where the process lives elsewhere",
        TRIPS,
        Elsewhere([Write("trips", [row(1, at=MONDAY.replace(tzinfo=None), a=1.0)])], zone="America/New_York"),
        Elsewhere([Ask(drivers(1), {"a": [1.0]}, at={"a": [MONDAY]})], zone="America/New_York"),
    ),
    Case(
        "zoned-is-converted",
        "A timestamp with another offset is the same instant in UTC",
        TRIPS,
        Write("trips", [row(1, at=datetime(2024, 3, 4, 14, 30, tzinfo=INDIA), a=1.0)]),
        Ask(drivers(1), {"a": [1.0]}, at={"a": [MONDAY]}),
    ),
    Case(
        "microseconds-are-kept",
        "The event comes back to the microsecond",
        TRIPS,
        Write("trips", [row(1, at=after(microseconds=123_457), a=1.0)]),
        Ask(drivers(1), {"a": [1.0]}, at={"a": [after(microseconds=123_457)]}),
    ),
    Case(
        "a-microsecond-decides",
        "An event that is one microsecond older changes nothing",
        TRIPS,
        Write("trips", [row(1, at=after(microseconds=2), a=2.0)]),
        Write("trips", [row(1, at=after(microseconds=1), a=1.0)]),
        Ask(drivers(1), {"a": [2.0]}),
    ),
    Case(
        "a-microsecond-of-created-decides",
        "Of two rows with one event one created a microsecond later wins",
        TRIPS,
        Write("trips", [row(1, created=after(microseconds=2), a=2.0)]),
        Write("trips", [row(1, created=after(microseconds=1), a=1.0)]),
        Ask(drivers(1), {"a": [2.0]}),
    ),
    Case(
        "before-1970",
        "Events before 1970 are ordered like any other",
        TRIPS,
        Write("trips", [row(1, at=BEFORE_1970 + HOUR, a=2.0)]),
        Write("trips", [row(1, at=BEFORE_1970, a=1.0)]),
        Ask(drivers(1), {"a": [2.0]}, at={"a": [BEFORE_1970 + HOUR]}),
    ),
)

TTL = (
    Case(
        "inside-the-ttl",
        "A value younger than the TTL is PRESENT",
        HOURLY,
        Write("trips", [row(1, at=timedelta(minutes=55), a=1.0)]),
        Ask(drivers(1), {"a": [1.0]}, status={"a": ["PRESENT"]}),
    ),
    Case(
        "outside-the-ttl",
        "A value older than the TTL is null, and its status OUTSIDE_MAX_AGE, as in the join over history",
        HOURLY,
        Write("trips", [row(1, at=timedelta(minutes=65), a=1.0)]),
        Ask(drivers(1), {"a": [None]}, status={"a": ["OUTSIDE_MAX_AGE"]}),
    ),
    Case(
        "at-the-ttl",
        "A stored value goes out of date by itself, when its age passes the TTL",
        HOURLY,
        Write("trips", [row(1, at=SOON, a=1.0)]),
        Ask(drivers(1), {"a": [1.0]}, status={"a": ["PRESENT"]}),
        Wait(3.1),
        Ask(drivers(1), {"a": [None]}, status={"a": ["OUTSIDE_MAX_AGE"]}),
    ),
    Case(
        "no-ttl",
        "Without a TTL a value of 1965 is PRESENT",
        TRIPS,
        Write("trips", [row(1, at=BEFORE_1970, a=1.0)]),
        Ask(drivers(1), {"a": [1.0]}, status={"a": ["PRESENT"]}),
    ),
    Case(
        "ttl-of-zero-is-none",
        "A TTL of zero means none, as Feast documents",
        Apply([View(ttl=timedelta(0))]),
        Write("trips", [row(1, at=BEFORE_1970, a=1.0)]),
        Ask(drivers(1), {"a": [1.0]}, status={"a": ["PRESENT"]}),
    ),
    Case(
        "event-in-the-future",
        "An event ahead of the clock is PRESENT: it is not too old",
        HOURLY,
        Write("trips", [row(1, at=timedelta(minutes=-5), a=1.0)]),
        Ask(drivers(1), {"a": [1.0]}, status={"a": ["PRESENT"]}),
    ),
    Case(
        "each-view-its-own-ttl",
        "Of two views in a request the one with the shorter TTL is out of date, the other is not",
        Apply([View(ttl=HOUR), View("slow", ttl=2 * HOUR, features=View().features)]),
        Write("trips", [row(1, at=timedelta(minutes=90), a=1.0)]),
        Write("slow", [row(1, at=timedelta(minutes=90), a=2.0)]),
        Ask(
            drivers(1),
            {"trips__a": [None], "slow__a": [2.0]},
            status={"trips__a": ["OUTSIDE_MAX_AGE"], "slow__a": ["PRESENT"]},
            features=["trips:a", "slow:a"],
            full_names=True,
        ),
    ),
    Case(
        "ttl-in-another-zone",
        "The age of a value does not depend on where the reader lives",
        HOURLY,
        Write("trips", [row(1, at=timedelta(minutes=55), a=1.0), row(2, at=timedelta(minutes=65), a=2.0)]),
        Elsewhere(
            [Ask(drivers(1, 2), {"a": [1.0, None]}, status={"a": ["PRESENT", "OUTSIDE_MAX_AGE"]})], zone="America/New_York"
        ),
    ),
)

CASES = (*TIME, *TTL)
