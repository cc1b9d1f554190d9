"""Which cases of an offline store's contract the platform's store and Feast's two local ones keep; told in docs/point-in-time.md.

    PYTHONPATH=. python benchmarks/conformance.py [--write]

The cases are those of ``tests/stores/offline``. Each runs in a folder of its own, for at most a minute; a store's cases share a
process, which is ended and replaced where one takes longer. The platform's store is judged in everything that the contract
fixes, in every case; Feast's are judged in each case only in what the case is about. With ``--write`` the tables go into the
page.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing.connection import Connection
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

from experiments import ROOT, table, write

from tests.stores.offline.case import Case
from tests.stores.offline.cases import CASES, THEMES
from tests.stores.offline.declared import DASK, DUCKDB, OURS
from tests.stores.offline.run import verdict

PAGE = ROOT / "docs" / "point-in-time.md"
PATIENCE, STARTING, LENGTH = 60.0, 300.0, 110
FRESH = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Store:
    """An offline store by the name of its column, its declaration, and whether all that the contract fixes is judged."""

    name: str
    declared: Mapping[str, Any]
    strict: bool


STORES = (Store("ours", OURS, strict=True), Store("DuckDB", DUCKDB, strict=False), Store("dask", DASK, strict=False))
MACHINE = ("ImportError", "Failed to download extension")
Failures = dict[str, dict[str, str]]


def main() -> None:
    """Run every case against every store and print a table a theme."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    into_the_page = parser.parse_args().write
    with ThreadPool(len(STORES)) as pool:
        failures = dict(zip([store.name for store in STORES], pool.map(_failures, STORES)))
    told = "\n\n".join([_summary(failures), *(f"### {theme}\n\n{_table(cases, failures)}" for theme, cases in THEMES.items())])
    print(told)
    if into_the_page:
        write(PAGE, {"conformance": f"\n{told}\n"})


def _failures(store: Store) -> dict[str, str]:
    """The reason of each case that the store fails, by the case's name."""
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="watertight-cases-") as folder, _Worker(store, Path(folder)) as worker:
        for number, case in enumerate(CASES, 1):
            complaints = worker.verdict(number - 1)
            if complaints:
                found[case.name] = _short(complaints[0], folder)
            if number % 50 == 0 or number == len(CASES):
                print(f"{store.name}: {number} of {len(CASES)} cases, {len(found)} failed", file=sys.stderr, flush=True)
    return found


class _Worker:
    """A process that judges one store, case by case; where it dies or is silent for too long another takes its place."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder

    def __enter__(self) -> _Worker:
        self.told, other = FRESH.Pipe()
        self.process = FRESH.Process(target=_judge, args=(self.store, self.folder, other), daemon=True)
        self.process.start()
        other.close()
        self._answer(STARTING)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.join()

    def verdict(self, number: int) -> list[str]:
        """The complaints about a case, by its number."""
        self.told.send(number)
        complaints, alive = self._answer(PATIENCE)
        if not alive:
            self.__exit__()
            self.__enter__()
        return complaints

    def _answer(self, patience: float) -> tuple[list[str], bool]:
        if not self.told.poll(patience):
            return [f"no answer within {patience:.0f} s"], False
        try:
            return list(self.told.recv()), True
        except EOFError:
            return ["the process died"], False


def _judge(store: Store, folder: Path, told: Connection) -> None:
    told.send([])
    while True:
        case = CASES[told.recv()]
        told.send(verdict(case, store.declared, folder / case.name, strict=store.strict))


def _short(complaint: str, folder: str) -> str:
    """The first line of a complaint without what is of this run alone, in few words, fit for a cell."""
    line = complaint.splitlines()[0]
    for pattern in (re.escape(folder), re.escape(str(Path.cwd())), r"[0-9a-f]{32}", r" at URL \S+"):
        line = re.sub(pattern, "", line)
    line = " ".join(line.split())
    cut = line if len(line) <= LENGTH else f"{line[: LENGTH - 1].rstrip()}…"
    return re.sub(r"([|<>*_`\[\]])", r"\\\1", cut)


def _summary(failures: Failures) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in ("feast", "duckdb", "dask", "ibis-framework"))
    counts = [_counted(name, failed) for name, failed in failures.items()]
    return f"{versions}.\n\n{table(counts)}"


def _counted(name: str, failed: Mapping[str, str]) -> dict[str, Any]:
    open_ = sum(_open(reason) for reason in failed.values())
    return {
        "store": name,
        "cases": len(CASES),
        "kept ✓": len(CASES) - len(failed),
        "failed ✗": len(failed) - open_,
        "not decided –": open_,
    }


def _open(reason: str) -> bool:
    """Whether it is this machine that lacks something rather than the store."""
    return any(word in reason for word in MACHINE)


def _table(cases: list[Case], failures: Failures) -> str:
    return table([_line(case, failures) for case in cases])


def _line(case: Case, failures: Failures) -> dict[str, str]:
    reasons = {name: failed[case.name] for name, failed in failures.items() if case.name in failed}
    marks = {store.name: ("–" if _open(reasons[store.name]) else "✗") if store.name in reasons else "✓" for store in STORES}
    why = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
    return {"case": f"`{case.name}`", "what must hold": case.behaviour.replace("|", "\\|"), **marks, "what fails": why}


if __name__ == "__main__":
    main()
