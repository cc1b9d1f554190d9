"""Real servers for the tests of online stores: each on a free port, in a folder of its own, stopped at the end.

A test that asks for one is skipped, with the reason, where the server is not installed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HOST = "127.0.0.1"
USER = "feast"
STARTS_WITHIN = 30.0


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, and the process that is it."""

    port: int
    process: subprocess.Popen[bytes]


class RedisServer(Server):
    def online_store(self, **options: Any) -> dict[str, Any]:
        """The ``online_store`` of a ``feature_store.yaml``."""
        return {"type": "redis", "connection_string": f"{HOST}:{self.port}", **options}

    def client(self) -> Any:
        redis = pytest.importorskip("redis")
        return redis.Redis(host=HOST, port=self.port)

    def emptied(self) -> RedisServer:
        self.client().flushall()
        return self


class PostgresServer(Server):
    def online_store(self, **options: Any) -> dict[str, Any]:
        """The ``online_store`` of a ``feature_store.yaml``."""
        place = {
            "host": HOST,
            "port": self.port,
            "database": USER,
            "db_schema": "public",
            "user": USER,
            "password": USER,
            "sslmode": "disable",
        }
        return {"type": "postgres", **place, **options}

    def connection(self) -> Any:
        psycopg = pytest.importorskip("psycopg")
        return psycopg.connect(host=HOST, port=self.port, dbname=USER, user=USER, autocommit=True)

    def emptied(self) -> PostgresServer:
        with self.connection() as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """What an earlier test left is in it until ``emptied()`` is called."""
    with redis_running() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """What an earlier test left is in it until ``emptied()`` is called."""
    with postgres_running() as server:
        yield server


@contextmanager
def redis_running() -> Iterator[RedisServer]:
    """A Redis server without persistence."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed")
    with _folder() as folder:
        port = _free_port()
        process = _start([binary, "--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "no"], folder)
        with _running(RedisServer(port, process), folder, signal.SIGTERM) as server:
            yield server


@contextmanager
def postgres_running() -> Iterator[PostgresServer]:
    """A PostgreSQL server without fsync, with one database."""
    binaries = _postgres_binaries()
    with _folder() as folder:
        initdb = [binaries / "initdb", "-D", folder / "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run([str(part) for part in initdb], check=True, capture_output=True, cwd=folder, **_unprivileged())
        port = _free_port()
        options = ["-p", str(port), "-h", HOST, "-k", str(folder), "-F", "-c", "full_page_writes=off"]
        process = _start([str(binaries / "postgres"), "-D", str(folder / "data"), *options], folder, **_unprivileged())
        with _running(_with_database(PostgresServer(port, process), folder), folder, signal.SIGINT) as server:
            yield server


def _with_database(server: PostgresServer, folder: Path) -> PostgresServer:
    psycopg = pytest.importorskip("psycopg")
    _await(server, folder)
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            with psycopg.connect(host=HOST, port=server.port, dbname="postgres", user=USER, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {USER}")
            return server
        except psycopg.OperationalError:  # It listens before it has recovered.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _postgres_binaries() -> Path:
    """The folder of PostgreSQL's programs: Debian puts them where no PATH leads."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not places:
        pytest.skip("PostgreSQL is not installed")
    return places[-1]


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def _folder() -> Iterator[Path]:
    """A short path that another user may enter, too: pytest's own folders are closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="wt-server-"))
    if os.geteuid() == 0:
        folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def _start(command: list[str], folder: Path, **options: Any) -> subprocess.Popen[bytes]:
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **options)


@contextmanager
def _running(server: Any, folder: Path, stop: signal.Signals) -> Iterator[Any]:
    try:
        _await(server, folder)
        yield server
    finally:
        server.process.send_signal(stop)
        server.process.wait(timeout=STARTS_WITHIN)


def _await(server: Server, folder: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and server.process.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex((HOST, server.port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"the server did not start: {(folder / 'log').read_text(encoding='utf-8')}")
