"""Rows of drops that wait to be repaired: listed, handed out to be mended, and gone from the list once they are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipelines.source import typed_drops
from watertight.core.declare import pick
from watertight.core.project import Workload
from watertight.core.tables import read_table

WRITERS = {".csv": pl.DataFrame.write_csv, ".parquet": pl.DataFrame.write_parquet, ".jsonl": pl.DataFrame.write_ndjson}


def waiting(work: Workload) -> dict[str, pl.DataFrame]:
    """By file of the quarantine, the rows that are still not known, as they came, each with its ``reason``."""
    files = sorted((work.quarantine_folder / "drops").glob("*.parquet"))
    if not files:
        return {}
    known = pl.concat([drop["row_id"] for drop in typed_drops(work)]).unique().to_list()
    aside = {file.stem: read_table(file) for file in files}
    rows = {name: table.filter(~pl.col("row_id").cast(pl.String).is_in(known).fill_null(False)) for name, table in aside.items()}
    return {name: table for name, table in rows.items() if not table.is_empty()}


def listed(work: Workload) -> list[dict[str, Any]]:
    """A line per file and reason: how many rows wait, and the first of them."""
    return [
        {"file": name, "rows": count, "first": ", ".join(row or "(no row_id)" for row in first), "reason": reason}
        for name, table in waiting(work).items()
        for reason, count, first in table.group_by("reason", maintain_order=True)
        .agg(pl.len(), pl.col("row_id").cast(pl.String).head(3))
        .iter_rows()
    ]


def hand_out(work: Workload, to: Path) -> int:
    """Write every waiting row with its reason to a file that ``watertight ingest`` takes once it is mended; how many."""
    writer = pick(WRITERS, to.suffix, "kind of file")
    tables = list(waiting(work).values())
    rows = (
        pl.concat(tables, how="diagonal_relaxed") if tables else pl.DataFrame({"row_id": [], "reason": []}, schema_overrides={})
    )
    writer(rows, to)
    return rows.height
