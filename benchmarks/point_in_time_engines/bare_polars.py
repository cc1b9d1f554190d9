"""Polars' join_asof without a feature store, on lazily scanned files, of which only the needed columns are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa

from .cases import CREATED, EVENT, KEY, LABEL
from .files import Files, read_labels


def prepared(files: Files, _: Path) -> Callable[[], pa.Table]:
    """Of rows with equal event times join_asof takes the last, so the views are sorted by created time too."""
    labels = pl.DataFrame(pl.from_arrow(read_labels(files)))

    def answer() -> pa.Table:
        asked = labels.lazy().sort(EVENT)
        for view in files.case.views:
            rows = _scanned(files, view, labels[EVENT].min(), labels[EVENT].max())
            asked = asked.join_asof(rows, on=EVENT, by=KEY, tolerance=files.case.ttl, check_sortedness=False)
        return asked.sort(LABEL).collect().to_arrow()

    return answer


def _scanned(files: Files, view: str, first: object, last: object) -> pl.LazyFrame:
    renamed = [pl.col(column).alias(f"{view}__{column}") for column in files.case.columns]
    rows = pl.scan_parquet(files.view(view)).filter(pl.col(EVENT) <= last)
    if files.case.ttl:
        rows = rows.filter(pl.col(EVENT) >= pl.lit(first) - files.case.ttl)
    return rows.select(KEY, EVENT, CREATED, *renamed).sort(EVENT, CREATED).drop(CREATED)
