"""What may go wrong around a join: files that change, a session in another time zone, names that are taken, absurd spans."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Int64

from watertight.core.errors import Misuse, Refusal
from watertight.stores.offline_store import CLASS_PATH
from watertight.stores.point_in_time.parquet_rows import ParquetRows, rows_of

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def written(folder: Path, values: list[int], unit: str = "us") -> None:
    at = pa.array([START + place * HOUR for place in range(len(values))], pa.timestamp(unit, "UTC"))
    table = pa.table({"key": [1] * len(values), "event_timestamp": at, "value": values})
    pq.write_table(table, folder / "aside.parquet")
    (folder / "aside.parquet").replace(folder / "rows.parquet")


def store_in(folder: Path, ttl: timedelta | None = None) -> FeatureStore:
    config = RepoConfig(
        project="asking",
        provider="local",
        registry={"registry_type": "sql", "path": f"sqlite:///{folder / 'registry.db'}"},
        offline_store={"type": CLASS_PATH},
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        entity_key_serialization_version=3,
        repo_path=folder,
    )
    store = FeatureStore(config=config)
    key = Entity(name="key", value_type=ValueType.INT64)
    source = FileSource(name="source", path="rows.parquet", timestamp_field="event_timestamp")
    view = FeatureView(name="view", entities=[key], source=source, ttl=ttl, schema=[Field(name="value", dtype=Int64)])

    @on_demand_feature_view(sources=[view], schema=[Field(name="double", dtype=Int64)])
    def doubled(inputs: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"double": inputs["value"] * 2})

    store.apply([key, view, doubled])
    return store


def asked(at: datetime, **columns: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"key": [1], "event_timestamp": [at], **columns})


def test_a_job_reads_the_files_as_they_are_when_it_is_read(tmp_path: Path) -> None:
    written(tmp_path, [1])
    job = store_in(tmp_path).get_historical_features(asked(START + HOUR), ["view:value"])
    assert job.to_arrow()["value"].to_pylist() == [1]
    written(tmp_path, [1, 2])
    assert job.to_arrow()["value"].to_pylist() == [2]


def test_a_file_that_changes_between_keys_and_values_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of the same layout and size, for another key: the values of the numbered rows would be somebody else's."""
    written(tmp_path, [1, 2])
    store = store_in(tmp_path)
    read = ParquetRows.read

    def changed(self: ParquetRows, group: object, columns: list[str], threads: bool = False) -> pa.Table:
        table = read(self, group, columns, threads)  # type: ignore[arg-type]
        if "value" not in columns:
            written(tmp_path, [3, 4])
        return table

    monkeypatch.setattr(ParquetRows, "read", changed)
    with pytest.raises(Refusal, match=r"rows\.parquet of source 'view' has changed since it was opened"):
        store.get_historical_features(asked(START), ["view:value"]).to_arrow()


def test_files_whose_types_are_not_one_name_the_column(tmp_path: Path) -> None:
    for name, value in (("a", pa.array([2**53 + 1], pa.int64())), ("b", pa.array([0.5]))):
        pq.write_table(pa.table({"value": value, "at": pa.array([START])}), tmp_path / f"{name}.parquet")
    rows = rows_of(FileSource(path=str(tmp_path), timestamp_field="at"), None, "rows")
    with pytest.raises(Misuse, match=r"a\.parquet: column 'value' is int64 there and double elsewhere"):
        rows.read(rows.row_groups()[0], ["value"])


@pytest.mark.parametrize("column", ["value", "double"])
def test_a_column_that_bears_the_name_of_a_feature(tmp_path: Path, column: str) -> None:
    """Be it stored or made on demand."""
    written(tmp_path, [1])
    with pytest.raises(Misuse, match=f"the entity rows have a column '{column}'"):
        store_in(tmp_path).get_historical_features(asked(START, **{column: [7]}), ["view:value", "doubled:double"])


@pytest.mark.parametrize("unit", ["us", "ns"])
def test_a_ttl_of_a_thousand_years(tmp_path: Path, unit: str) -> None:
    written(tmp_path, [1], unit)
    store = store_in(tmp_path, ttl=timedelta(days=365_000))
    assert store.get_historical_features(asked(START + HOUR), ["view:value"]).to_arrow()["value"].to_pylist() == [1]


SQL = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_asking import store_in
query = "SELECT key, CAST(date_trunc('day', event_timestamp) AS TIMESTAMP) AS event_timestamp FROM source LIMIT 1"
print(store_in(Path({folder!r})).get_historical_features(query, ["view:value"]).to_arrow()["value"].to_pylist())
"""


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_a_query_is_in_utc_wherever_it_runs(tmp_path: Path, zone: str) -> None:
    """Midnight in UTC sees the row of midnight, and not the later ones, as midnight cast in the east would."""
    written(tmp_path, list(range(24)))
    script = SQL.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip().splitlines()[-1:] == ["[0]"], done.stderr
