"""What a rank in a gallery, and its first places, cost beside the bare matrix product that both need.

    PYTHONPATH=. python benchmarks/recall.py                    # 20,000 queries × 100,000 × 1,536, then a million from disk
    PYTHONPATH=. python benchmarks/recall.py --only large       # one part: ranked, large, corrected
    PYTHONPATH=. python benchmarks/recall.py --quick            # small sizes, in seconds: do the answers agree?

The bare product is that of blocks of queries with the whole gallery, of which nothing is kept, with the same number of threads
and in the same turns; told are medians over the turns and of the ratios within each. Peak memory is that of a process that was
forked for it, queries and gallery included. The large gallery is a memory map, whose pages the system may drop: its peak is of
memory that is not of the file (VmRSS less RssFile). Where faiss-cpu is installed its exact index (IndexFlatIP) takes its turn.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import numpy.typing as npt

from watertight.core.correction import Csls, DualSoftmax, QbNorm
from watertight.core.ranks import BLOCK_BYTES, Gallery, directions, ranks
from watertight.core.top_k import top_k
from watertight.inference.corrected import Corrected
from watertight.registry.bank import QUERIES
from watertight.registry.bundle import HubCorrection

Singles = npt.NDArray[np.float32]
PARTS = ("ranked", "large", "corrected")
K = 10
CORRECTIONS = (
    Csls(method="csls", bank="inductive"),
    QbNorm(method="qb_norm", bank="inductive"),
    DualSoftmax(method="dual_softmax", bank="inductive"),
)


@dataclass(frozen=True)
class Sizes:
    """Queries and gallery of each part, their dimension (``served``: of the one corrected), and how often they take turns."""

    queries: int = 20_000
    gallery: int = 100_000
    asked: int = 1_024
    large: int = 1_000_000
    dimension: int = 1_536
    bank: int = QUERIES
    served: int = 384
    repeats: int = 3


QUICK = Sizes(queries=300, gallery=2_000, asked=50, large=5_000, dimension=32, bank=90, served=16, repeats=2)


def main() -> None:
    """Print the machine, and a table per part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    sizes = QUICK if asked.quick else Sizes()
    print(f"{os.cpu_count()} cores, OMP_NUM_THREADS {os.environ.get('OMP_NUM_THREADS', 'not set')}; NumPy {np.__version__}")
    for part in asked.only or PARTS:
        print(f"\n### {part}\n", flush=True)
        globals()[f"tell_{part}"](sizes)


def tell_ranked(sizes: Sizes) -> None:
    """Ranks and the first ten, in memory."""
    queries, among = made(sizes.queries, sizes.gallery, sizes.dimension)
    work: dict[str, Callable[[], Any]] = {
        "bare product": lambda: product(queries, among.vectors),
        "ranks": lambda: ranks(queries, among),
        f"top {K}": lambda: top_k(queries, among.vectors, K),
    }
    agree(queries, among)
    work |= flat_index(queries, among.vectors)
    told(f"{sizes.queries:,} × {sizes.gallery:,} × {sizes.dimension:,}", work, sizes.repeats)


def tell_large(sizes: Sizes) -> None:
    """The first ten of a gallery that is mapped from disk."""
    with tempfile.TemporaryDirectory(prefix="recall-", dir=os.environ.get("TMPDIR")) as folder:
        file = Path(folder) / "gallery.npy"
        chance = np.random.default_rng(0)
        vectors = np.lib.format.open_memmap(file, "w+", np.float32, (sizes.large, sizes.dimension))
        for start in range(0, sizes.large, 4096):
            vectors[start : start + 4096] = directions(chance.normal(size=vectors[start : start + 4096].shape))
        vectors.flush()
        gallery = np.load(file, mmap_mode="r")
        queries = directions(chance.normal(size=(sizes.asked, sizes.dimension)))
        work = {
            "bare product": lambda: product(queries, gallery, by_gallery=True),
            f"top {K}": lambda: top_k(queries, gallery, K),
        }
        told(f"{sizes.asked:,} × {sizes.large:,} × {sizes.dimension:,}, mapped", work, sizes.repeats)


