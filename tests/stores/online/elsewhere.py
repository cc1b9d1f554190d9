"""Other processes that use the same online store: real ones, each with connections of its own."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.stores.online.case import Step
    from tests.stores.online.player import Player

# A server that has imported Feast once, before any store was opened, and forks each process from itself.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "tests.stores.online.steps",
        "feast.infra.registry.sql",
        "feast.infra.offline_stores.duckdb",
        "feast.infra.compute_engines.local.compute",
        "feast.infra.online_stores.sqlite",
        "feast.infra.passthrough_provider",
        "ibis.backends.duckdb",
        "watertight.stores.online_store",
        "watertight.stores.compute_engine",
    ]
)
ENDS_WITHIN = 60.0


class Child:
    """Plays steps in a process of its own."""

    def __init__(self, player: Player, steps: Sequence[Step], zone: str = "UTC") -> None:
        self._told, telling = PROCESSES.Pipe(duplex=False)
        self.process = PROCESSES.Process(target=_live, args=(player.elsewhere(), list(steps), zone, telling), daemon=True)
        self.process.start()
        telling.close()

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, closed or rolled back by the process itself."""
        self.process.kill()
        self.process.join(ENDS_WITHIN)

    def died(self) -> None:
        """Wait until it has been killed; raises AssertionError where it came to an end by itself."""
        self.process.join(ENDS_WITHIN)
        if self.process.exitcode != -signal.SIGKILL:
            raise AssertionError(f"not killed, but ended with {self.process.exitcode}: {self._heard()}")

    def done(self) -> None:
        """Wait for the end; raises AssertionError with what went wrong in the process."""
        wrong = self._heard()
        self.kill()
        if wrong:
            raise AssertionError(wrong)

    def _heard(self) -> str:
        try:
            return str(self._told.recv()) if self._told.poll(ENDS_WITHIN) else f"not done within {ENDS_WITHIN:.0f} s"
        except EOFError:
            return "the process died"


def _live(player: Player, steps: Sequence[Step], zone: str, telling: Connection) -> None:
    from tests.stores.online.player import at_home_in

    at_home_in(zone)
    try:
        player.play(steps)
    except AssertionError as wrong:
        telling.send(str(wrong))
    except Exception as wrong:
        telling.send(f"{type(wrong).__name__}: {wrong}")
    else:
        telling.send("")
