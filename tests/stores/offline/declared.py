"""The offline stores that the cases are run against, as ``feature_store.yaml`` declares them; ``{folder}`` is a case's own."""

from __future__ import annotations

from collections.abc import Mapping

OURS: Mapping[str, str] = {
    "type": "watertight.stores.offline_store.WatertightOfflineStore",
    "staging_location": "{folder}/staging",
}
DUCKDB: Mapping[str, str] = {"type": "duckdb", "staging_location": "{folder}/staging"}
DASK: Mapping[str, str] = {"type": "dask"}
