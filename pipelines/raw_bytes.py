"""The bytes of a raw file: whole and within bounds, or refused before they fill the memory."""

from __future__ import annotations

import gzip
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from watertight.core.errors import Misuse, Refusal

MOST_BYTES = 2**31 - 2**20
LONGEST_LINE = 2**24
MOST_EXPANSION, EXPANSION_FROM = 200, 2**26
CHUNK = 2**20
GZIP = ".gz"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MARKS = {
    b"\x1f\x8b": ("is packed with gzip once more than its name says", "the ending .gz once, for a file packed once"),
    b"PK\x03\x04": ("is a zip archive or a spreadsheet", "a file as exported, or packed with gzip (.gz)"),
    b"PAR1": ("is a Parquet file", "the ending .parquet"),
    b"\xff\xfe": ("is in UTF-16 or UTF-32", "UTF-8"),
    b"\xfe\xff": ("is in UTF-16", "UTF-8"),
    b"\x00\x00\xfe\xff": ("is in UTF-32", "UTF-8"),
}


@dataclass(frozen=True)
class Raw:
    """A raw file: where it is, its ``kind`` (``.csv``, …), and whether it is packed with gzip.

    ``unlabelled``: its rows are to be predicted, and no label is looked for.
    """

    path: Path
    kind: str
    packed: bool
    unlabelled: bool = False

    @classmethod
    def at(cls, path: Path, unlabelled: bool = False) -> Raw:
        """The file as its name tells it; raises nothing, and looks at nothing but the name."""
        packed = path.suffix.lower() == GZIP
        return cls(path, (Path(path.stem).suffix if packed else path.suffix).lower(), packed, unlabelled)

    def refused(self, reason: str, expected: str, step: str = "", column: str = "", lines: Sequence[int] = ()) -> Refusal:
        """The refusal of this file; ``step`` is what the user does, ``lines`` are numbers of lines, from 1."""
        return Refusal(
            f"{self.path.name} {reason}",
            column=column or None,
            rows=[f"line {line}" for line in lines],
            expected=expected,
            next_step=f"{step or 'mend the file, or get it again'}; nothing was changed",
        )

    def demand_regular(self) -> None:
        """Raise Misuse where there is no such file, Refusal where it is a folder, a pipe or a device: reading might block."""
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError as error:
            raise Misuse(f"{self.path} is not there", expected="a file in the source's own format") from error
        if not stat.S_ISREG(mode):
            raise self.refused("is no regular file", "a file, or a link to one", "write the data to a file first")

    @contextmanager
    def opened(self) -> Iterator[tuple[BinaryIO, BinaryIO]]:
        """The stream of its bytes as unpacked, and of those on the disk."""
        with self.path.open("rb") as disk:
            if not self.packed:
                yield disk, disk
                return
            with gzip.GzipFile(fileobj=disk) as unpacked:
                yield unpacked, disk  # type: ignore[misc]

    def whole(self, most: int = MOST_BYTES, longest_line: int | None = None) -> bytearray:
        """All bytes as unpacked. Raises Refusal beyond ``most`` bytes, where gzip expands beyond measure, or for a long line.

        ``longest_line`` in bytes; None where line ends mean nothing. Holds no more than it returns.
        """
        if not self.packed and self.path.stat().st_size > most:
            raise self._too_large(most)
        data, line = bytearray(), 0
        with self.opened() as (stream, disk):
            while chunk := stream.read(CHUNK):
                if longest_line is not None:
                    line = self._unbroken(line, chunk, data, longest_line)
                data += chunk
                self._demand_measure(len(data), disk, most)
        return data

    def text(self, most: int = MOST_BYTES, longest_line: int | None = LONGEST_LINE) -> bytearray:
        """As :meth:`whole`, of a file of text: without its byte order mark; raises Refusal where it is empty or no UTF-8 text."""
        with self.opened() as (stream, _):
            self._demand_text(stream.read(4))
        data = self.whole(most, longest_line)
        if data.startswith(BYTE_ORDER_MARK):
            del data[: len(BYTE_ORDER_MARK)]
        if not data or data.isspace():
            raise self.refused("is empty", "a header and at least one row", "get the whole file")
        return data

    def _demand_text(self, start: bytes) -> None:
        for mark, (reason, expected) in MARKS.items():
            if start.startswith(mark):
                raise self.refused(reason, expected, "write it as UTF-8 text of the kind that its name says")

    def _unbroken(self, line: int, chunk: bytes, before: bytearray, longest: int) -> int:
        """Bytes since the last line end after ``chunk``; raises Refusal where a line became longer than ``longest``."""
        first, last = chunk.find(b"\n"), chunk.rfind(b"\n")
        if line + (len(chunk) if first < 0 else first) > longest:
            number = before.count(b"\n") + 1
            reason = f"has a line of more than {_size(longest)}"
            raise self.refused(reason, f"lines of at most {_size(longest)}", lines=[number])
        return line + len(chunk) if last < 0 else len(chunk) - last - 1

    def _demand_measure(self, size: int, disk: BinaryIO, most: int) -> None:
        if size > most:
            raise self._too_large(most)
        if self.packed and size > EXPANSION_FROM and size > MOST_EXPANSION * disk.tell():
            raise self.refused(
                f"expands more than {MOST_EXPANSION}-fold: {_size(disk.tell())} gave {_size(size)}, and it goes on",
                f"a file that gzip made at most {MOST_EXPANSION} times smaller",
                "unpack it where there is room, and look at it",
            )

    def _too_large(self, most: int) -> Refusal:
        return self.refused(f"is larger than {_size(most)} unpacked", f"at most {_size(most)}", "split it into several drops")


def _size(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB"
