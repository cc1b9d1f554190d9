"""When rows are asked and labelled: train over two months, test over one, two weeks and more after the last of train."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

START = datetime(2025, 3, 1, tzinfo=UTC)
DAYS = {"train": (0, 60), "test": (80, 110)}
"""By drop, the days after START between which its prompts are first asked."""
MEDIAN_HOURS, SPREAD = 6.0, 1.2
LEAST, MOST = timedelta(minutes=2), timedelta(days=10)


def asked(drop: str, count: int, dice: Random) -> list[datetime]:
    """The instants of the ``count`` rows of one prompt: some minutes apart, to whole seconds."""
    first, last = DAYS[drop]
    seconds = int(dice.uniform(first, last) * 86_400)
    instants = []
    for _ in range(count):
        instants.append(START + timedelta(seconds=seconds))
        seconds += 1 + int(dice.expovariate(1 / 900))
    return instants


def labelled(asked_at: datetime, dice: Random) -> datetime:
    """When the judge's score is there: lognormal after asking, median 6 hours, from two minutes to ten days."""
    delay = timedelta(seconds=int(3600 * MEDIAN_HOURS * dice.lognormvariate(0, SPREAD)))
    return asked_at + min(max(delay, LEAST), MOST)
