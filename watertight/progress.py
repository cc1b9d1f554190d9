"""Progress with rate and time left: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
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


def _lines(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    began = told = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if now - told >= EVERY_SECONDS and done:
            told, rate = now, done / (now - began)
            print(f"  {what}: {done}/{total}, {rate:.1f}/s, {(total - done) / rate:.0f} s left", file=sys.stderr, flush=True)
        yield item
