"""Feast's Redis and PostgreSQL stores on real servers, and every record that is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from servers import PostgresServer, RedisServer

Records = dict[Any, Any]


@dataclass(frozen=True)
class InRedis:
    server: RedisServer

    def online_store(self, **options: Any) -> dict[str, Any]:
        return self.server.online_store(**options)

    def emptied(self) -> InRedis:
        self.server.emptied()
        return self

    def records(self) -> Records:
        """Per key its hash."""
        client = self.server.client()
        return {key: client.hgetall(key) for key in client.scan_iter()}

    def rows(self) -> int:
        return int(self.server.client().dbsize())


@dataclass(frozen=True)
class InPostgres:
    server: PostgresServer

    def online_store(self, **options: Any) -> dict[str, Any]:
        return self.server.online_store(**options)

    def emptied(self) -> InPostgres:
        self.server.emptied()
        return self

    def records(self) -> Records:
        """Per table, entity key and feature the other columns."""
        with self.server.connection() as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
            read = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in tables}
        return {(table, row[0], row[1]): row[2:] for table, rows in read.items() for row in rows}

    def rows(self) -> int:
        with self.server.connection() as connection:
            return int(connection.execute("SELECT count(DISTINCT entity_key) FROM p_stats").fetchone()[0])


def place_of(name: str, request: pytest.FixtureRequest) -> InRedis | InPostgres:
    server = request.getfixturevalue(f"{name}_server")
    return InRedis(server).emptied() if name == "redis" else InPostgres(server).emptied()
