"""The engines by the names of the table. An engine's module is imported by the process that measures it, and by no other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa

from .files import Files

OURS, FLOOR = "ours", "floor"
FEAST = ("Feast dask", "Feast DuckDB")
GATHERED = "DuckDB gathered"
BARE = ("DuckDB carried", GATHERED, "Polars")
ENGINES = (FLOOR, OURS, *FEAST, *BARE)

_MADE: dict[str, tuple[str, str, dict[str, Any]]] = {
    FLOOR: ("floor", "prepared", {}),
    OURS: ("feast_stores", "prepared", {"offline_store": "watertight.stores.offline_store.WatertightOfflineStore"}),
    "Feast dask": ("feast_stores", "prepared", {"offline_store": "dask"}),
    "Feast DuckDB": ("feast_stores", "prepared", {"offline_store": "duckdb"}),
    "DuckDB carried": ("bare_duckdb", "prepared_carried", {}),
    GATHERED: ("bare_duckdb", "prepared_gathered", {}),
    "Polars": ("bare_polars", "prepared", {}),
}


def engine(name: str) -> Callable[[Files, Path], Callable[[], pa.Table]]:
    """What prepares an engine: files and a folder of its own → the call to be timed, which answers the joined table."""
    module, function, options = _MADE[name]
    return partial(getattr(import_module(f"{__package__}.{module}"), function), **options)
