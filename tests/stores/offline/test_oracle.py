"""Whatever the rows, keys, times and files: the store answers what a loop over the rows does, to the row and the microsecond."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from feast import Entity, FeatureStore, FeatureView, Field, FileSource
from feast.types import Int64, String
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stores.offline.case import Answer, Case
from tests.stores.offline.declared import OURS
from tests.stores.offline.layouts import files, row_groups
from tests.stores.offline.made import MICROSECOND, NOON, hour
from tests.stores.offline.oracle import CREATED, EVENT, History, Row, joined, value_at
from tests.stores.offline.project import project

KINDS = {"driver": pa.int64(), "shop": pa.string()}
INSTANT = pa.timestamp("us", "UTC")
SCHEMA = pa.schema([*KINDS.items(), (EVENT, INSTANT), (CREATED, INSTANT), ("value", pa.int64())])
ENTITIES = {"driver": Entity(name="driver", join_keys=["driver"], value_type=Int64.to_value_type())} | {
    "shop": Entity(name="shop", join_keys=["shop"], value_type=String.to_value_type())
}
COLUMNS = {"driver": Field(name="driver", dtype=Int64), "shop": Field(name="shop", dtype=String)}
EMPTY = Case("oracle", "Nothing.", [], lambda _: pa.table({}), Answer(pa.table({})))

instants = st.builds(
    lambda hours, step: hour(hours) + step * MICROSECOND, st.integers(0, 4), st.sampled_from([0, 0, 0, 0, -1, 1])
)
drivers, shops = st.sampled_from([None, 1, 2, 2**53, 2**53 + 1]), st.sampled_from([None, "", "a", "b"])
source_rows = st.fixed_dictionaries(
    {
        "driver": drivers,
        "shop": shops,
        EVENT: st.none() | instants | instants | instants,
        CREATED: st.none() | instants | instants,
        "value": st.none() | st.integers(-(2**63), 2**63 - 1),
    }
)
entity_rows = st.fixed_dictionaries({"driver": drivers, "shop": shops, EVENT: instants})
lives = st.sampled_from([None, timedelta(0), timedelta(hours=1), timedelta(hours=2), timedelta(hours=1) + MICROSECOND])


@st.composite
def histories(draw: st.DrawFn) -> list[History]:
    keys = draw(st.lists(st.sampled_from([("driver",), ("shop",), ("driver", "shop"), ()]), min_size=1, max_size=3))
    return [
        History(f"view{place}", own, draw(st.lists(source_rows, max_size=14)), draw(lives), draw(st.booleans()))
        for place, own in enumerate(keys)
    ]


@pytest.fixture(scope="module")
def store() -> Iterator[FeatureStore]:
    with tempfile.TemporaryDirectory() as folder, project(EMPTY, OURS, Path(folder)) as built:
        yield built.store


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    told=histories(),
    asked=st.lists(entity_rows, max_size=8),
    twice=st.booleans(),
    filtered=st.booleans(),
    groups=st.integers(1, 6),
    split=st.integers(0, 3),
)
def test_the_store_answers_what_a_loop_does(
    store: FeatureStore, told: list[History], asked: list[Row], twice: bool, filtered: bool, groups: int, split: int
) -> None:
    rows = asked * 2 if twice else asked
    with tempfile.TemporaryDirectory() as folder:
        views = [_view(one, Path(folder), groups, split) for one in told]
        answer = _answer(store, views, rows, filtered)
    assert answer.column_names == ["driver", "shop", EVENT, *(f"{one.name}__value" for one in told)]
    assert [answer.schema.field(f"{one.name}__value").type for one in told] == [pa.int64()] * len(told)
    assert answer.to_pylist() == joined(rows, told, filtered=filtered)


def _view(history: History, folder: Path, groups: int, split: int) -> FeatureView:
    table = pa.Table.from_pylist(list(history.rows), schema=SCHEMA)
    parts = [len(history.rows) // 3] * 2
    layout = files(*parts, len(history.rows) - sum(parts)) if split else row_groups(groups)
    source = FileSource(
        name=f"{history.name}_source",
        path=layout(table, folder / history.name),
        timestamp_field=EVENT,
        created_timestamp_column=CREATED if history.created else "",
    )
    view = FeatureView(
        name=history.name,
        entities=[ENTITIES[key] for key in history.keys],
        schema=[*(COLUMNS[key] for key in history.keys), Field(name="value", dtype=Int64)],
        source=source,
        ttl=history.ttl,
    )
    view.entity_columns = [COLUMNS[key] for key in history.keys]
    return view


def _answer(store: FeatureStore, views: Sequence[FeatureView], rows: Sequence[Row], filtered: bool) -> pa.Table:
    return (
        store._get_provider()
        .offline_store.get_historical_features(
            config=store.config,
            feature_views=list(views),
            feature_refs=[f"{view.name}:value" for view in views],
            entity_df=_frame(rows),
            registry=store.registry,
            project=store.project,
            full_feature_names=True,
            filter_by_created_timestamp=filtered,
        )
        .to_arrow()
    )


def _frame(rows: Sequence[Row]) -> pd.DataFrame:
    """With pandas' nullable integers, so that no key is rounded."""
    return pd.DataFrame(
        {
            "driver": pd.array([row["driver"] for row in rows], "Int64"),
            "shop": pd.array([row["shop"] for row in rows], "string"),
            EVENT: pd.Series([row[EVENT] for row in rows], dtype="datetime64[us, UTC]"),
        }
    )


@pytest.mark.parametrize(
    ("at", "filtered", "value"),
    [(-1, False, None), (0, False, 1), (1, False, 3), (1, True, 2), (3, True, 3), (5, False, None), (4, False, 3)],
)
def test_the_oracle_itself(at: float, filtered: bool, value: Any) -> None:
    """A row at noon, and a tie at one of which the better half was written at three; nothing lives over three hours."""
    events, created = (0, 1, 1), (0, 1, 3)
    rows = [{"driver": 1, EVENT: hour(e), CREATED: hour(c), "value": v} for v, (e, c) in enumerate(zip(events, created), 1)]
    history = History("one", ("driver",), rows, timedelta(hours=3), created=True)
    assert value_at(history, {"driver": 1, EVENT: hour(at)}, filtered) == value
    assert value_at(history, {"driver": None, EVENT: NOON}, filtered) is None
