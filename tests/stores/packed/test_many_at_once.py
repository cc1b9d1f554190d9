"""One file and many: processes that read while one writes, writers in turn, threads, forks, an event loop, other time zones."""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
from feast.types import Float64
from packed_store import NOON, A, Packed, item, numbers, view_of

from watertight.stores.packed import database

BOTH = view_of({"a": Float64, "b": Float64})
ROUNDS, KEYS = 30, list(range(40))


def write_rounds(folder: Path, rounds: range) -> None:
    packed = Packed(folder)
    for number in rounds:
        values, event = numbers(a=number, b=-number), NOON + timedelta(seconds=number)
        packed.store.online_write_batch(packed.config, BOTH, [(item(key), values, event, None) for key in KEYS], None)


def read_until_last(folder: Path, last: int) -> bool:
    """Whether every read is one round as a whole, and no round older than the one before."""
    packed, before = Packed(folder), 0.0
    while before < last:
        read = {(event, values["a"].double_val, values["b"].double_val) for event, values in packed.read(BOTH, *KEYS)}
        event, a, b = read.pop()
        if read or a != -b or event != NOON + timedelta(seconds=a) or a < before:
            return False
        before = a
    return True


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """``work`` in a process of its own, forked; its answer has to be true."""
    child = os.fork()
    if not child:
        fine = False
        with suppress(BaseException):
            fine = bool(work())
        os._exit(0 if fine else 1)
    yield
    assert os.waitpid(child, 0)[1] == 0


def test_processes_read_whole_writes_while_another_process_writes(tmp_path: Path) -> None:
    packed = Packed(tmp_path)
    packed.apply(BOTH)
    write_rounds(tmp_path, range(1))
    last = partial(read_until_last, tmp_path, ROUNDS - 1)
    with beside(last), beside(last), beside(lambda: write_rounds(tmp_path, range(1, ROUNDS)) is None):
        assert read_until_last(tmp_path, ROUNDS - 1)


def test_processes_write_in_turn(tmp_path: Path) -> None:
    packed = Packed(tmp_path)
    packed.apply(BOTH)
    with beside(lambda: write_rounds(tmp_path, range(0, 30, 2)) is None):
        write_rounds(tmp_path, range(1, 30, 2))
    assert packed.read(BOTH, *KEYS) == [(NOON + timedelta(seconds=29), numbers(a=29, b=-29))] * len(KEYS)


def test_writers_in_threads_take_turns_and_the_newest_stays(tmp_path: Path) -> None:
    packed = Packed(tmp_path)
    packed.apply(BOTH)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda first: write_rounds(tmp_path, range(first, 18, 6)), range(6)))
        reads = list(pool.map(lambda key: packed.read(BOTH, key)[0], KEYS))
    assert reads == [(NOON + timedelta(seconds=17), numbers(a=17, b=-17))] * len(KEYS)


