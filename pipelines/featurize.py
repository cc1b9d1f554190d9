"""featurize: checked rows → the Parquet behind every view."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.features import Features, write_views
from pipelines.stage import run
from watertight.core.digests import file_digest
from watertight.core.project import Workload
from watertight.core.tables import read_table, write_json


def featurize(work: Workload, out: Path) -> None:
    """One Parquet per view, each with join key, event and created timestamps, evidence and features.

    Views of labels are told every version of a row: what was known before a correction stays as it was.
    """
    features = Features(work)
    parts = [read_table(work.data("checked", f"{name}.parquet")) for name in ("superseded", "rows")]
    rows = pl.concat(parts)
    places = {name: out / f"{name}.parquet" for name in features.specs}
    kitchen = write_views(features, rows, features.specs, places)
    views = {name: file_digest(place) for name, place in places.items()}
    write_json({"views": views, "encoders": features.encoders(rows)}, out / "features.json")
    told = "; ".join(
        f"{kernel} {count} text(s) computed, {kitchen.skipped[kernel]} skipped"
        for kernel, count in sorted(kitchen.computed.items())
    )
    print(f"{work.name} · featurize: {len(places)} views of {parts[1].height} rows; {told or 'no texts'}")


if __name__ == "__main__":
    run("featurize", featurize, "data/{workload}/features")
