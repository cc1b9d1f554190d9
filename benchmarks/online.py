"""Materialisation and reads online: our engine and our embedded store beside Feast's.

    PYTHONPATH=. python benchmarks/online.py                # everything, as in docs/online.md
    PYTHONPATH=. python benchmarks/online.py --only read    # one part: write, memory, read, serve, search
    PYTHONPATH=. python benchmarks/online.py --quick        # small sizes, in seconds: do the counts and answers agree?

Redis and PostgreSQL are started by the script, where they are installed, and told as absent where not. Each measurement is a
process of its own, forked from one that has imported Feast; before it is measured it materialises ten rows, so that nothing is
imported later. Memory is the process's peak (ru_maxrss) less what it was then. Ours and Feast's take turns; told are medians.
Every answer is compared with the source's rows; the script ends with an error where one differs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import platform
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Array, Float32, Int64

from benchmarks.online_conformance import OURS
from tests.stores.online.elsewhere import PROCESSES
from tests.stores.online.player import quietly
from tests.stores.servers import postgres_running, redis_running

PARTS = ("write", "memory", "read", "serve", "search")
MONDAY = datetime(2024, 3, 4, tzinfo=UTC)
START, END = MONDAY - timedelta(days=1), MONDAY + timedelta(days=30)
NAMES, DIMENSION, ASKED = [f"f{number}" for number in range(10)], 384, (1, 100, 1_000)
OUR_ENGINE = {"batch_engine": OURS["batch_engine"]}
SQLITE = {"online_store": {"type": "sqlite", "path": "online_store.db"}}


@dataclass(frozen=True)
class Sizes:
    """How much is measured: rows of ten floats, rows of a vector, rows for memory, vectors searched, reads of each size."""

    floats: int = 100_000
    vectors: int = 20_000
    memory: tuple[int, ...] = (100_000, 300_000, 1_000_000)
    feast_up_to: int = 300_000
    searched: int = 100_000
    reads: tuple[int, ...] = (1_000, 300, 60)
    repeats: int = 3


QUICK = Sizes(floats=2_000, vectors=300, memory=(1_000, 2_000), searched=500, reads=(20, 5, 3), repeats=1)


@dataclass(frozen=True)
class Job:
    """A project: its folder, the sections of its feature_store.yaml, and the Parquet file that its view reads."""

    folder: Path
    sections: dict[str, Any]
    source: Path

    @property
    def vectors(self) -> bool:
        return self.source.name.startswith("vectors")

    def config(self) -> dict[str, Any]:
        """The whole feature_store.yaml."""
        registry = {"registry_type": "sql", "path": f"sqlite:///{self.folder / 'registry.db'}"}
        own = {"project": "bench", "provider": "local", "registry": registry, "entity_key_serialization_version": 3}
        return {**own, "offline_store": {"type": "duckdb"}, **self.sections}

    def store(self) -> FeatureStore:
        return FeatureStore(config=RepoConfig(**self.config(), repo_path=self.folder))

    def views(self) -> list[Any]:
        """The driver, the view, and one like it of ten rows."""
        driver = Entity(name="driver", join_keys=["driver"], value_type=ValueType.INT64)
        vector = Field(
            name="vector", dtype=Array(Float32), vector_index=True, vector_length=DIMENSION, vector_search_metric="cosine"
        )
        features = [vector] if self.vectors else [Field(name=name, dtype=Float32) for name in NAMES]
        made = [driver]
        for name, path in (("stats", self.source), ("few", first_rows(self.source))):
            source = FileSource(
                name=f"{name}_file", path=str(path), timestamp_field="event_timestamp", created_timestamp_column="created"
            )
            made.append(
                FeatureView(name=name, entities=[driver], schema=[Field(name="driver", dtype=Int64), *features], source=source)
            )
        return made


def main() -> None:
    """Print the machine, and a table per part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    sizes = QUICK if asked.quick else Sizes()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="online-", ignore_cleanup_errors=True) as folder:
        for part in asked.only or PARTS:
            print(f"\n### {part}\n", flush=True)
            globals()[f"tell_{part}"](Path(folder), sizes)


