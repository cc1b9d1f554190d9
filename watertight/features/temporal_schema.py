"""The columns of the temporal kernels, asked of the kernels themselves so that declarations cannot drift from them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from watertight.core.time import UTC_MICROSECONDS
from watertight.features.temporal_now import temporal_now
from watertight.features.temporal_state import temporal_state

TIMES = ("asked_at", "labelled_at", "created_at")


def state_columns(labels: Sequence[str]) -> dict[str, pl.DataType]:
    """Every feature of the state view with its Polars type, ``source_at`` among them."""
    strings: dict[str, pl.DataType] = dict.fromkeys(("key", "row_id"), pl.String())
    times: dict[str, pl.DataType] = dict.fromkeys(TIMES, UTC_MICROSECONDS)
    numbers: dict[str, pl.DataType] = dict.fromkeys(labels, pl.Float64())
    schema = temporal_state(pl.DataFrame(schema={**strings, **times, **numbers}), labels).schema
    return {name: kind for name, kind in schema.items() if name not in ("key", "event_timestamp", "created_timestamp")}


def now_columns(labels: Sequence[str]) -> dict[str, pl.DataType]:
    """Every feature of the function of (state, t) with its Polars type."""
    nobody = pl.DataFrame(schema=state_columns(labels))
    return dict(temporal_now(nobody, pl.Series("at", [], dtype=UTC_MICROSECONDS), labels).schema)
