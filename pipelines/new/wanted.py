"""What the user of `watertight new` says of a sample; the rest is guessed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wanted:
    """The sample ``file`` and its columns by their names in it: ``targets`` (at least one), ``group`` and ``time`` of asking.

    ``text``, ``row_id`` and ``labelled_at`` are guessed where they are empty or None.
    """

    file: Path
    targets: tuple[str, ...]
    group: str
    time: str
    text: tuple[str, ...] = ()
    row_id: str | None = None
    labelled_at: str | None = None

    def named(self) -> Iterator[tuple[str, str]]:
        """Each column that is named, as (option, column)."""
        yield from (("--target", name) for name in self.targets)
        yield from (("--group", self.group), ("--time", self.time))
        yield from (("--text", name) for name in self.text)
        yield from ((option, name) for option, name in self._single() if name)

    def _single(self) -> Iterator[tuple[str, str | None]]:
        yield from (("--row-id", self.row_id), ("--labelled-at", self.labelled_at))
