"""figures: what evaluate found, for a person."""

from __future__ import annotations

from typing import Any

import polars as pl

from watertight.core.errors import Misuse
from watertight.core.project import Workload
from watertight.core.tables import read_table


def figures_of(work: Workload) -> list[dict[str, Any]]:
    """A row per target and cell (seeds averaged): the metrics, the number of rows, and the row set they are of."""
    path = work.artifacts("evaluate", "figures.parquet")
    if not path.is_file():
        raise Misuse("nothing was evaluated yet", expected=f"{path}", next_step="dvc repro, or dvc checkout")
    keys = ["target", "cell", "rows", "groups", "row_set"]
    figures = read_table(path).group_by(keys, maintain_order=True).agg(pl.exclude("seed").mean())
    metrics = [name for name in figures.columns if name not in keys and figures[name].is_not_null().any()]
    return figures.select("target", "cell", *metrics, "rows", "groups", "row_set").rows(named=True)
