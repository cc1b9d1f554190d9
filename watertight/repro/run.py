"""Run what a plan leaves open: each stage when all that it reads is there, several at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from watertight.repro.plan import Plan, plan, settle
from watertight.repro.stage import FAILED, MISUSE, UNCHANGED

ENDS_WITHIN_SECONDS = 10.0


@dataclass(frozen=True)
class Outcome:
    """How a stage ended: ``ran``, ``unchanged``, ``failed`` or ``not run``; ``seconds`` is null where nothing was started."""

    stage: str
    status: str
    seconds: float | None = None
    exit_code: int = 0


def reproduce(targets: Sequence[str], jobs: int) -> list[Outcome]:
    """Bring ``targets`` (none: the whole ``dvc.yaml``) up to date, at most ``jobs`` stages at once, as ``dvc repro`` would.

    One outcome a stage, in the order of plain ``dvc repro``. A line a stage goes to standard error as it ends, with
    what a failed one printed. After a failure nothing new is started and what runs is waited for; ``exit_code`` of the
    failed stage is then 2 where its command ended with 2, else 1. ``dvc.lock`` is left with the bytes of plain
    ``dvc repro``, its new entries in the same order. On SIGINT or SIGTERM the stages that run get SIGINT, and
    KeyboardInterrupt is raised once they have ended. Raises Misuse where DVC cannot tell what to run.
    """
    run = _Run(plan(targets), asyncio.Semaphore(jobs))
    try:
        asyncio.run(run.all())
    except asyncio.CancelledError as error:
        raise KeyboardInterrupt from error
    finally:
        settle(run.plan)
    return [run.ended[name] for name in run.plan.upstream]


@dataclass
class _Run:
    plan: Plan
    slots: asyncio.Semaphore
    ended: dict[str, Outcome] = field(default_factory=dict)
    broken: bool = False

    async def all(self) -> None:
        """A task a stage; each waits for those of the stages that it reads, and then for a slot."""
        loop, whole = asyncio.get_running_loop(), asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, whole.cancel)  # type: ignore[union-attr]
        tasks: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            for name, upstream in self.plan.upstream.items():
                if name not in self.plan.due:
                    self._end(Outcome(name, "unchanged"))
                else:
                    tasks[name] = group.create_task(self._stage(name, [tasks[other] for other in upstream & self.plan.due]))

    async def _stage(self, name: str, upstream: list[asyncio.Task[None]]) -> None:
        for task in upstream:
            await task
        async with self.slots:
            if self.broken:
                self._end(Outcome(name, "not run"))
            else:
                self._end(*await self._start(name))

    async def _start(self, name: str) -> tuple[Outcome, bytes, bytes]:
        """Run one stage; how it ended and what it printed on either stream."""
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "watertight.repro.stage", name),
            cwd=self.plan.root,
            env={**os.environ, "DVC_NO_ANALYTICS": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            process_group=0,  # so that it can be ended together with all that it has started
        )
        try:
            printed, remarked = await process.communicate()
        finally:
            await _end_group(process)
        return _outcome(name, time.monotonic() - began, process.returncode or 0), printed, remarked

    def _end(self, outcome: Outcome, printed: bytes = b"", remarked: bytes = b"") -> None:
        """Note how a stage ended, and tell it, with what it printed; its progress and remarks only where it failed."""
        self.ended[outcome.stage] = outcome
        self.broken |= outcome.status == "failed"
        took = "" if outcome.seconds is None else f", {outcome.seconds:.1f} s"
        line = f"[{len(self.ended)}/{len(self.plan.upstream)}] {outcome.stage}: {outcome.status}{took}\n"
        told = printed + (remarked if outcome.status == "failed" else b"")
        sys.stderr.write(line + told.decode(errors="replace"))
        sys.stderr.flush()


def _outcome(name: str, seconds: float, code: int) -> Outcome:
    status = {0: "ran", UNCHANGED: "unchanged"}.get(code, "failed")
    return Outcome(name, status, round(seconds, 1), (MISUSE if code == MISUSE else FAILED) if status == "failed" else 0)


async def _end_group(process: asyncio.subprocess.Process) -> None:
    """Interrupt a stage that still runs, so that DVC can let go of its locks; kill it if that does not help."""
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.returncode is None:
            with suppress(ProcessLookupError, TimeoutError):
                os.killpg(process.pid, number)
                await asyncio.wait_for(process.communicate(), ENDS_WITHIN_SECONDS)
