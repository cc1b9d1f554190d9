"""Which views the store holds, and in which order the values of a row are packed."""

from __future__ import annotations

import json
import secrets
import sqlite3
from functools import lru_cache
from typing import Any, NamedTuple

from feast import RepoConfig
from feast.feature_view import FeatureView

from watertight.core.errors import Misuse


class ViewKey(NamedTuple):
    """By what a view's rows are found: version 0 is the only or first one."""

    project: str
    view: str
    version: int


class StoredView(NamedTuple):
    """A view's table; ``changes`` is a random number that everything that is written to it draws anew, 0 while it is empty."""

    id: int
    changes: int

    @property
    def rows(self) -> str:
        """The name of the table."""
        return f"rows_{self.id}"


def key_of(config: RepoConfig, table: Any) -> ViewKey:
    """Where a view's rows belong; its version counts where the registry keeps online versions apart."""
    version = 0
    if config.registry.enable_online_feature_view_versioning:
        tagged = getattr(table.projection, "version_tag", None)
        version = (tagged if tagged is not None else getattr(table, "current_version_number", None)) or 0
    return ViewKey(config.project, table.name, version)


def find(connection: sqlite3.Connection, key: ViewKey) -> StoredView | None:
    """The view's table; None if it has none."""
    asked = "SELECT id, changes FROM views WHERE project = ? AND view = ? AND version = ?"
    row = connection.execute(asked, key).fetchone()
    return StoredView(*row) if row else None


def found(connection: sqlite3.Connection, key: ViewKey) -> StoredView:
    """The view's table; raises Misuse if it has none, naming the views that have one."""
    stored = find(connection, key)
    if stored is None:
        views = connection.execute("SELECT DISTINCT view FROM views WHERE project = ? ORDER BY view", (key.project,))
        raise Misuse(
            f"view {key.view!r} of project {key.project!r} is not in the online store",
            expected=", ".join(name for (name,) in views) or "a view that was applied",
            next_step="run `feast apply` with this view, online",
        )
    return stored


def ensure(connection: sqlite3.Connection, key: ViewKey, wide: bool) -> StoredView:
    """The view's table, made if there is none: ``wide`` says that rows are long, such as embeddings are.

    Short rows lie in the tree of the keys itself; long ones would make that tree deep, and lie beside it.
    """
    stored = find(connection, key)
    if stored is not None:
        return stored
    connection.execute("INSERT INTO views (project, view, version) VALUES (?, ?, ?)", key)
    made = found(connection, key)
    connection.execute(
        f"CREATE TABLE {made.rows} (entity_key BLOB PRIMARY KEY NOT NULL, event_us INTEGER NOT NULL, created_us INTEGER,"
        f" layout INTEGER NOT NULL, packed BLOB NOT NULL){'' if wide else ' WITHOUT ROWID'}"
    )
    return made


def drop(connection: sqlite3.Connection, project: str, view: str) -> None:
    """Remove a view's rows, of all its versions."""
    versions = connection.execute("SELECT id, changes FROM views WHERE project = ? AND view = ?", (project, view)).fetchall()
    for row in versions:
        connection.execute(f"DROP TABLE {StoredView(*row).rows}")
    connection.execute("DELETE FROM views WHERE project = ? AND view = ?", (project, view))


def touch(connection: sqlite3.Connection, stored: StoredView) -> None:
    """Tell whoever keeps something of the view that it has changed.

    By a random number, not by a count: another file that is put in place, a copy that was written further among them,
    may have as many changes to a view of the same id.
    """
    connection.execute("UPDATE views SET changes = ? WHERE id = ?", (secrets.randbits(63), stored.id))


def layout_id(connection: sqlite3.Connection, names: tuple[str, ...]) -> int:
    """The number by which rows name the order of their values."""
    written = json.dumps(names)
    connection.execute("INSERT OR IGNORE INTO layouts (names) VALUES (?)", (written,))
    number: int = connection.execute("SELECT id FROM layouts WHERE names = ?", (written,)).fetchone()[0]
    return number


def layout(connection: sqlite3.Connection, number: int) -> tuple[str, ...]:
    """The features of a row in the order in which they are packed."""
    return _parsed(connection.execute("SELECT names FROM layouts WHERE id = ?", (number,)).fetchone()[0])


@lru_cache(maxsize=1024)
def _parsed(names: str) -> tuple[str, ...]:
    return tuple(json.loads(names))


def is_wide(table: FeatureView) -> bool:
    """Whether a view has a feature of many values."""
    return any(feature.dtype.to_value_type().name.endswith(("_LIST", "_SET")) for feature in table.features)
