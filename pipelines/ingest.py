"""ingest: raw drops → typed rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipelines.source import typed_drops
from pipelines.stage import run
from watertight.core.contract import SourceContract
from watertight.core.dimensions import with_dimensions
from watertight.core.project import Workload
from watertight.core.rows import labelled
from watertight.core.tables import write_json, write_table
from watertight.core.versions import Merged, merged


def ingest(work: Workload, out: Path) -> None:
    """Every row of every drop as it is known now, what was known of it before, and a summary of what came in."""
    found = merged(typed_drops(work), work.declared_contract)
    write_table(found.rows, out / "rows.parquet")
    write_table(found.superseded, out / "superseded.parquet")
    contract = with_dimensions(work.declared_contract, found.versions)
    write_json(contract.model_dump(mode="json"), out / "contract.json")
    write_json(_summary(work, found), out / "rows.json")


def _summary(work: Workload, found: Merged) -> dict[str, Any]:
    contract: SourceContract = work.declared_contract
    rows: pl.DataFrame = found.rows
    return {
        "source": work.params.source.name,
        "drops": dict(rows["drop"].value_counts(sort=True).iter_rows()),
        "rows": rows.height,
        "repeats_left_out": found.repeats,
        "superseded": found.superseded.height,
        "labelled": rows.filter(labelled(contract)).height,
        "groups": rows["group_id"].n_unique(),
        "first_asked_at": rows["asked_at"].min().isoformat(),  # type: ignore[union-attr]
        "last_asked_at": rows["asked_at"].max().isoformat(),  # type: ignore[union-attr]
    }


if __name__ == "__main__":
    run("ingest", ingest, "data/{workload}/rows")
