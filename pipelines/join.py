"""join: the training set of a feature service, each row as of the moment it was asked."""

from __future__ import annotations

from pathlib import Path

from pipelines.features import Features
from pipelines.stage import run
from watertight.core.digests import json_digest
from watertight.core.project import Workload
from watertight.core.tables import read_json, read_table, write_json, write_table
from watertight.stores.definitions import described


def join(work: Workload, out: Path) -> None:
    """Every checked row with its split, fold and features; and what the features are."""
    rows = read_table(work.data("checked", "rows.parquet"))
    split = read_table(work.data("split", "split.parquet"))
    features = Features(work)
    answer = features.joined(rows)
    table = rows.join(split, on="row_id", how="left", maintain_order="left")
    table = table.join(answer, on="row_id", how="left", maintain_order="left")
    signature = described(features.definitions, features.service)
    write_table(table, out / "training_set.parquet")
    summary = {
        "rows": table.height,
        "features": features.model_columns,
        "encoders": read_json(work.data("features", "features.json"))["encoders"],
        "signature": signature,
        "signature_digest": json_digest(signature),
    }
    write_json(summary, out / "training_set.json")


if __name__ == "__main__":
    run("join", join, "data/{workload}/training_set")
