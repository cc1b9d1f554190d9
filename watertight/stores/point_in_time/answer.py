"""The answer to a request: the entity rows as they were given, each once and in their order, and the features beside them."""

from __future__ import annotations

import os

import pyarrow as pa

from watertight.core.errors import Misuse, Refusal
from watertight.stores.point_in_time.memory import Memory
from watertight.stores.point_in_time.requests import Request
from watertight.stores.point_in_time.view_join import Asked, joined

# Each holds 24 bytes a label while it reads.
_MOST_WORKERS = 8


def answered(asked: Asked, request: Request, memory_limit: int, folder: str | None) -> pa.Table:
    """The entity rows with a column per feature; raises Refusal if a row was lost, added or doubled."""
    missing = [name for query in request.queries for name, _ in query.keys if name not in asked.table.column_names]
    if missing:
        raise _without_keys(asked, missing)
    memory, workers = Memory(memory_limit, folder), min(len(os.sched_getaffinity(0)), _MOST_WORKERS)
    features: dict[str, pa.ChunkedArray] = {}
    for query, names in zip(request.queries, request.names):
        for name, column in zip(names, joined(asked, query, memory, workers)):
            if len(column) != asked.table.num_rows:
                raise Refusal(
                    f"the join of {query.name!r} answered {len(column)} rows for {name!r}",
                    expected=f"the {asked.table.num_rows} rows that were asked",
                )
            features[name] = column
    return _beside(asked.table, [(name, features.pop(name)) for name in request.order])


def _beside(table: pa.Table, columns: list[tuple[str, pa.ChunkedArray]]) -> pa.Table:
    for name, column in columns:
        table = table.append_column(name, column)
    return table


def _without_keys(asked: Asked, missing: list[str]) -> Misuse:
    absent = ", ".join(map(repr, dict.fromkeys(missing)))
    return Misuse(
        f"the entity rows have no {absent}; they have {', '.join(asked.table.column_names)}",
        expected="a column for each join key",
    )
