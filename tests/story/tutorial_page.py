"""The tutorial's blocks: files to save, commands to run with what they must print, and parts of files to be found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

LEFT_OUT = "…"
NUMBER = r"[\[(]?-?\d+\.\d{3,4}[\]),;]*"
ABOUT = 0.03
"""By so much a figure may differ where another processor rounds differently."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its ``kind``, its ``lines``, and the text of the page ``before`` it."""

    kind: str
    lines: tuple[str, ...]
    before: str

    @property
    def saved_as(self) -> str | None:
        """The name under which the reader saves it: a comment in its first line."""
        found = re.fullmatch(r"# (\w+\.py)", self.lines[0])
        return found[1] if found else None

    @property
    def part_of(self) -> str:
        """The file that it shows a part of: the last one that was named before it."""
        return re.findall(r"`([\w/]+\.(?:sql|yaml|py))`", self.before)[-1]

    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Each command with the lines that it must print."""
        shown: list[str] = []
        command = ""
        for line in (*self.lines, "$ "):
            if not line.startswith("$ "):
                shown.append(line)
                continue
            if command:
                yield command, shown
            command, shown = line.removeprefix("$ "), []


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page in their order."""
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        yield Block(found[1], tuple(found[2].splitlines()), page[: found.start()])


def refused(shown: Sequence[str]) -> bool:
    """Whether the page shows an error: they all say what comes next, indented."""
    return any(line.startswith("  next: ") for line in shown)


def not_printed(shown: Sequence[str], printed: str) -> list[str]:
    """The lines shown that are not printed in this order, blanks aside; figures may differ by ABOUT."""
    rest = iter(printed.splitlines())
    return [line for line in shown if line.strip() not in ("", LEFT_OUT) and not any(_same(line, other) for other in rest)]


def _same(shown: str, printed: str) -> bool:
    words, others = shown.split(), printed.split()
    if words and words[-1] == LEFT_OUT:
        words.pop()
        others = others[: len(words)]
    return all(_alike(word, other) for word, other in zip_longest(words, others, fillvalue=""))


def _alike(word: str, other: str) -> bool:
    if re.fullmatch(NUMBER, word) and re.fullmatch(NUMBER, other):
        return abs(_number(word) - _number(other)) <= ABOUT
    return word == other


def _number(word: str) -> float:
    return float(word.strip("[](),;"))
