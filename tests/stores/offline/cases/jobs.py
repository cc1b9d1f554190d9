"""What can be done with an answer besides taking it as an Arrow table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from feast.infra.offline_stores.file_source import SavedDatasetFileStorage

from tests.stores.offline.calls import job, spoken, unordered, with_features
from tests.stores.offline.case import About, Answer, Case, Fails, view
from tests.stores.offline.made import frame, hour, hours, stats
from tests.stores.offline.project import Project

VIEWS = [view("stats", stats())]
ASKED = frame([1, 1], hours(1.5, 0.5))
EXPECTED = with_features(ASKED, {"trips": pa.array([20, 10])})
WRITTEN = Answer(EXPECTED.table, EXPECTED.entity, EXPECTED.by, About.ORDER | About.COLUMNS)
SAVED = unordered(EXPECTED.table.drop("row"))


def _asked(project: Project) -> Any:
    return job(project, ASKED, ["stats:trips"])


def _frame(project: Project) -> pa.Table:
    return pa.Table.from_pandas(_asked(project).to_df(), preserve_index=False)


def _twice(project: Project) -> pa.Table:
    found = _asked(project)
    found.to_arrow()
    return found.to_arrow()


def _persisted(name: str) -> Callable[[Project], pa.Table]:
    def call(project: Project) -> pa.Table:
        path = project.folder / name
        _asked(project).persist(SavedDatasetFileStorage(path=str(path)))
        return ds.dataset(path).to_table()

    return call


def _persisted_relative(project: Project) -> pa.Table:
    _asked(project).persist(SavedDatasetFileStorage(path="kept.parquet"))
    return pq.read_table(project.folder / "kept.parquet")


def _onto(allowed: bool) -> Callable[[Project], pa.Table]:
    """Persisted where something lies already."""

    def call(project: Project) -> pa.Table:
        path = project.folder / "kept.parquet"
        pq.write_table(pa.table({"old": [1]}), path)
        _asked(project).persist(SavedDatasetFileStorage(path=str(path)), allow_overwrite=allowed)
        return pq.read_table(path)

    return call


def _saved(project: Project) -> pa.Table:
    storage = SavedDatasetFileStorage(path=str(project.folder / "kept.parquet"))
    project.store.create_saved_dataset(from_=_asked(project), name="kept", storage=storage)
    return pa.Table.from_pandas(project.store.get_saved_dataset("kept").to_df(), preserve_index=False)


def _exported(project: Project) -> pa.Table:
    found = _asked(project)
    if not found.supports_remote_storage_export():
        raise NotImplementedError("no export to remote storage")
    return pa.concat_tables([pq.read_table(Path(path.removeprefix("file://"))) for path in found.to_remote_storage()])


def _metadata(project: Project) -> pa.Table:
    told = _asked(project).metadata
    return spoken(features=told.features, keys=sorted(told.keys), first=told.min_event_timestamp, last=told.max_event_timestamp)


def _names(project: Project) -> pa.Table:
    jobs = {full: job(project, ASKED, ["stats:trips"], full_feature_names=full) for full in (True, False)}
    return spoken(full=jobs[True].full_feature_names, short=jobs[False].full_feature_names)


def _untouched(project: Project) -> pa.Table:
    given = ASKED.copy()
    project.offline.get_historical_features(
        config=project.config,
        feature_views=[project.store.get_feature_view("stats")],
        feature_refs=["stats:trips"],
        entity_df=given,
        registry=project.store.registry,
        project=project.store.project,
    ).to_arrow()
    return spoken(untouched=given.equals(ASKED) and list(given.columns) == list(ASKED.columns))


def _both(project: Project) -> pa.Table:
    return job(project, ASKED, ["stats:trips"], start_date=hour(0), end_date=hour(1)).to_arrow()


CASES = [
    Case("to-df", "As a pandas frame the answer is the same.", VIEWS, _frame, EXPECTED),
    Case("answered-twice", "A job answers as often as it is asked.", VIEWS, _twice, EXPECTED),
    Case("persist-to-a-file", "An answer is written to a Parquet file.", VIEWS, _persisted("kept.parquet"), WRITTEN),
    Case("persist-to-a-folder", "Or into a folder.", VIEWS, _persisted("kept"), WRITTEN),
    Case("persist-to-a-relative-path", "A relative path starts at the repository.", VIEWS, _persisted_relative, WRITTEN),
    Case(
        "persist-does-not-overwrite",
        "What lies there already is not overwritten.",
        VIEWS,
        _onto(False),
        Fails(("kept.parquet", "exists")),
        origin="test_persist.py::test_persist_does_not_overwrite",
    ),
    Case("persist-overwrites-if-allowed", "Unless the caller allows it.", VIEWS, _onto(True), WRITTEN),
    Case(
        "saved-dataset",
        "A saved data set is read back: keys, time and features.",
        VIEWS,
        _saved,
        SAVED,
        origin="test_universal_historical_retrieval.py::test_historical_features_persisting",
    ),
    Case("to-remote-storage", "An answer is exported as Parquet files, whose paths are told.", VIEWS, _exported, WRITTEN),
    Case(
        "metadata",
        "A job tells its features, its keys and the range of its instants.",
        VIEWS,
        _metadata,
        Answer(spoken(features=["stats:trips"], keys=["driver_id", "row"], first=hour(0.5), last=hour(1.5))),
    ),
    Case("tells-its-names", "A job tells whether its names are full.", VIEWS, _names, Answer(spoken(full=True, short=False))),
    Case(
        "callers-frame-is-untouched",
        "The frame that the caller gave is not changed.",
        VIEWS,
        _untouched,
        Answer(spoken(untouched=True)),
    ),
    Case("both-frame-and-range", "A frame and a range at once are an error.", VIEWS, _both, Fails(("entity_df", "start_date"))),
]
