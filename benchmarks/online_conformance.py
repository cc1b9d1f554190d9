"""Which behaviours of an online store ours has, and Feast's SQLite, Redis and PostgreSQL have not, with the reason.

    PYTHONPATH=. python benchmarks/online_conformance.py

Plays every case of tests/stores/online against each store and prints the tables of docs/online.md. Servers are started by the
script, where they are installed. ``--store`` and ``--case`` (a part of its name) play some of them; ``--verbose`` says, instead
of the reason, what each failing store answered.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.stores.online.case import Case
from tests.stores.online.suite import PARTS, Subject, verdict
from tests.stores.servers import postgres_running, redis_running

STORES = ("ours", "SQLite", "Redis", "PostgreSQL")
OURS = {
    "online_store": {"type": "watertight.stores.online_store.WatertightOnlineStore", "path": "online_store.db"},
    "batch_engine": {"type": "watertight.stores.compute_engine.WatertightComputeEngine"},
}
PASSES, FAILS, LACKS = "✓", "✗", "–"

TABLES = ("SQLite", "PostgreSQL")
FEAST = ("SQLite", "Redis", "PostgreSQL")
Why = tuple[Sequence[str], str, Sequence[str]]
WHY: tuple[Why, ...] = (
    (
        TABLES,
        "the last write wins, whatever its event",
        (
            "older-event-in-a-later-batch",
            "older-event-later-in-the-batch",
            "three-events-in-a-batch",
            "tie-older-created-loses",
            "tie-within-a-batch",
            "tie-created-unknown-loses",
            "event-before-created",
            "each-entity-for-itself",
            "newest-across-zones",
            "a-microsecond-decides",
            "a-microsecond-of-created-decides",
            "before-1970",
            "late-push",
            "materialize-the-past",
            "materialize-over-a-push",
            "two-writers",
        ),
    ),
    (
        ("Redis",),
        "knows no created time: the first of a tie stays",
        ("tie-newer-created-wins", "tie-within-a-batch", "tie-created-known-wins"),
    ),
    (("Redis",), "an event before 1970 counts as none", ("before-1970",)),
    (("SQLite",), "keeps seconds of the writer's local time", ("written-east-read-west",)),
    (("SQLite",), "keeps whole seconds", ("microseconds-are-kept",)),
    (FEAST, "no TTL online", ("outside-the-ttl", "at-the-ttl", "each-view-its-own-ttl", "ttl-in-another-zone")),
    (FEAST, "a null is PRESENT", ("null-value", "row-of-nulls", "null-list")),
    (("Redis",), "an unknown key is PRESENT", ("unknown-key", "never-written-view", "async-equals-sync")),
    (("SQLite",), "no async reads", ("async-equals-sync",)),
    (("SQLite",), "answers every feature", ("seam-reads-only-what-is-asked",)),
    (("PostgreSQL",), "fails unless features are named", ("seam-reads-all-unless-asked",)),
    (("PostgreSQL",), "a NUL in a text fails", ("types-text",)),
    (FEAST, "Feast's engine makes floats of integers beside nulls", ("nulls-materialized",)),
    (("SQLite",), "a missing time (NaT) fails", ("created-missing-in-a-frame", "created-missing-in-a-file")),
    (TABLES, "one table, a_b_c, for both", ("projects-and-views-do-not-run-together",)),
    (("SQLite",), "deletes the whole file", ("teardown-leaves-other-projects",)),
    (("Redis",), "deletes the keys of every project whose name ends alike", ("teardown-leaves-other-projects",)),
)


def main() -> None:
    """Play the cases, and print a table per part and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=STORES, action="append")
    parser.add_argument("--case", default="")
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    with subjects(asked.store or STORES) as stores:
        passed = dict.fromkeys((store.name for store in stores), 0)
        for part, cases in PARTS.items():
            chosen = [case for case in cases if asked.case in case.name]
            if chosen:
                print(f"\n### {part}\n\n{head(passed)}", flush=True)
            for case in chosen:
                answers = {store.name: answer(case, store) for store in stores}
                passed = {name: count + (answers[name] == "") for name, count in passed.items()}
                print(line(case, answers, asked.verbose), flush=True)
        total = sum(asked.case in case.name for cases in PARTS.values() for case in cases)
    print(f"\nOf {total} cases pass: " + ", ".join(f"{name} {count}" for name, count in passed.items()))


@contextmanager
def subjects(names: Sequence[str]) -> Iterator[list[Subject]]:
    """The stores of these names, with a server for each that needs one."""
    with ExitStack() as servers:
        made: dict[str, Any] = {
            "ours": lambda: Subject("ours", OURS, searches=True),
            "SQLite": lambda: _plain("SQLite", {"type": "sqlite", "path": "online.db"}),
            "Redis": lambda: _plain("Redis", servers.enter_context(redis_running()).online_store()),
            "PostgreSQL": lambda: _plain("PostgreSQL", servers.enter_context(postgres_running()).online_store()),
        }
        yield [made[name]() for name in names]


def _plain(name: str, online_store: dict[str, Any]) -> Subject:
    return Subject(name, {"online_store": online_store})


def answer(case: Case, store: Subject) -> str | None:
    """Empty where the case passes, what went wrong where it fails, None where the store does not offer it."""
    if not store.offers(case):
        return None
    with tempfile.TemporaryDirectory(prefix="online-", ignore_cleanup_errors=True) as folder:
        return verdict(case, store, Path(folder))


def head(names: Sequence[str] | dict[str, int]) -> str:
    """The table's head."""
    return f"| case | what holds | {' | '.join(names)} | why not |\n| --- | --- |{' :---: |' * len(names)} --- |"


def line(case: Case, answers: dict[str, str | None], verbose: bool = False) -> str:
    """A row of the table."""
    marks = [LACKS if told is None else FAILS if told else PASSES for told in answers.values()]
    why = {name: told if verbose else reason(case.name, name, told) for name, told in answers.items() if told}
    grouped: dict[str, list[str]] = {}
    for name, told in why.items():
        grouped.setdefault(told, []).append(name)
    reasons = "; ".join(f"{', '.join(names)}: {told}" for told, names in grouped.items())
    return f"| `{case.name}` | {case.says} | {' | '.join(marks)} | {reasons} |"


def reason(case: str, store: str, told: str) -> str:
    """Why a store fails a case, in a few words; what it answered where that is not known."""
    return next((words for stores, words, cases in WHY if store in stores and case in cases), f"? {told}".replace("|", "/"))


if __name__ == "__main__":
    main()
