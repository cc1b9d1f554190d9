"""What a store says of a source before anything is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from feast import FileSource

from tests.stores.offline.calls import spoken
from tests.stores.offline.case import Answer, Case, Fails, view
from tests.stores.offline.layouts import files, relative
from tests.stores.offline.made import CREATED, hours, stats
from tests.stores.offline.project import Project

TABLE = stats(created=hours(0, 1, 2))
VIEWS = [view("stats", TABLE, created=CREATED)]
COLUMNS = ["driver_id", "event_timestamp", "trips", "created"]


def _validated(path: str | None = None, **changed: Any) -> Callable[[Project], pa.Table]:
    def call(project: Project) -> pa.Table:
        named = {"timestamp_field": "event_timestamp", "created_timestamp_column": CREATED, **changed}
        source = FileSource(name="looked_at", path=path or project.places["stats"], **named)
        project.offline.validate_data_source(project.config, source)
        return spoken(fine=True)

    return call


def _columns(project: Project) -> pa.Table:
    source = project.views["stats"].batch_source
    found = project.offline.get_table_column_names_and_types_from_data_source(project.config, source)
    return spoken(columns=[name for name, _ in found])


CASES = [
    Case("source-that-is-fine", "A source that is as declared is accepted.", VIEWS, _validated(), Answer(spoken(fine=True))),
    Case(
        "source-without-its-time",
        "A source without the declared event timestamp is an error which tells the columns that there are.",
        VIEWS,
        _validated(timestamp_field="happened_at"),
        Fails(("happened_at", *COLUMNS)),
    ),
    Case(
        "source-without-its-creation",
        "So is one without the declared created timestamp.",
        VIEWS,
        _validated(created_timestamp_column="written_at"),
        Fails(("written_at", *COLUMNS)),
    ),
    Case(
        "source-that-is-not-there",
        "A path at which nothing lies is an error which tells it.",
        VIEWS,
        _validated("nowhere.parquet"),
        Fails(("nowhere.parquet",)),
    ),
    Case(
        "columns-of-a-source",
        "The columns of a source are told in the order of the file.",
        VIEWS,
        _columns,
        Answer(spoken(columns=COLUMNS)),
    ),
    Case(
        "columns-of-a-relative-folder",
        "Also of a folder at a relative path.",
        [view("stats", TABLE, created=CREATED, layout=relative(files(2, 1)))],
        _columns,
        Answer(spoken(columns=COLUMNS)),
    ),
]
