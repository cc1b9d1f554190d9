"""Several processes, and processes that die: no row is ever half of one event and half of another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from feast.types import Float64

from tests.stores.online.case import MONDAY, Case, Row, after, drivers, expect, row
from tests.stores.online.elsewhere import Child
from tests.stores.online.player import Player
from tests.stores.online.steps import Apply, Ask, Elsewhere, Write, known
from tests.stores.online.views import View

NAMES = [f"f{number}" for number in range(8)]
WIDE = Apply([View(features=dict.fromkeys(NAMES, Float64))])
ENDS_WITHIN = 40.0
START = -1  # a driver whose row says that a writer has begun


def _generation(number: int, keys: Sequence[int]) -> list[Row]:
    """A row per key, all of whose features tell the number of its event."""
    return [row(key, at=after(seconds=number), **dict.fromkeys(NAMES, float(number))) for key in keys]


def _numbers(player: Player, keys: Sequence[int]) -> list[int]:
    """The generation of each key, −1 where there is none; raises AssertionError where a row is not of one event."""
    found = []
    for key, (event, values) in zip(keys, player.read(player.view("trips"), drivers(*keys), list(NAMES))):
        if not known(values):
            found.append(-1)
            continue
        of_row = sorted({values[name].double_val if name in values else -1.0 for name in NAMES})
        if len(of_row) != 1:
            raise AssertionError(f"torn row of {key}: features of the events {of_row}")
        found.append(int(of_row[0]))
        expect(f"event of {key}", after(seconds=found[-1]), _utc(event))
    return found


def _utc(event: datetime) -> datetime:
    return event.replace(tzinfo=UTC) if event.tzinfo is None else event.astimezone(UTC)


@dataclass(frozen=True)
class WriteGenerations:
    """One batch after the other, each a generation of all keys."""

    numbers: Sequence[int]
    keys: Sequence[int]

    def play(self, player: Player) -> None:
        view = player.view("trips")
        for number in self.numbers:
            player.write(view, _generation(number, self.keys))


@dataclass(frozen=True)
class WatchGenerations:
    """Read over and over until the last generation is there: every row whole, and none ever older than it was."""

    last: int
    keys: Sequence[int]

    def play(self, player: Player) -> None:
        seen, until = [-1] * len(self.keys), time.monotonic() + ENDS_WITHIN
        while min(seen) < self.last:
            now = _numbers(player, self.keys)
            if any(later < earlier for earlier, later in zip(seen, now)):
                raise AssertionError(f"a row went back from {max(seen)} to {min(now)}")
            if time.monotonic() > until:
                raise AssertionError(f"after {ENDS_WITHIN:.0f} s the rows are of {min(now)}, not of {self.last}")
            seen = now


@dataclass(frozen=True)
class AtOnce:
    """Each list of steps in a process of its own, all at the same time."""

    lives: Sequence[Sequence[Any]]

    def play(self, player: Player) -> None:
        children = [Child(player, steps) for steps in self.lives]
        for child in children:
            child.done()


@dataclass(frozen=True)
class InThreads:
    """The same step in several threads of this process."""

    step: Any
    threads: int = 8

    def play(self, player: Player) -> None:
        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(lambda _: self.step.play(player), range(self.threads * 4)))


@dataclass(frozen=True)
class Killed:
    """Play steps in a process that is killed (SIGKILL) ``seconds`` after the row of START is seen; then every row is whole."""

    steps: Sequence[Any]
    keys: Sequence[int]
    seconds: float

    def play(self, player: Player) -> None:
        child = Child(player, self.steps)
        until = time.monotonic() + ENDS_WITHIN
        while _numbers(player, [START]) == [-1] and child.process.is_alive() and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(self.seconds)
        child.kill()
        _numbers(player, self.keys)


@dataclass(frozen=True)
class Batches:
    """A generation in batches of 50 with a pause after each, after the row of START."""

    number: int
    keys: Sequence[int]
    size: int = 50
    pause: float = 0.01

    def play(self, player: Player) -> None:
        view = player.view("trips")
        player.write(view, _generation(0, [START]))
        for first in range(0, len(self.keys), self.size):
            player.write(view, _generation(self.number, self.keys[first : first + self.size]))
            time.sleep(self.pause)


@dataclass(frozen=True)
class Are:
    """Every key is of one generation."""

    number: int
    keys: Sequence[int]

    def play(self, player: Player) -> None:
        expect("generations", [self.number] * len(self.keys), _numbers(player, self.keys))


FEW, SOME, LOTS = range(20), range(1_000), range(4_000)

CASES = (
    Case(
        "another-process-sees-it",
        "What one process writes, another that has read before sees at its next read",
        Apply([View()]),
        Ask(drivers(1), {"a": [None]}),
        Elsewhere([Write("trips", [row(1, a=1.0)])]),
        Ask(drivers(1), {"a": [1.0]}),
        Elsewhere([Write("trips", [row(1, at=after(hours=1), a=2.0)])]),
        Ask(drivers(1), {"a": [2.0]}),
    ),
    Case(
        "readers-beside-a-writer",
        "While a process writes, two others read: every row is whole, and none goes back in time",
        WIDE,
        AtOnce([[WriteGenerations(range(60), FEW)], [WatchGenerations(59, FEW)], [WatchGenerations(59, FEW)]]),
    ),
    Case(
        "two-writers",
        "Two processes write the same entities, one older events than the other: none fails, the newest event stays",
        WIDE,
        AtOnce([[WriteGenerations(range(0, 60, 2), FEW)], [WriteGenerations(range(1, 60, 2), FEW)]]),
        Are(59, FEW),
    ),
    Case(
        "two-writers-of-two-views",
        "Two processes write two views at the same time, and neither fails",
        Apply([View(), View("cars", features={"b": Float64})]),
        AtOnce(
            [
                [Write("trips", [row(key, a=float(key))]) for key in range(50)],
                [Write("cars", [row(key, b=float(key))]) for key in range(50)],
            ]
        ),
        Ask(
            drivers(*range(50)),
            {"a": [float(key) for key in range(50)], "b": [float(key) for key in range(50)]},
            features=["trips:a", "cars:b"],
        ),
    ),
    Case(
        "threads",
        "Threads of one process read at the same time, as those of the feature server do",
        Apply([View()]),
        Write("trips", [row(key, a=float(key)) for key in range(20)]),
        InThreads(Ask(drivers(*range(20)), {"a": [float(key) for key in range(20)]}, at={"a": [MONDAY] * 20})),
    ),
    Case(
        "killed-between-batches",
        "A writer is killed (−9) between batches: every row is whole, and the rerun equals an undisturbed run",
        WIDE,
        Write("trips", _generation(1, SOME)),
        Killed([Batches(2, SOME)], SOME, seconds=0.05),
        Batches(2, SOME, size=500),
        Are(2, SOME),
    ),
    Case(
        "killed-within-a-batch",
        "A writer is killed (−9) in the middle of a batch: every row is whole, and the rerun equals an undisturbed run",
        WIDE,
        Write("trips", _generation(1, LOTS)),
        Killed([Batches(2, LOTS, size=len(LOTS))], LOTS, seconds=0.1),
        Batches(2, LOTS, size=len(LOTS)),
        Are(2, LOTS),
    ),
)
