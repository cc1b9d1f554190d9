"""What is written to a source, and to the logs of a service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from feast import FeatureService, FeatureView, PushSource
from feast.data_source import PushMode
from feast.feature_logging import FeatureServiceLoggingSource, LoggingConfig
from feast.infra.offline_stores.file_source import FileLoggingDestination

from tests.stores.offline.calls import job, spoken, unordered, with_features
from tests.stores.offline.case import Answer, Case, Fails, view
from tests.stores.offline.layouts import files, relative
from tests.stores.offline.made import frame, hour, hours, stats
from tests.stores.offline.project import Project

OLD = stats([10, 20], (0, 1))
NEW = stats([30, 40], (2, 1), [1, 2])
ASKED = frame([1, 1, 2], hours(0.5, 3, 3))
AFTER = with_features(ASKED, {"trips": pa.array([10, 30, 40])})


def _asked(project: Project) -> pa.Table:
    return job(project, ASKED, ["stats:trips"]).to_arrow()


def _written(columns: list[str] | None = None) -> Callable[[Project], pa.Table]:
    def call(project: Project) -> pa.Table:
        given = NEW.to_pandas()
        project.store.write_to_offline_store("stats", given if columns is None else given[columns])
        return _asked(project)

    return call


def _twice(project: Project) -> pa.Table:
    for part in (NEW.slice(0, 1), NEW.slice(1, 1)):
        project.store.write_to_offline_store("stats", part.to_pandas())
    return _asked(project)


def _in_chunks(project: Project) -> pa.Table:
    """Straight to the store, as a table of two chunks; how many rows were reported comes with the answer."""
    told: list[int] = []
    chunks = pa.concat_tables([NEW.slice(0, 1), NEW.slice(1, 1)])
    project.offline.offline_write_batch(project.config, project.store.get_feature_view("stats"), chunks, told.append)
    return _asked(project)


def _unlike(table: pa.Table) -> Callable[[Project], pa.Table]:
    def call(project: Project) -> pa.Table:
        project.offline.offline_write_batch(project.config, project.store.get_feature_view("stats"), table, None)
        return _asked(project)

    return call


def _missing(project: Project) -> pa.Table:
    project.store.write_to_offline_store("stats", NEW.to_pandas().rename(columns={"trips": "rides"}))
    return _asked(project)


def _pushed(project: Project) -> pa.Table:
    stats_view = project.views["stats"]
    source = PushSource(name="pushes", batch_source=stats_view.batch_source)
    entities = [project.store.get_entity("driver_id")]
    pushed = FeatureView(name="pushed", entities=entities, schema=stats_view.schema, source=source)
    project.store.apply([source, pushed])
    project.store.push("pushes", NEW.to_pandas(), to=PushMode.OFFLINE)
    return job(project, ASKED, ["pushed:trips"]).to_arrow()


def _service(project: Project, partition_by: list[str] | None) -> FeatureService:
    destination = FileLoggingDestination(path=str(project.folder / "logs"), partition_by=partition_by)
    made = FeatureService(name="served", features=[project.views["stats"]], logging_config=LoggingConfig(destination=destination))
    project.store.apply([made])
    return made


def _logs(project: Project, service: FeatureService, number: int) -> pa.Table:
    values: dict[str, list[Any]] = {
        "driver_id": [1, 2],
        "stats__trips": [10 * number, 20 * number],
        "stats__trips__timestamp": hours(0, 0),
        "stats__trips__status": [2, 2],
        "__log_timestamp": hours(number, number),
        "__log_date": [date(2024, 3, 1)] * 2,
        "__request_id": [f"{number}a", f"{number}b"],
    }
    schema = FeatureServiceLoggingSource(service, project.store.project).get_schema(project.store.registry)
    return pa.table({one.name: pa.array(values[one.name]).cast(one.type) for one in schema})


def _logged(as_path: bool = False, partition_by: list[str] | None = None) -> Callable[[Project], pa.Table]:
    """Two batches are logged; then those of the first three hours are read back."""

    def call(project: Project) -> pa.Table:
        service = _service(project, partition_by)
        for number in (1, 2):
            logs = _logs(project, service, number)
            project.store.write_logged_features(_beside(logs, project.folder / f"batch{number}") if as_path else logs, service)
        found = project.store._get_provider().retrieve_feature_service_logs(
            feature_service=service, start_date=hour(0), end_date=hour(3), config=project.config, registry=project.store.registry
        )
        return found.to_arrow().select(["__request_id", "driver_id", "stats__trips"])

    return call


def _beside(logs: pa.Table, folder: Path) -> Path:
    folder.mkdir()
    pq.write_table(logs, folder / "0.parquet")
    return folder


LOGGED = unordered(
    pa.table({"__request_id": ["1a", "1b", "2a", "2b"], "driver_id": [1, 2, 1, 2], "stats__trips": [10, 20, 20, 40]}),
    "__request_id",
)


def _untouched(project: Project) -> pa.Table:
    """A write that fails leaves the source as it was."""
    try:
        _unlike(NEW.rename_columns(["driver_id", "event_timestamp", "rides"]))(project)
    except Exception:
        return spoken(rows=pd.read_parquet(project.places["stats"]).shape[0])
    return spoken(rows=-1)


CASES = [
    Case("write-appends", "Written rows are joined beside those that were there.", [view("stats", OLD)], _written(), AFTER),
    Case(
        "write-twice",
        "Writing goes on where it stopped.",
        [view("stats", OLD)],
        _twice,
        AFTER,
        origin="test_offline_write.py::test_writing_consecutively_to_offline_store",
    ),
    Case(
        "write-reordered-columns",
        "Columns in another order are put right.",
        [view("stats", OLD)],
        _written(["trips", "event_timestamp", "driver_id"]),
        AFTER,
        origin="test_offline_write.py::test_reorder_columns",
    ),
    Case("write-in-chunks", "A table of several chunks is written whole.", [view("stats", OLD)], _in_chunks, AFTER),
    Case(
        "write-to-a-folder", "A folder of files can be written to.", [view("stats", OLD, layout=files(1, 1))], _written(), AFTER
    ),
    Case("write-to-a-relative-path", "And a relative path.", [view("stats", OLD, layout=relative(files(2)))], _written(), AFTER),
    Case(
        "write-unlike-columns",
        "Other columns than the source's are an error which tells them.",
        [view("stats", OLD)],
        _missing,
        Fails(("trips", "rides")),
        origin="test_offline_write.py::test_writing_incorrect_schema_fails",
    ),
    Case(
        "write-unlike-columns-to-the-store",
        "Also where the store is written to directly.",
        [view("stats", OLD)],
        _unlike(NEW.rename_columns(["driver_id", "event_timestamp", "rides"])),
        Fails(("trips", "rides")),
    ),
    Case(
        "write-that-fails-changes-nothing",
        "And the source stays as it was.",
        [view("stats", OLD)],
        _untouched,
        Answer(spoken(rows=2)),
    ),
    Case(
        "push",
        "What is pushed to the offline store is joined.",
        [view("stats", OLD)],
        _pushed,
        AFTER,
        origin="test_push_features_to_offline_store.py::test_push_features_and_read",
    ),
    Case(
        "logs-of-a-service",
        "What a service served is logged batch by batch and read back.",
        [view("stats", OLD)],
        _logged(),
        LOGGED,
        origin="test_feature_logging.py::test_feature_service_logging[False]",
    ),
    Case(
        "logs-from-a-folder",
        "Logs may be given as a folder of Parquet files.",
        [view("stats", OLD)],
        _logged(as_path=True),
        LOGGED,
        origin="test_feature_logging.py::test_feature_service_logging[True]",
    ),
    Case(
        "logs-partitioned",
        "And kept in folders by date.",
        [view("stats", OLD)],
        _logged(partition_by=["__log_date"]),
        LOGGED,
    ),
]
