"""How Feast finds the engine, what flows through it, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from feast import FeatureStore
from feast.types import Int64
from projects import FEATURES, OURS, materialized, online, project, rows_of

from watertight.core.errors import Refusal
from watertight.stores.bulk import telling
from watertight.stores.compute_engine import WatertightComputeEngine, WatertightComputeEngineConfig

ROWS = 40
EMBEDDED = {"type": "watertight.stores.online_store.WatertightOnlineStore", "path": "online.db"}
PLAIN = {"large": Int64}


def answering(store: FeatureStore, monkeypatch: pytest.MonkeyPatch, job: Any) -> None:
    """Let the offline store answer with ``job``."""
    offline = type(store._get_provider().offline_store)
    monkeypatch.setattr(offline, "pull_latest_from_table_or_query", lambda *_, **__: job)


def test_feast_loads_the_engine_and_its_options_by_class_path(tmp_path: Path) -> None:
    store = project(tmp_path, EMBEDDED, {**OURS, "backend": "polars"})
    engine = store._get_provider().batch_engine
    assert isinstance(engine, WatertightComputeEngine)
    assert engine.backend_name == "polars"
    assert isinstance(store.config.batch_engine, WatertightComputeEngineConfig)


def test_an_option_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="bakend"):
        _ = project(tmp_path, EMBEDDED, {**OURS, "bakend": "polars"})._get_provider().batch_engine


def test_a_store_that_takes_arrow_serves_every_type(tmp_path: Path) -> None:
    rows = rows_of(ROWS)
    served = online(materialized(project(tmp_path / "p", EMBEDDED), rows, tmp_path), [*range(ROWS), 999])
    for name in set(FEATURES) - {"single", "at"}:
        assert served[name] == [*rows[name].to_pylist(), None]
    assert served["single"] == [*map(pytest.approx, rows["single"].to_pylist()), None]


class Streaming:
    """A job of many batches, which knows how many it has given."""

    def __init__(self, batches: list[pa.RecordBatch]) -> None:
        self.batches, self.given = batches, 0

    def record_batches(self, max_rows: int) -> Iterator[pa.RecordBatch]:
        for batch in self.batches:
            assert batch.num_rows <= max_rows
            self.given += 1
            yield batch

    def row_count(self) -> int | None:
        return sum(batch.num_rows for batch in self.batches) if self.given else None


def test_rows_are_written_while_others_are_still_to_come(place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a view larger than memory would have to fit into it."""
    job = Streaming(rows_of(400).to_batches(max_chunksize=10))
    store = project(tmp_path / "p", place.online_store(), materialization_config={"online_write_batch_size": 10})
    answering(store, monkeypatch, job)
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr("watertight.stores.bulk.tally.Tally.done", _spied(seen, job))
    materialized(store, rows_of(1), tmp_path, features=PLAIN)
    assert place.rows() == job.given * 10 == 400
    assert len(seen) >= 40
    assert all(given * 10 - acknowledged <= 30 for given, acknowledged in seen)


def test_a_stream_that_ends_early_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, job = project(tmp_path / "p", EMBEDDED), Streaming(rows_of(ROWS).to_batches(max_chunksize=10))
    monkeypatch.setattr(job, "row_count", lambda: ROWS + 1)
    answering(store, monkeypatch, job)
    with pytest.raises(Refusal, match="40 row"):
        materialized(store, rows_of(1), tmp_path, features=PLAIN)


def _spied(seen: list[tuple[int, int]], job: Streaming) -> Any:
    from watertight.stores.bulk.tally import Tally

    original = Tally.done

    def done(self: Tally, written: int, superseded: int = 0) -> None:
        original(self, written, superseded)
        seen.append((job.given, self.written + self.superseded))

    return done


def test_rows_that_a_store_does_not_acknowledge_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a job reports as an error, Feast raises; the view is not marked as materialised."""
    store = project(tmp_path / "p", EMBEDDED)
    kind = type(store._get_provider().online_store)
    monkeypatch.setattr(kind, "online_write_arrow", lambda self, config, table, rows, progress: progress(rows.num_rows - 1))
    with pytest.raises(Refusal, match=r"of 40 row.s. read 39 were written"):
        materialized(store, rows_of(ROWS), tmp_path, features=PLAIN)
    assert store.get_feature_view("stats").most_recent_end_time is None


def test_in_a_terminal_feasts_own_bar_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bars: list[Any] = []

    class Bar:
        def __init__(self, total: int, ncols: int) -> None:
            self.total, self.done = total, 0
            bars.append(self)

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None:
            self.closed = True

        def update(self, more: int) -> None:
            self.done += more

    monkeypatch.setattr("feast.feature_store.tqdm", Bar)
    monkeypatch.setattr(telling.sys, "stderr", type("Terminal", (), {"isatty": lambda _: True, "write": len, "flush": len})())
    store = project(tmp_path / "p", EMBEDDED)
    materialized(store, rows_of(ROWS), tmp_path, features=PLAIN)
    answering(store, monkeypatch, Streaming(rows_of(ROWS).to_batches(max_chunksize=10)))
    materialized(store, rows_of(1), tmp_path, features=PLAIN)
    assert [(bar.total, bar.done, bar.closed) for bar in bars] == [(ROWS, ROWS, True)] * 2


def test_nothing_to_write_is_fine(place: Any, tmp_path: Path) -> None:
    materialized(
        project(tmp_path / "p", place.online_store()), rows_of(0, key=int).cast(rows_of(1).schema), tmp_path, features=PLAIN
    )
    assert place.rows() == 0
