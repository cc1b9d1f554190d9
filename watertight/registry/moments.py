"""Moments as a person gives and reads them: UTC, and a day is all of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from watertight.core.errors import Misuse

UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60))


def span(text: str) -> tuple[datetime, datetime]:
    """First and last instant that ``text`` means, ISO 8601: of a date the whole day in UTC, of a moment that one.

    A moment without a zone is UTC. Raises Misuse where it is neither.
    """
    try:
        if len(text) == len("2026-05-03"):
            day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return day, day + timedelta(days=1, microseconds=-1)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Misuse(f"{text!r} is no time", expected="ISO 8601, such as 2026-05-03 or 2026-05-03T14:00+02:00") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment, moment


def written(moment: datetime) -> str:
    """``2026-05-03 14:00:00 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def age(since: datetime, now: datetime) -> str:
    """``3 days``: the largest whole unit."""
    seconds = (now - since).total_seconds()
    for name, length in UNITS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "just now"
