"""A materialisation that is killed (−9) half-way and run again leaves the online store of an undisturbed run."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from feast.types import Array, Float32, Float64, Int64, String

from benchmarks.online_conformance import OURS
from tests.stores.online.case import after, drivers, row
from tests.stores.online.elsewhere import Child
from tests.stores.online.player import Player
from tests.stores.online.steps import Apply, File, Materialize
from tests.stores.online.views import View
from watertight.stores.online_store import WatertightOnlineStore

ROWS, BATCH = 4_000, 100
KEYS = drivers(*range(ROWS))
SECTIONS = {**OURS, "materialization_config": {"online_write_batch_size": BATCH}}
VIEW = View(features={"number": Int64, "share": Float64, "text": String, "vector": Array(Float32)})
DECLARED = Apply([VIEW])
SOURCE = File(
    "trips",
    [
        row(
            key,
            at=after(seconds=key + event),
            number=key,
            share=None if key % 5 == 0 else key / 3,
            text=f"{event}",
            vector=[key] * 8,
        )
        for key in range(ROWS)
        for event in (0, 10)
    ],
)
RUN = Materialize(["trips"], until=after(days=1))


@dataclass(frozen=True)
class RunAndDie:
    """The same run, in which the process kills itself after so many batches, or so many seconds into the next one."""

    batches: int
    seconds: float | None = None

    def play(self, player: Player) -> None:
        write, written = WatertightOnlineStore.online_write_arrow, itertools.count(1)

        def until_death(store: Any, config: Any, table: Any, rows: Any, progress: Any) -> None:
            write(store, config, table, rows, lambda count: (progress(count), self._at(next(written))))

        WatertightOnlineStore.online_write_arrow = until_death  # type: ignore[method-assign]
        self._at(0)
        RUN.play(player)

    def _at(self, batch: int) -> None:
        if batch == self.batches:
            _die() if self.seconds is None else threading.Timer(self.seconds, _die).start()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    player = Player(tmp_path_factory.mktemp("undisturbed"), SECTIONS)
    player.play([DECLARED, SOURCE, RUN])
    return stored(player)


@pytest.mark.parametrize(
    "death", [RunAndDie(1), RunAndDie(20), RunAndDie(39), RunAndDie(10, 0.001), RunAndDie(10, 0.003), RunAndDie(0, 0.05)], ids=str
)
def test_killed_and_run_again(death: RunAndDie, undisturbed: list[Any], tmp_path: Path) -> None:
    player = Player(tmp_path, SECTIONS)
    player.play([DECLARED, SOURCE])
    Child(player, [death]).died()
    left = stored(player)
    there = [values is not None for _, values in left]
    assert death.batches <= sum(there) < ROWS
    assert [one for one, present in zip(left, there) if present] == [one for one, present in zip(undisturbed, there) if present]
    player.play([RUN])
    assert stored(player) == undisturbed


def test_an_undisturbed_run_is_the_source(undisturbed: list[Any]) -> None:
    events = [event for event, _ in undisturbed]
    assert events == [after(seconds=key + 10) for key in range(ROWS)]
    assert [values["number"].int64_val for _, values in undisturbed] == list(range(ROWS))
    assert {values["text"].string_val for _, values in undisturbed} == {"10"}


def stored(player: Player) -> list[Any]:
    """Of each key the event and every value."""
    return player.read(player.view("trips"), KEYS, list(VIEW.features))
