"""Commands that show rows: what a reader of the page pastes into a shell in the project's folder."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from watertight.page.facts import NULL

TRAINING_SET = "data/{}/training_set/training_set.parquet"
ROWS = "data/{}/rows/rows.parquet"


def shows_file(place: str) -> str:
    """The command that prints a JSON file."""
    return f"python -m json.tool {shlex.quote(place)}"


def shows_rows(workload: str, row_ids: Sequence[str], table: str = TRAINING_SET) -> str:
    """The command that prints the named rows of ``table``."""
    return _prints(workload, f'pl.col("row_id").is_in({_quoted(list(row_ids))})', table)


def shows_slice(workload: str, target: str, column: str, value: str, edges: Sequence[float]) -> str:
    """The command that prints the training rows with ``target`` in a slice, as ``evaluate`` cuts it; or all of them."""
    told = f'(pl.col("split") == "train") & ~pl.col("synthetic") & pl.col({_quoted(target)}).is_not_null()'
    return _prints(workload, f"{told} & {_within(column, value, edges)}" if column else told)


def _within(column: str, value: str, edges: Sequence[float]) -> str:
    named = f"pl.col({_quoted(column)})"
    if value == NULL:
        return f"{named}.is_null()"
    if not edges:
        return f"({named}.cast(pl.String) == {_quoted(value)})"
    labels = [f"≤ {edge:.12g}" for edge in edges]
    if value not in labels:
        return f"({named} > {edges[-1]!r})"
    place = labels.index(value)
    above = f"({named} > {edges[place - 1]!r}) & " if place else ""
    return f"({above}({named} <= {edges[place]!r}))"


def _prints(workload: str, condition: str, table: str = TRAINING_SET) -> str:
    read = f"pl.read_parquet({_quoted(table.format(workload))})"
    return f"python -c {shlex.quote(f'import polars as pl; print({read}.filter({condition}))')}"


def _quoted(value: str | list[str]) -> str:
    """As Python reads it, in double quotes, which a shell leaves alone between single ones."""
    return json.dumps(value, ensure_ascii=False)
