"""The columns of the temporal kernels, asked of the kernels themselves so that declarations cannot drift from them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from watertight.core.time import UTC_MICROSECONDS
from watertight.features.temporal_now import temporal_now
from watertight.features.temporal_state import temporal_state
from watertight.features.temporal_texts import temporal_texts
from watertight.features.timelines import TIMES

NO_VECTORS = pl.Series("vectors", [], dtype=pl.List(pl.Float32))


def state_columns(labels: Sequence[str]) -> dict[str, pl.DataType]:
    """Every feature of the state view with its Polars type, ``source_at`` among them."""
    return _features(temporal_state(_no_labels(labels), labels))


def texts_columns(labels: Sequence[str]) -> dict[str, pl.DataType]:
    """Every feature of the view of labelled texts with its Polars type, ``source_at`` among them; lists without a length."""
    return _features(temporal_texts(_no_labels(labels), NO_VECTORS, labels))


def now_columns(labels: Sequence[str]) -> dict[str, pl.DataType]:
    """Every feature of the function of (state, t) with its Polars type."""
    nobody = pl.DataFrame(schema=state_columns(labels))
    return dict(temporal_now(nobody, pl.Series("at", [], dtype=UTC_MICROSECONDS), labels).schema)


def _no_labels(labels: Sequence[str]) -> pl.DataFrame:
    strings: dict[str, pl.DataType] = dict.fromkeys(("key", "row_id"), pl.String())
    times: dict[str, pl.DataType] = dict.fromkeys(TIMES, UTC_MICROSECONDS)
    numbers: dict[str, pl.DataType] = dict.fromkeys(labels, pl.Float64())
    return pl.DataFrame(schema={**strings, **times, **numbers})


def _features(view: pl.DataFrame) -> dict[str, pl.DataType]:
    return {name: kind for name, kind in view.schema.items() if name not in ("key", "event_timestamp", "created_timestamp")}
