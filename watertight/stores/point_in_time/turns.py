"""Writers of one place on this machine take turns."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """Wait until no other thread or process is in here for this place; the lock of a process ends with it, however it ends.

    It is held on a hidden file beside the place, which is gone when nobody waits. It holds on local file systems.
    """
    file = place.parent / f".{place.name}.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    with _locked(file):
        try:
            yield
        finally:
            file.unlink()


def _locked(file: Path) -> IO[str]:
    while True:
        lock = file.open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Whoever had it before has deleted the file that was locked; another may be in its place.
        if _is_at(lock, file):
            return lock
        lock.close()


def _is_at(lock: IO[str], file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock.fileno()), file.stat())
    except FileNotFoundError:
        return False
