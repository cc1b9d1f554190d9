"""One SQLite file for many threads and processes: readers are never blocked, writers wait for one another."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from watertight.core.errors import Misuse

APPLICATION = 0x57544F53
"""``PRAGMA application_id``: by this a file is known to be ours."""
FORMAT = 1
"""``PRAGMA user_version``: how the tables are laid out."""
PAGE_BYTES = 8192
MAPPED_BYTES = 1 << 30
CACHE_KIB = 65_536
"""Of pages that a transaction has changed; what is only read is mapped, and shared by all threads and processes."""
ABSENT_SECONDS = 0.1
"""How long to look for a file that is not there: who replaces its folder moves the old one away first."""

_TABLES = (
    "CREATE TABLE views (id INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT NOT NULL, view TEXT NOT NULL,"
    " version INTEGER NOT NULL, changes INTEGER NOT NULL DEFAULT 0, UNIQUE (project, view, version))",
    "CREATE TABLE layouts (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {FORMAT}",
)


class _Held(NamedTuple):
    connection: sqlite3.Connection
    file: tuple[int, int]


class Database:
    """A file and, per thread and process, a connection to it; ``patience`` is how many seconds a writer waits for another."""

    def __init__(self, path: Path, patience: float) -> None:
        self.path = path
        self._patience = patience
        self._processes: dict[int, threading.local] = {}

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One snapshot for everything that is read within; raises Misuse if there is no store yet."""
        with _transaction(self._connection(make=False), "BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All of what is written within, or nothing of it; waits for another writer. The file is made if there is none."""
        with _transaction(self._connection(make=True), "BEGIN IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Close this thread's connection; of a file that nobody else has open, the write-ahead log goes with it."""
        held: _Held | None = vars(self._threads).pop("held", None)
        if held is not None:
            held.connection.close()

    @property
    def _threads(self) -> threading.local:
        """What this process holds.

        SQLite's connections must not cross a fork, not even to be closed: those of the processes before stay referenced.
        Without a lock, which a fork might find taken for good; ``setdefault`` is atomic.
        """
        return self._processes.setdefault(os.getpid(), threading.local())

    def _connection(self, make: bool) -> sqlite3.Connection:
        held: _Held | None = getattr(self._threads, "held", None)
        there = self._file(make, 0.0 if make and held is None else ABSENT_SECONDS)
        if held is None or held.file != there:
            self.close()
            held = self._threads.held = self._settled(there, make)
        return held.connection

    def _file(self, make: bool, patience: float) -> tuple[int, int]:
        """Which file is in place. Where none is after ``patience`` seconds, ``make`` an empty one, or raise Misuse."""
        until = time.monotonic() + patience
        while (there := _identity(self.path)) is None:
            if time.monotonic() < until:
                time.sleep(0.002)
            elif make:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.touch()
            else:
                raise Misuse(
                    f"there is no online store at {self.path}",
                    expected="a file that was written by apply, materialize or a push",
                    next_step="run `feast apply`, or mend online_store.path",
                )
        return there

    def _settled(self, there: tuple[int, int], make: bool) -> _Held:
        """A connection to the file that is in place before and after it is opened: another may be put there meanwhile."""
        while True:
            try:
                connection = self._opened()
            except sqlite3.OperationalError:
                if _identity(self.path) == there:
                    raise
            else:
                if _identity(self.path) == there:
                    return _Held(connection, there)
                connection.close()
            there = self._file(make, ABSENT_SECONDS)

    def _opened(self) -> sqlite3.Connection:
        # A plain path would be made where it is absent, in the way of the file that is about to be put there.
        address = f"{self.path.as_uri()}?mode=rw"
        connection = sqlite3.connect(address, uri=True, timeout=self._patience, isolation_level=None)
        with _transaction(connection, "BEGIN"):
            there = _is_ours(connection, self.path)
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        if not there:
            self._patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))
            with _transaction(connection, "BEGIN IMMEDIATE"):
                for statement in _TABLES if not _is_ours(connection, self.path) else ():
                    connection.execute(statement)
        return connection

    def _patiently(self, step: Callable[[], object]) -> None:
        """SQLite does not wait by itself for the lock under which a file goes over to a write-ahead log."""
        until = time.monotonic() + self._patience
        while True:
            try:
                step()
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file lies there: whoever rebuilds a store may put another in its place."""
    try:
        told = path.stat()
    except FileNotFoundError:
        return None
    return told.st_dev, told.st_ino


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[sqlite3.Connection]:
    connection.execute(begin)
    try:
        yield connection
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the tables are there; False of an empty file. Raises Misuse of a file that something else has written.

    To be called within a transaction: another process may be making the tables at this very moment.
    """
    try:
        marks = tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
            raise
        marks, tables = (), 1
    if tables and marks != (APPLICATION, FORMAT):
        raise Misuse(
            f"{path} was not written by this online store",
            expected="a file of its own, or none yet",
            next_step="give online_store.path another name (Feast's own SQLite store keeps other tables), then materialize",
        )
    return bool(tables)
