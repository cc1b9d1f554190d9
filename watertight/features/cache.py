"""Content-addressed cache of what is computed of a text, as vectors: each text is embedded once per encoder, ever."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from watertight.core.errors import Misuse

Vector = NDArray[np.float32]

_STORED = np.dtype("<f4")
_ASKED_AT_ONCE = 900
_BUSY_SECONDS = 60.0
_PAUSE_SECONDS = 0.02
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS vectors (digest BLOB PRIMARY KEY, vector BLOB NOT NULL)",
)
# Another process may have stored the same text meanwhile: the first stays, unless its length shows damage.
_PUT = (
    "INSERT INTO vectors VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET vector = excluded.vector "
    "WHERE length(vectors.vector) != length(excluded.vector)"
)


class CacheUnusable(Misuse):
    """The cache file cannot be read or written; the message names the file and what to do."""


def text_digest(text: str) -> bytes:
    """The key of a text: sha256 of its UTF-8 bytes, 32 bytes, nothing normalised."""
    return hashlib.sha256(text.encode()).digest()


class VectorCache:
    """Vectors of one ``space`` (what they depend on besides the text, such as an encoder) by ``text_digest``.

    The file is ``<root>/<folder>/<space>.sqlite``, SQLite in WAL mode. Every ``write`` is one transaction,
    so a killed process leaves whole vectors or none, and several processes may share the file. A stored
    vector of the wrong length counts as missing and is replaced by the next ``write``. Deleting the file
    changes nothing but time. Use it as a context manager.

    Raises CacheUnusable, from any method, if the file is damaged or stays locked for a minute.
    """

    def __init__(self, root: Path, space: str, folder: str = "embeddings") -> None:
        self.path = root / folder / f"{space}.sqlite"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._named():
            self._db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
            self._switch_to_wal()
            self._db.execute("PRAGMA synchronous = NORMAL")
            with self._transaction():
                for statement in _SCHEMA:
                    self._db.execute(statement)

    def __enter__(self) -> VectorCache:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._db.close()

    def read(self, digests: Sequence[bytes]) -> dict[bytes, Vector]:
        """The vectors that are here, float32 (dimension,), by digest; the others are simply not in the
        answer."""
        with self._named():
            length = self._dimension() * _STORED.itemsize
            found: dict[bytes, Vector] = {}
            for start in range(0, len(digests), _ASKED_AT_ONCE):
                rows = self._rows(digests[start : start + _ASKED_AT_ONCE])
                found.update((key, np.frombuffer(blob, _STORED)) for key, blob in rows if len(blob) == length)
            return found

    def write(self, digests: Sequence[bytes], vectors: Vector) -> None:
        """Store ``vectors`` (digests by dimension) in one transaction.

        Raises ValueError if the number of rows or the dimension is not the one this space began with.
        """
        rows = np.ascontiguousarray(vectors, dtype=_STORED)
        if rows.ndim != 2 or len(rows) != len(digests):
            raise ValueError(f"{len(digests)} digests need as many vectors, not shape {rows.shape}")
        with self._named(), self._transaction():
            self._db.execute("INSERT OR IGNORE INTO facts VALUES ('dimension', ?)", (rows.shape[1],))
            if (dimension := self._dimension()) != rows.shape[1]:
                raise ValueError(f"{self.path} holds {dimension} numbers a vector, not {rows.shape[1]}")
            self._db.executemany(_PUT, zip(digests, map(np.ndarray.tobytes, rows), strict=True))

    def _switch_to_wal(self) -> None:
        # Where several connections do this to a new file, SQLite refuses at once instead of waiting its turn.
        for left in reversed(range(round(_BUSY_SECONDS / _PAUSE_SECONDS))):
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not left:
                    raise
                time.sleep(_PAUSE_SECONDS)

    def _rows(self, digests: Sequence[bytes]) -> sqlite3.Cursor:
        marks = ",".join("?" * len(digests))
        return self._db.execute(f"SELECT digest, vector FROM vectors WHERE digest IN ({marks})", digests)

    def _dimension(self) -> int:
        row = self._db.execute("SELECT value FROM facts WHERE name = 'dimension'").fetchone()
        return row[0] if row else 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        # IMMEDIATE takes the write lock at once and waits for it; a later upgrade could fail without waiting.
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise CacheUnusable(
                f"{self.path}: {error}. Next: see that the disk has room, the folder can be written to and "
                "no other process holds the file; or name another folder in WATERTIGHT_CACHE"
            ) from error
        except sqlite3.DatabaseError as error:
            raise CacheUnusable(
                f"{self.path} is damaged: {error}. Next: delete it, with its -wal and -shm files; that costs "
                "nothing but time, as the texts are looked at again"
            ) from error
