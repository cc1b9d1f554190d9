"""What is joined: how many labels with how many feature rows, how the files are ordered, which keys and which TTL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

FLOATS = tuple(f"f{number}" for number in range(10))
VECTOR, DIMENSION = "vector", 384
KEY, LABEL, EVENT, CREATED = "key", "label", "event_timestamp", "created_timestamp"
TTL_DAYS = 30


@dataclass(frozen=True)
class Case:
    """One question: ``labels`` rows joined with views of ``rows`` rows each, ``per_key`` of them to a key on average."""

    labels: int
    rows: int
    per_key: int
    clustered: bool
    ttl_days: int | None = None
    string_keys: bool = False
    embedding: bool = False

    @property
    def name(self) -> str:
        """The case as the table calls it."""
        what = [
            f"{short(self.labels)}×{short(self.rows)}",
            f"{self.per_key} per key",
            "clustered" if self.clustered else "random",
        ]
        what += [f"TTL {self.ttl_days} d"] if self.ttl_days else []
        what += ["string keys"] if self.string_keys else []
        return ", ".join(what + (["384-d"] if self.embedding else []))

    @property
    def ttl(self) -> timedelta | None:
        """How old a feature row may be at the label's time, that age included; None is as old as it likes."""
        return timedelta(days=self.ttl_days) if self.ttl_days else None

    @property
    def views(self) -> tuple[str, ...]:
        """The names of the views: two of floats, or one of embeddings."""
        return ("a",) if self.embedding else ("a", "b")

    @property
    def columns(self) -> tuple[str, ...]:
        """The feature columns of each view."""
        return (VECTOR,) if self.embedding else FLOATS

    @property
    def folder(self) -> str:
        """Where its files lie: one place for all cases that read the same ones."""
        kind = ("-string" if self.string_keys else "") + ("-vector" if self.embedding else "")
        return f"{self.labels}x{self.rows}-{self.per_key}-{'clustered' if self.clustered else 'random'}{kind}"

    def small(self) -> Case:
        """The same question of a hundred labels, with which an engine is warmed up."""
        return replace(self, labels=100, rows=1_000, per_key=10)


def every_case() -> Iterator[Case]:
    """The whole table. A TTL is tried where it leaves out much, which is where a key has a hundred rows or more."""
    sizes = [(10**5, 10**6, (20, 100, 1000)), (10**6, 10**6, (20, 100, 1000)), (10**6, 10**7, (20, 100, 200, 1000))]
    for labels, rows, depths in sizes:
        for per_key in depths:
            for clustered in (True, False):
                ttls = (None, TTL_DAYS) if per_key >= 100 else (None,)
                yield from (Case(labels, rows, per_key, clustered, ttl) for ttl in ttls)
    yield from (Case(10**6, 10**6, 100, clustered, string_keys=True) for clustered in (True, False))
    yield from (Case(10**5, 10**5, 20, clustered, embedding=True) for clustered in (True, False))


def quick_cases() -> Iterator[Case]:
    """A small case of every kind, for a look at whether all engines work."""
    yield Case(2_000, 20_000, 20, True)
    yield Case(2_000, 20_000, 100, False, TTL_DAYS)
    yield Case(2_000, 20_000, 100, False, string_keys=True)
    yield Case(1_000, 1_000, 20, False, embedding=True)


def short(count: int) -> str:
    """A count as people say it: 100 k, 10 M."""
    for unit, sign in ((10**6, " M"), (10**3, " k")):
        if count >= unit:
            return f"{count / unit:g}{sign}"
    return str(count)