def tell_corrected(sizes: Sizes) -> None:
    """What a search that is corrected for hubs does once for its gallery, and then for each query."""
    bank, among = made(sizes.bank, sizes.gallery, sizes.served)
    work: dict[str, Callable[[], Any]] = {"bare product": lambda: product(bank, among.vectors)}
    for declared in CORRECTIONS:
        seen = Corrected(HubCorrection(name=declared.method, declared=declared), bank, among.vectors)
        work[f"{declared.method}, once"] = lambda again=seen: Corrected(again.correction, bank, among.vectors)
        work[f"{declared.method}, a hundred queries"] = lambda again=seen: [again.scores(query[None]) for query in bank[:100]]
    told(f"a bank of {sizes.bank:,} × {sizes.gallery:,} × {sizes.served:,}", work, sizes.repeats)


def flat_index(queries: Singles, vectors: Singles) -> dict[str, Callable[[], Any]]:
    """The first ten by faiss's exact index, where faiss-cpu is installed; raises ValueError where it answers others."""
    if find_spec("faiss") is None:
        return {}
    faiss: Any = import_module("faiss")
    faiss.omp_set_num_threads(1)  # a process that has had more cannot be forked
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    if not np.array_equal(index.search(queries[:20], K)[1], top_k(queries[:20], vectors, K).places):
        raise ValueError(f"the first {K} of faiss are others")
    faiss.omp_set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    return {f"top {K}, faiss": lambda: index.search(queries, K)}


def made(queries: int, gallery: int, dimension: int) -> tuple[Singles, Gallery]:
    """Queries near to their own vector of a gallery, but not the nearest of all as a rule."""
    chance = np.random.default_rng(0)
    vectors = directions(chance.normal(size=(gallery, dimension)))
    own = chance.integers(gallery, size=queries)
    noise = chance.normal(size=(queries, dimension)).astype(np.float32)
    return directions(0.1 * vectors[own] * dimension**0.5 + noise), Gallery(vectors, own)


def product(queries: Singles, gallery: Singles, by_gallery: bool = False) -> None:
    """Every cosine once, in blocks as large as those of the kernels."""
    rows, over = (queries, gallery) if not by_gallery else (gallery, queries)
    size = max(1, BLOCK_BYTES // (4 * len(over)))
    for start in range(0, len(rows), size):
        rows[start : start + size] @ over.T


def agree(queries: Singles, among: Gallery) -> None:
    """Both kernels beside a sort, on the first queries; raises ValueError where they differ."""
    some = slice(0, 20)
    near = queries[some] @ among.vectors.T
    order = np.argsort(-near, axis=1, kind="stable")
    place = 1.0 + np.argmax(order == among.own[some, None], axis=1)
    few = Gallery(among.vectors, among.own[some])
    if not np.array_equal(ranks(queries[some], few), place):
        raise ValueError("ranks are not those of a sort")
    if not np.array_equal(top_k(queries[some], among.vectors, K).places, order[:, :K]):
        raise ValueError(f"the first {K} are not those of a sort")


def told(what: str, work: dict[str, Callable[[], Any]], repeats: int) -> None:
    """A line per kernel: seconds, the ratio to the first, and peak memory."""
    turns = [{name: measured(one) for name, one in work.items()} for _ in range(repeats)]
    print(f"| {what} | s | beside the product | peak MB |\n| --- | ---: | ---: | ---: |")
    base = next(iter(work))
    for name in work:
        seconds = statistics.median(turn[name][0] for turn in turns)
        ratio = statistics.median(turn[name][0] / turn[base][0] for turn in turns)
        print(f"| {name} | {seconds:.2f} | {ratio:.2f} | {max(turn[name][1] for turn in turns):,.0f} |", flush=True)


def measured(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds and peak MB of a process of its own."""
    context = get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=answered, args=(work, there))
    process.start()
    there.close()
    try:
        answer: tuple[float, float] = here.recv()
    except EOFError:
        sys.exit("a measurement died")
    process.join()
    return answer


def answered(work: Callable[[], Any], to: Connection) -> None:
    """In the forked process."""
    with peak() as most:
        start = time.perf_counter()
        work()
        seconds = time.perf_counter() - start
    to.send((seconds, most[0]))


@contextmanager
def peak() -> Iterator[list[float]]:
    """The largest resident memory, without pages of files, in MB, looked at every 20 ms."""
    most, done = [resident()], Event()

    def watch() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], resident())

    watcher = Thread(target=watch)
    watcher.start()
    yield most
    done.set()
    watcher.join()


def resident() -> float:
    """Now, in MB."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return (float(lines["VmRSS"].split()[0]) - float(lines["RssFile"].split()[0])) / 1e3


if __name__ == "__main__":
    main()
