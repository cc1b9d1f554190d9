"""What may be asked of an offline store: each call answers a function from a project to a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from tests.stores.offline.case import NOTHING, About, Answer, Call, Case, Fails, View
from tests.stores.offline.made import CREATED, KEY, ROW, TIME
from tests.stores.offline.project import Project

Features = Sequence[str] | None


def job(project: Project, entities: pd.DataFrame | str | None, features: Features, **options: Any) -> Any:
    """Feast's own call; without ``features`` the case's service is asked for."""
    asked = project.service if features is None else list(features)
    return project.store.get_historical_features(entity_df=entities, features=asked, **options)


def historical(entities: pd.DataFrame | None, features: Features, **options: Any) -> Call:
    def call(project: Project) -> pa.Table:
        given = None if entities is None else entities.copy()
        return job(project, given, features, **options).to_arrow()

    return call


def joins(
    name: str,
    behaviour: str,
    views: Sequence[View],
    entities: pd.DataFrame,
    features: Features,
    expected: Mapping[str, Any] | Fails,
    **rest: Any,
) -> Case:
    """A case of ``get_historical_features``: ``expected`` holds the joined columns, in order, of each row of ``entities``.

    A joined column has the type that it has in the file, unless an Arrow array says otherwise.
    """
    options = {key: rest.pop(key) for key in ("full_feature_names", "filter_by_created_timestamp") if key in rest}
    call = historical(entities, features, **options)
    free = rest.pop("free", NOTHING)
    if not isinstance(expected, Fails):
        expected = with_features(entities, expected, _types(views, features, list(expected), rest), free)
    return Case(name, behaviour, views, call, expected, **rest)


def with_features(
    entities: pd.DataFrame, expected: Mapping[str, Any], types: Mapping[str, Any] | None = None, free: About = NOTHING
) -> Answer:
    """The caller's columns as Feast hands them to a store (instants in UTC), then the joined ones."""
    table = pa.Table.from_pandas(_in_utc(entities), preserve_index=False)
    for name, values in expected.items():
        typed = values if isinstance(values, pa.Array) else pa.array(values, (types or {}).get(name))
        table = table.append_column(name, typed)
    return Answer(table, tuple(entities.columns), (ROW,) if ROW in entities.columns else (), free)


def _in_utc(entities: pd.DataFrame) -> pd.DataFrame:
    moments = {name: pd.to_datetime(column, utc=True) for name, column in entities.items() if _is_moment(column)}
    return entities.assign(**{str(name): column for name, column in moments.items()})


def _is_moment(column: Any) -> bool:
    return pd.api.types.is_datetime64_any_dtype(column)


def _types(views: Sequence[View], features: Features, named: Sequence[str], rest: Mapping[str, Any]) -> dict[str, pa.DataType]:
    """Of each expected column, the type of the feature that stands in its place."""
    asked = features if features is not None else [f"{use.view}:{one}" for use in rest["service"] for one in use.features]
    by_name = {one.name: one.source.columns() for one in views}
    pairs = [reference.split(":") for reference in asked]
    return {name: by_name[of][feature] for name, (of, feature) in zip(named, pairs) if of in by_name and feature in by_name[of]}


def pulled(which: str, start: datetime | None, end: datetime | None, **names: Any) -> Call:
    """``pull_latest…`` or ``pull_all_from_table_or_query`` of the case's first view."""

    def call(project: Project) -> pa.Table:
        first = next(iter(project.views.values()))
        asked = {
            "join_key_columns": [KEY],
            "feature_name_columns": ["trips"],
            "timestamp_field": TIME,
            "created_timestamp_column": None,
        }
        function = getattr(project.offline, f"pull_{which}_from_table_or_query")
        found = function(
            config=project.config, data_source=first.batch_source, start_date=start, end_date=end, **{**asked, **names}
        )
        return found.to_arrow()

    return call


def unordered(table: pa.Table, *by: str) -> Answer:
    """An answer of which neither the order of rows nor that of columns is promised."""
    return Answer(table, (), by or tuple(table.column_names), About.ORDER | About.COLUMNS)


def spoken(**columns: Any) -> pa.Table:
    """Anything that a case found, as a table of one row."""
    return pa.table({name: [value] for name, value in columns.items()})


LONG_AGO, LONG_AFTER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
__all__ = ["CREATED", "LONG_AFTER", "LONG_AGO", "historical", "job", "joins", "pulled", "spoken", "unordered", "with_features"]