def machine() -> str:
    """What it ran on."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.is_file() else []
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    versions = ", ".join(f"{package} {version(package)}" for package in ("feast", "pyarrow", "duckdb", "redis", "psycopg"))
    return f"{name}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}"


def tell_write(folder: Path, sizes: Sizes) -> None:
    """Rows a second and peak memory of a materialisation."""
    with ExitStack() as servers:
        known = targets(servers)
        print("| into | rows | rows/s: ours | Feast | ratio | peak MB: ours | Feast | on disk MB: ours | Feast | ratio |")
        print(f"| --- | --- |{' ---: |' * 8}")
        for name, (ours, feasts, emptied) in known.items():
            for source, what in (
                (floats(folder, sizes.floats), f"{sizes.floats:,} × 10 floats"),
                (vectors(folder, sizes.vectors), f"{sizes.vectors:,} × {DIMENSION}-d"),
            ):
                both = alternating(folder, sizes.repeats, source, (ours, feasts), emptied)
                rates = [source_rows(source) / median(one, "seconds") for one in both]
                peaks, disks = ([median(one, key) for one in both] for key in ("peak", "disk"))
                disk = f"{disks[0]:.1f} | {disks[1]:.1f} | {disks[0] / disks[1]:.2f}" if disks[0] else "– | – | –"
                print(
                    f"| {name} | {what} | {rates[0]:,.0f} | {rates[1]:,.0f} | {rates[0] / rates[1]:.1f} | "
                    f"{peaks[0]:.0f} | {peaks[1]:.0f} | {disk} |",
                    flush=True,
                )


def tell_memory(folder: Path, sizes: Sizes) -> None:
    """Peak memory of a materialisation by the number of rows."""
    with ExitStack() as servers:
        known = targets(servers)
        print("| rows × 10 floats | embedded: ours, MB | Redis: ours, MB | SQLite: Feast, MB |\n| ---: | ---: | ---: | ---: |")
        for rows in sizes.memory:
            source = floats(folder, rows)
            told = [f"{rows:,}", f"{written(folder, source, OURS)['peak']:.0f}"]
            redis = known.get("Redis")
            if redis:
                redis[2]()
            told.append(f"{written(folder, source, redis[0])['peak']:.0f}" if redis else "–")
            told.append(f"{written(folder, source, SQLITE)['peak']:.0f}" if rows <= sizes.feast_up_to else "–")
            print(f"| {' | '.join(told)} |", flush=True)


def tell_read(folder: Path, sizes: Sizes) -> None:
    """Milliseconds of get_online_features, all ten features."""
    print(head_of_reads())
    jobs = ready(folder, floats(folder, sizes.floats))
    for keys, count in zip(ASKED, sizes.reads):
        print(
            line_of_reads(keys, in_turn(sizes.repeats, [partial(measured, read, job, keys, count) for job in jobs])),
            flush=True,
        )


def tell_serve(folder: Path, sizes: Sizes) -> None:
    """Milliseconds of a request to Feast's feature server, which runs on the one store or the other."""
    print(head_of_reads())
    with ExitStack() as servers:
        ports = [(job, servers.enter_context(serving(job))) for job in ready(folder, floats(folder, sizes.floats))]
        for keys, count in zip(ASKED, sizes.reads):
            turns = [partial(requested, job, port, keys, count) for job, port in ports]
            print(line_of_reads(keys, in_turn(sizes.repeats, turns)), flush=True)


def tell_search(folder: Path, sizes: Sizes) -> None:
    """Milliseconds of retrieve_online_documents_v2; Feast's SQLite store searches under Python 3.10 only."""
    source = vectors(folder, sizes.searched)
    job = Job(new_folder(folder), OURS, source)
    measured(write, job)
    told = measured(search, job, sizes.reads[2])
    print(f"| {sizes.searched:,} × {DIMENSION}, top 10 by cosine | p50 ms | p99 ms |\n| --- | ---: | ---: |")
    print(f"| ours, the first search of a process | {told['first']:.1f} | |")
    print(f"| ours, further ones | {told['p50']:.1f} | {told['p99']:.1f} |")
    print(f"| numpy, one product with vectors that are in memory | {told['floor']:.1f} | |")


Target = tuple[dict[str, Any], dict[str, Any], Callable[[], object]]


def targets(servers: ExitStack) -> dict[str, Target]:
    """Per target the sections with which we write, those with which Feast does, and what empties it."""
    found: dict[str, Target] = {"embedded (Feast: SQLite)": (OURS, SQLITE, lambda: None)}
    for name, running in (("Redis", redis_running), ("PostgreSQL", postgres_running)):
        try:
            server = servers.enter_context(running())
        except pytest.skip.Exception as absent:
            print(f"({name}: {absent})")
            continue
        sections = {"online_store": server.online_store()}
        found[name] = ({**sections, **OUR_ENGINE}, sections, server.emptied)
    return found


def alternating(
    folder: Path, repeats: int, source: Path, sections: Sequence[dict[str, Any]], emptied: Callable[[], object]
) -> list[list[dict[str, float]]]:
    """Write by each in turn; per writer its measurements."""

    def once(one: dict[str, Any]) -> dict[str, float]:
        emptied()
        return written(folder, source, one)

    return in_turn(repeats, [partial(once, one) for one in sections])