def test_many_threads_make_one_new_store(tmp_path: Path) -> None:
    """Each with a store of its own, as processes have: who comes second finds the tables of who came first."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: Packed(tmp_path).write(A, key, numbers(a=key)), range(8)))
    assert [values for _, values in Packed(tmp_path).read(A, *range(8))] == [numbers(a=key) for key in range(8)]


def test_a_fork_opens_the_file_anew(tmp_path: Path) -> None:
    packed = Packed(tmp_path)
    packed.write(A, 1, numbers(a=1))
    with beside(lambda: packed.write(A, 2, numbers(a=2)) is None and packed.read(A, 1, 3)[1] == (None, None)):
        packed.write(A, 1, numbers(a=3))
    assert [values for _, values in packed.read(A, 1, 2)] == [numbers(a=3), numbers(a=2)]


class Told(sqlite3.Connection):
    """Notes that it goes."""

    gone: ClassVar[list[Told]] = []

    def __del__(self) -> None:
        self.gone.append(self)


def closes_at_once(packed: Packed) -> bool:
    asyncio.run(packed.store.close())
    return True


def reads_in_two_threads(packed: Packed) -> bool:
    """One is slow to learn in which process it is."""
    getpid, started = os.getpid, threading.Event()

    def slow() -> int:
        if threading.current_thread().name == "slow" and not started.is_set():
            started.set()
            time.sleep(0.2)
        return getpid()

    database.os.getpid = slow
    thread = threading.Thread(target=packed.read, args=(A, 1), name="slow")
    thread.start()
    started.wait(5)
    fine = packed.read(A, 1)[0][1] == numbers(a=1)
    thread.join()
    database.os.getpid = getpid
    return fine


def forks_again_and_closes(packed: Packed) -> bool:
    packed.read(A, 1)
    with beside(lambda: closes_at_once(packed) and packed.read(A, 1) and nothing_gone()):
        pass
    return True


def nothing_gone() -> bool:
    gc.collect()
    return not Told.gone


@pytest.mark.parametrize("work", [closes_at_once, reads_in_two_threads, forks_again_and_closes])
def test_a_fork_leaves_the_connections_of_its_parent_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[Packed], bool]
) -> None:
    """Not even the collector may close them there."""
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", partial(connect, factory=Told))
    packed = Packed(tmp_path)
    packed.write(A, 1, numbers(a=1))
    monkeypatch.setattr(sqlite3, "connect", connect)
    gc.collect()
    monkeypatch.setattr(Told, "gone", [])
    with beside(lambda: work(packed) and nothing_gone()):
        pass
    assert packed.read(A, 1) == [(NOON, numbers(a=1))]


@contextmanager
def writing_elsewhere(packed: Packed) -> Iterator[sqlite3.Connection]:
    """Another writer that holds the lock."""
    with closing(sqlite3.connect(packed.folder / "online_store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_a_reader_does_not_wait_for_a_writer_and_a_writer_gives_up_when_its_patience_ends(tmp_path: Path) -> None:
    packed = Packed(tmp_path, online={"busy_seconds": 0.2})
    packed.write(A, 1, numbers(a=1))
    with writing_elsewhere(packed):
        assert packed.read(A, 1) == [(NOON, numbers(a=1))]
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            packed.write(A, 1, numbers(a=2))
    packed.write(A, 1, numbers(a=3))
    assert packed.read(A, 1) == [(NOON, numbers(a=3))]


def test_the_event_loop_goes_on_while_a_write_waits(tmp_path: Path) -> None:
    packed = Packed(tmp_path)
    packed.write(A, 1, numbers(a=1))
    supported = packed.store.async_supported
    assert supported.read and supported.write

    async def both() -> tuple[int, object]:
        ticks = 0
        with writing_elsewhere(packed) as other:
            row = (item(1), numbers(a=2), NOON, None)
            write = asyncio.create_task(packed.store.online_write_batch_async(packed.config, A, [row], None))
            for _ in range(20):
                await asyncio.sleep(0.005)
                ticks += not write.done()
            other.execute("ROLLBACK")
            await write
        return ticks, await packed.store.online_read_async(packed.config, A, [item(1)], ["a"])

    assert asyncio.run(both()) == (20, [(NOON, numbers(a=2))])


HOUR_THAT_BERLIN_SKIPS = datetime(2026, 3, 29, 2, 30, 0, 123456)


def in_zone(zone: str, folder: Path, write: bool) -> bool:
    os.environ["TZ"] = zone
    time.tzset()
    packed = Packed(folder)
    if write:
        packed.write(A, 1, numbers(a=1), HOUR_THAT_BERLIN_SKIPS)
    return packed.read(A, 1) == [(HOUR_THAT_BERLIN_SKIPS.replace(tzinfo=UTC), numbers(a=1))]


def test_processes_in_different_zones_see_one_instant(tmp_path: Path) -> None:
    """A time without a zone is in UTC, in every process; to its microsecond."""
    with beside(lambda: in_zone("Europe/Berlin", tmp_path, write=True)):
        pass
    with beside(lambda: in_zone("Asia/Kolkata", tmp_path, write=False)):
        pass
