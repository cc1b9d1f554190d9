"""ingest: raw drops → typed rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipelines.source import drops
from pipelines.stage import run
from watertight.core.contract import SourceContract
from watertight.core.project import Workload
from watertight.core.rows import labelled, merged, typed_rows
from watertight.core.tables import write_json, write_table


def ingest(work: Workload, out: Path) -> None:
    """Every drop of the source, typed by its contract, below one another; and a summary of what came in."""
    typed = [typed_rows(raw, work.contract, name) for name, raw in drops(work)]
    found = merged(typed)
    write_table(found.rows, out / "rows.parquet")
    write_json(work.contract.model_dump(mode="json"), out / "contract.json")
    write_json(_summary(work, found.rows, found.repeats), out / "rows.json")


def _summary(work: Workload, rows: pl.DataFrame, repeats: int) -> dict[str, Any]:
    contract: SourceContract = work.contract
    return {
        "source": work.params.source.name,
        "drops": dict(rows["drop"].value_counts(sort=True).iter_rows()),
        "rows": rows.height,
        "repeats_left_out": repeats,
        "labelled": rows.filter(labelled(contract)).height,
        "groups": rows["group_id"].n_unique(),
        "first_asked_at": rows["asked_at"].min().isoformat(),  # type: ignore[union-attr]
        "last_asked_at": rows["asked_at"].max().isoformat(),  # type: ignore[union-attr]
    }


if __name__ == "__main__":
    run("ingest", ingest, "data/{workload}/rows")