def in_turn(repeats: int, works: Sequence[Callable[[], dict[str, float]]]) -> list[list[dict[str, float]]]:
    """Each work so many times, taking turns."""
    rounds = [[work() for work in works] for _ in range(repeats)]
    return [list(one) for one in zip(*rounds)]


def median(several: Sequence[dict[str, float]], key: str) -> float:
    return statistics.median(one[key] for one in several)


def head_of_reads() -> str:
    return f"| keys | p50 ms: ours | Feast SQLite | ratio | p99 ms: ours | Feast SQLite | ratio |\n| ---: |{' ---: |' * 6}"


def line_of_reads(keys: int, both: list[list[dict[str, float]]]) -> str:
    cells = [f"{keys:,}"]
    for key in ("p50", "p99"):
        ours, feasts = (median(one, key) for one in both)
        cells += [f"{ours:.2f}", f"{feasts:.2f}", f"{feasts / ours:.1f}"]
    return f"| {' | '.join(cells)} |"


def ready(folder: Path, source: Path) -> list[Job]:
    """Ours and Feast's SQLite, filled."""
    jobs = [Job(new_folder(folder), sections, source) for sections in (OURS, SQLITE)]
    for job in jobs:
        measured(write, job)
    return jobs


def written(folder: Path, source: Path, sections: dict[str, Any]) -> dict[str, float]:
    return measured(write, Job(new_folder(folder), sections, source))


def measured(work: Callable[..., dict[str, float]], *given: Any) -> dict[str, float]:
    """The work in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=PROCESSES) as pool:
        return pool.submit(work, *given).result()


def write(job: Job) -> dict[str, float]:
    """Materialise the view; seconds, peak MB above what there was before, MB on disk."""
    with quietly():
        store = job.store()
        store.apply(job.views())
        store.materialize(START, END, feature_views=["few"])
        before, began = peak(), time.perf_counter()
        store.materialize(START, END, feature_views=["stats"])
        seconds, above = time.perf_counter() - began, peak() - before
    agree(job, store)
    # With the writer goes the write-ahead log.
    asyncio.run(store.close())
    return {
        "seconds": seconds,
        "peak": above,
        "disk": sum(file.stat().st_size for file in job.folder.glob("online_store.db*")) / 1e6,
    }


def read(job: Job, keys: int, count: int) -> dict[str, float]:
    """Percentiles of ``count`` reads of so many random keys."""
    store, chance = job.store(), np.random.default_rng(0)
    agree(job, store)
    requests = [[{"driver": int(key)} for key in chance.integers(0, source_rows(job.source), keys)] for _ in range(count)]
    features = [f"stats:{name}" for name in NAMES]
    return percentiles(lambda rows: store.get_online_features(features=features, entity_rows=rows), requests)


def requested(job: Job, port: int, keys: int, count: int) -> dict[str, float]:
    """Percentiles of ``count`` requests to the feature server, on one connection."""
    chance, connection = np.random.default_rng(0), http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(drivers: list[int]) -> dict[str, Any]:
        body = json.dumps({"features": [f"stats:{name}" for name in NAMES], "entities": {"driver": drivers}})
        connection.request("POST", "/get-online-features", body, {"Content-Type": "application/json"})
        told = connection.getresponse()
        answer: dict[str, Any] = json.loads(told.read())
        if told.status != 200:
            raise SystemExit(f"the feature server answered {told.status}: {answer}")
        return answer

    some = [0, 1, source_rows(job.source) - 1]
    answer = ask(some)
    columns = dict(zip(answer["metadata"]["feature_names"], (result["values"] for result in answer["results"])))
    expect(job, [[columns[name][place] for name in NAMES] for place in range(len(some))], some)
    return percentiles(ask, [chance.integers(0, source_rows(job.source), keys).tolist() for _ in range(count)])


def search(job: Job, count: int) -> dict[str, float]:
    """Percentiles of searches after the first, and what the bare product takes; raises where the ten are not the nearest."""
    store, chance = job.store(), np.random.default_rng(1)
    known = vectors_of(job.source)
    queries = chance.normal(size=(count + 1, DIMENSION)).astype(np.float32)
    lengths = np.linalg.norm(known, axis=1)

    def nearest(query: Any) -> list[int]:
        return np.argsort(-(known @ query) / lengths, kind="stable")[:10].tolist()  # type: ignore[no-any-return]

    def asked(query: Any) -> list[int]:
        found = store.retrieve_online_documents_v2(
            features=["stats:vector"], query=query.tolist(), top_k=10, distance_metric="cosine"
        )
        return found.to_dict()["driver"]  # type: ignore[no-any-return]

    began = time.perf_counter()
    if asked(queries[0]) != nearest(queries[0]):
        raise SystemExit("the search does not answer the nearest rows")
    first = (time.perf_counter() - began) * 1e3
    floor = percentiles(lambda query: known @ query, list(queries[1:]))["p50"]
    return {**percentiles(asked, list(queries[1:])), "first": first, "floor": floor}


def percentiles(work: Callable[[Any], object], given: Sequence[Any]) -> dict[str, float]:
    """Milliseconds, p50 and p99, after a few that are not counted."""
    for one in given[: max(1, len(given) // 20)]:
        work(one)
    spent = []
    for one in given:
        began = time.perf_counter()
        work(one)
        spent.append((time.perf_counter() - began) * 1e3)
    return {"p50": float(np.percentile(spent, 50)), "p99": float(np.percentile(spent, 99))}


def peak() -> float:
    """This process's peak so far in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e3 if sys.platform == "linux" else 1e6)


