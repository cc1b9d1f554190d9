"""Rows of drops that wait to be repaired: listed, handed out to be mended, and gone from the list once they are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.source import rows_of_part
from pipelines.writers import WRITERS
from watertight.core.declare import pick
from watertight.core.errors import Misuse
from watertight.core.project import Workload
from watertight.core.tables import read_table


def waiting(work: Workload) -> dict[str, pl.DataFrame]:
    """By file of the quarantine, its rows as they came, each with its ``reason``, that no later drop brought again."""
    left: dict[str, pl.DataFrame] = {}
    for number, part in enumerate(work.ledger.drops):
        file = place(work, part.name, part.of)
        if part.quarantined and file.is_file():
            later = [rows_of_part(work, each)["row_id"] for each in work.ledger.drops[number + 1 :]]
            again = pl.concat(later).to_list() if later else []
            table = read_table(file)
            left[file.stem] = table.filter(~pl.col("row_id").cast(pl.String).is_in(again).fill_null(False))
    return {name: table for name, table in left.items() if not table.is_empty()}


def listed(work: Workload) -> list[dict[str, Any]]:
    """A line per file and reason: how many rows wait, and the first of them; and what was set aside elsewhere."""
    here = [
        {"file": name, "rows": count, "first": ", ".join(row or "(no row_id)" for row in first), "reason": reason}
        for name, table in waiting(work).items()
        for reason, count, first in table.group_by("reason", maintain_order=True)
        .agg(pl.len(), pl.col("row_id").cast(pl.String).head(3))
        .iter_rows()
    ]
    return [*here, *_elsewhere(work)]


def _elsewhere(work: Workload) -> Iterator[dict[str, Any]]:
    """Quarantine stays on the machine that let the drop in; the ledger knows how many rows there were."""
    for part in work.ledger.drops:
        file = place(work, part.name, part.of)
        if part.quarantined and not file.is_file():
            reason = "set aside on another machine, or deleted here: ask for the rows of this drop where they came from"
            yield {"file": file.stem, "rows": part.quarantined, "first": "", "reason": reason}


def place(work: Workload, drop: str, of: str) -> Path:
    """Where the bad rows of a drop lie; ``of`` is the sha256 of its file."""
    return work.quarantine_folder / "drops" / f"{drop}-{of[:8]}.parquet"


def hand_out(work: Workload, to: Path) -> int:
    """Write every waiting row with its reason to a file that ``watertight ingest`` takes once it is mended; how many.

    Where none waits, nothing is written.
    """
    writer = pick(WRITERS, to.suffix, "kind of file")
    if to.exists() or not to.parent.is_dir():
        raise Misuse(f"{to} is not a place for a new file", expected="a file that is not there yet, in a folder that is")
    tables = list(waiting(work).values())
    rows = pl.concat(tables, how="diagonal_relaxed") if tables else pl.DataFrame()
    nested = [name for name, kind in rows.schema.items() if kind.is_nested()]
    if nested and to.suffix == ".csv":
        raise Misuse(f"CSV has no lists, and {', '.join(nested)} are such", expected="a file that ends in .parquet or .jsonl")
    if tables:
        writer(rows, to)
    return rows.height
