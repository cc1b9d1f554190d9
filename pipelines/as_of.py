"""The test sets as they were: the rows and labels that were known after a drop, whatever came since."""

from __future__ import annotations

import polars as pl

from pipelines.source import typed_drops
from watertight.core.declare import nearest
from watertight.core.errors import Misuse
from watertight.core.project import Workload
from watertight.core.versions import merged


def as_of(work: Workload, rows: pl.DataFrame, drop: str) -> pl.DataFrame:
    """Those of ``rows`` that had come with ``drop`` or before it, with the labels that were known then.

    A group once assigned stays, so these are the very test rows that models of that day were scored on; a row that came
    without a label has none here. Raises Misuse where no drop is called so.
    """
    drops = list(typed_drops(work))
    names = [each["drop"][0] for each in drops]
    if drop not in names:
        raise Misuse(f"no drop of {work.params.source.name!r} is called {drop!r}; {nearest(drop, names)}")
    targets = list(work.contract.targets)
    then = merged(drops[: names.index(drop) + 1], work.contract).rows.select("row_id", *targets)
    return rows.drop(targets).join(then, on="row_id", how="inner", maintain_order="left").select(rows.columns)
