"""Progress with rate and time left: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Item = TypeVar("Item")
EVERY_SECONDS = 5.0


def track(items: Iterable[Item], total: int, what: str = "done") -> Iterator[Item]:
    """Yield ``items`` while telling how many of ``total`` are done, at which rate, and how long the rest will take."""
    yield from (_bar if sys.stderr.isatty() else _lines)(items, total, what)


def _bar(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        yield from progress.track(items, total=total)


def counted(total: Callable[[], int | None], what: str) -> Callable[[int], None]:
    """A function that is told how many more are done, and tells it in plain lines; ``total`` says what is known of the rest."""
    began = told = time.monotonic()
    done = 0

    def tell(more: int) -> None:
        nonlocal done, told
        done, now = done + more, time.monotonic()
        if now - told >= EVERY_SECONDS and done:
            told = now
            print(_line(what, done, total(), now - began), file=sys.stderr, flush=True)

    return tell


def _lines(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    tell = counted(lambda: total, what)
    for done, item in enumerate(items):
        tell(1 if done else 0)
        yield item


def _line(what: str, done: int, total: int | None, seconds: float) -> str:
    rate = done / seconds
    if total is None:
        return f"  {what}: {done}, {rate:.1f}/s"
    return f"  {what}: {done}/{total}, {rate:.1f}/s, {(total - done) / rate:.0f} s left"