def agree(job: Job, store: FeatureStore) -> None:
    """Raise unless a thousand rows of the source, the first and last among them, are answered as they are."""
    rows = source_rows(job.source)
    keys = sorted({int(key) for key in np.linspace(0, rows - 1, min(rows, 1_000))})
    names = ["vector"] if job.vectors else NAMES
    answer = store.get_online_features(
        features=[f"stats:{name}" for name in names], entity_rows=[{"driver": key} for key in keys]
    )
    told = answer.to_dict()
    expect(job, [[told[name][place] for name in names] for place in range(len(keys))], keys)


def expect(job: Job, answered: list[list[Any]], keys: list[int]) -> None:
    table = pq.read_table(job.source)
    source = table.take(keys).select(["vector"] if job.vectors else NAMES).to_pylist()
    expected = [list(row.values()) for row in source]
    if not np.array_equal(np.array(answered, np.float32), np.array(expected, np.float32)):
        raise SystemExit(f"the online store does not answer what the source holds: {job.sections}")


@contextlib.contextmanager
def serving(job: Job) -> Iterator[int]:
    """Feast's feature server over the job's store, on a free port; its worker does not restart every 1,000 requests."""
    (job.folder / "feature_store.yaml").write_text(yaml.safe_dump(job.config()), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "feast.cli.cli", "-c", str(job.folder), "serve", "-p", str(port), "--no-access-log"]
    with (job.folder / "serve.log").open("wb") as log:
        server = subprocess.Popen([*command, "--max-requests", "0"], stdout=log, stderr=log)
    try:
        await_port(port, server, job.folder / "serve.log")
        yield port
    finally:
        server.terminate()
        server.wait(30)


def await_port(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"the feature server did not start: {log.read_text(encoding='utf-8')[-2_000:]}")


def floats(folder: Path, rows: int) -> Path:
    """Ten float32 columns, a row per driver."""
    chance = np.random.default_rng(0)
    return source_file(
        folder / f"floats-{rows}.parquet", rows, {name: pa.array(chance.random(rows, np.float32)) for name in NAMES}
    )


def vectors(folder: Path, rows: int) -> Path:
    """A float32 vector per driver."""
    numbers = pa.array(np.random.default_rng(0).normal(size=rows * DIMENSION).astype(np.float32))
    offsets = pa.array(np.arange(0, (rows + 1) * DIMENSION, DIMENSION, dtype=np.int32))
    return source_file(folder / f"vectors-{rows}.parquet", rows, {"vector": pa.ListArray.from_arrays(offsets, numbers)})


def source_file(path: Path, rows: int, columns: dict[str, pa.Array]) -> Path:
    """Row by row one second later; written once."""
    if not path.is_file():
        at = pa.array(np.arange(rows) * 10**6 + int(MONDAY.timestamp()) * 10**6).cast(pa.timestamp("us", "UTC"))
        table = pa.table({"driver": np.arange(rows), **columns, "event_timestamp": at, "created": at})
        pq.write_table(table, path)
        pq.write_table(table[:10], first_rows(path))
    return path


def first_rows(path: Path) -> Path:
    return path.with_name(f"{path.stem}-few.parquet")


def source_rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


def vectors_of(path: Path) -> Any:
    column = pq.read_table(path, columns=["vector"])["vector"].combine_chunks()
    return column.values.to_numpy().reshape(-1, DIMENSION)


def new_folder(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix="project-", dir=folder))


if __name__ == "__main__":
    main()
