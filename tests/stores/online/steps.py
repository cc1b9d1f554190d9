"""The steps of which cases are made: declare, write, materialise, ask, and do so in another project or another process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from feast import FeatureView
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus
from feast.type_map import feast_value_type_to_python_type
from feast.types import Bytes, from_feast_to_pyarrow_type

from tests.stores.online.case import MONDAY, Moment, Row, Step, expect, instant
from tests.stores.online.elsewhere import Child
from tests.stores.online.player import Player, entities
from tests.stores.online.views import View

EPOCH = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Apply:
    """Declare views, and what is made of them: services, aliases, on-demand views."""

    views: Sequence[View]
    made: Callable[[dict[str, FeatureView]], list[Any]] = lambda _: []

    def play(self, player: Player) -> None:
        declared = {view.name: view.feast(player.folder) for view in self.views}
        player.store.apply([*entities(self.views), *declared.values(), *self.made(declared)])


@dataclass(frozen=True)
class Forget:
    """Take a view out of the project."""

    view: str

    def play(self, player: Player) -> None:
        player.store.apply([], objects_to_delete=[player.view(self.view)], partial=False)


@dataclass(frozen=True)
class Teardown:
    """Take the whole project down, with its registry: Feast's keeps a view's versions, and then refuses the same view."""

    def play(self, player: Player) -> None:
        player.store.teardown()
        player.stores.pop(player.project)
        player.registry.unlink()


@dataclass(frozen=True)
class Write:
    """Write rows in one batch through the seam."""

    view: str
    rows: Sequence[Row]

    def play(self, player: Player) -> None:
        player.write(player.view(self.view), self.rows)


@dataclass(frozen=True)
class WriteFrame:
    """Write a data frame by ``write_to_online_store``, or by ``push`` to the view's push source.

    An unknown created time is that of the event, unless there may be ``gaps``: then it is missing.
    """

    view: str
    rows: Sequence[Row]
    push: bool = False
    gaps: bool = False

    def play(self, player: Player) -> None:
        frame = pd.DataFrame([_flat(row, self.gaps) for row in self.rows]).astype({"created": "datetime64[us, UTC]"})
        if self.push:
            player.store.push(f"{self.view}_push", frame)
        else:
            player.store.write_to_online_store(self.view, frame)


@dataclass(frozen=True)
class File:
    """Write the Parquet file of a view's source, in row groups of ``group`` rows; its columns are called as in the source.

    An unknown created time is that of the event, unless there may be ``gaps``: then it is null.
    """

    view: str
    rows: Sequence[Row]
    group: int = 1_000_000
    gaps: bool = False

    def play(self, player: Player) -> None:
        view = player.view(self.view)
        called = {feature: column for column, feature in view.batch_source.field_mapping.items()}  # type: ignore[union-attr]
        kinds = {field.name: _arrow(field.dtype) for field in [*view.entity_columns, *view.features]}
        when = pa.timestamp("us", "UTC")
        kinds = {name: kind for name, kind in kinds.items() if name != "__dummy_id"} | {"event_timestamp": when, "created": when}
        flat = [_flat(row, self.gaps) for row in self.rows]
        columns = {called.get(name, name): pa.array([one[name] for one in flat], kind) for name, kind in kinds.items()}
        pq.write_table(pa.table(columns), player.folder / f"{self.view}.parquet", row_group_size=self.group)


@dataclass(frozen=True)
class Materialize:
    """``materialize`` from ``since`` to ``until``, or ``materialize_incremental`` up to it."""

    views: Sequence[str]
    until: Moment = MONDAY
    since: Moment = EPOCH
    incremental: bool = False

    def play(self, player: Player) -> None:
        if self.incremental:
            player.store.materialize_incremental(instant(self.until), feature_views=list(self.views))
        else:
            player.store.materialize(instant(self.since), instant(self.until), feature_views=list(self.views))


@dataclass(frozen=True)
class Ask:
    """``get_online_features``: the answers by column and, where named, the statuses and events.

    ``features`` are references, or the name of a feature service. The columns are those of ``answer`` and no others.
    """

    keys: Sequence[Mapping[str, Any]]
    answer: Mapping[str, Sequence[Any]]
    status: Mapping[str, Sequence[str]] = field(default_factory=dict)
    at: Mapping[str, Sequence[datetime | None]] = field(default_factory=dict)
    features: Sequence[str] | str = ("trips:a",)
    full_names: bool = False
    by_async: bool = False

    def play(self, player: Player) -> None:
        asked = player.store.get_feature_service(self.features) if isinstance(self.features, str) else list(self.features)
        options: dict[str, Any] = {"features": asked, "entity_rows": [dict(key) for key in self.keys]}
        options["full_feature_names"] = self.full_names
        response = asyncio.run(_by_async(player, options)) if self.by_async else player.store.get_online_features(**options)
        answered, own = response.to_dict(), {name for key in self.keys for name in key}
        expect("columns", sorted(self.answer), sorted(set(answered) - own))
        for name, expected in self.answer.items():
            expect(f"values of {name}", list(expected), answered[name])
        vectors = dict(zip(response.proto.metadata.feature_names.val, response.proto.results))
        for name, expected in self.status.items():
            expect(f"statuses of {name}", list(expected), [FieldStatus.Name(code) for code in vectors[name].statuses])
        for name, when in self.at.items():
            expect(f"events of {name}", list(when), [_moment(stamp) for stamp in vectors[name].event_timestamps])


async def _by_async(player: Player, options: dict[str, Any]) -> Any:
    await player.store.initialize()
    try:
        return await player.store.get_online_features_async(**options)
    finally:
        await player.store.close()


@dataclass(frozen=True)
class Read:
    """``online_read`` of the seam: by key the features that are answered with their values, or None for an unknown key.

    A store may answer an unknown key by values that are all unset. ``features`` None asks for all without naming them.
    """

    keys: Sequence[Mapping[str, Any]]
    answer: Sequence[dict[str, Any] | None]
    features: Sequence[str] | None = ("a",)
    view: str = "trips"

    def play(self, player: Player) -> None:
        asked = None if self.features is None else list(self.features)
        rows = player.read(player.view(self.view), [dict(key) for key in self.keys], asked)
        expect("rows", list(self.answer), [_python(values) if known(values) else None for _, values in rows])


def known(values: Mapping[str, Any] | None) -> bool:
    """Whether any of Feast's values is set."""
    return any(value.WhichOneof("val") for value in (values or {}).values())


@dataclass(frozen=True)
class Search:
    """``retrieve_online_documents_v2`` of the view ``texts``: the keys in order, nearest first, and other columns where named."""

    query: list[float]
    top_k: int
    keys: list[int]
    answer: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    metric: str = "L2"
    filters: Any = None

    def play(self, player: Player) -> None:
        features = ["texts:vector", "texts:title", "texts:year"]
        answered = player.store.retrieve_online_documents_v2(
            features=features, query=self.query, top_k=self.top_k, distance_metric=self.metric, filters=self.filters
        ).to_dict()
        expect("keys", self.keys, answered.get("driver", []))
        for name, expected in self.answer.items():
            expect(f"values of {name}", list(expected), answered[name])


@dataclass(frozen=True)
class Wait:
    seconds: float

    def play(self, player: Player) -> None:
        time.sleep(self.seconds)


@dataclass(frozen=True)
class Within:
    """Play steps in another project on the same online store: ``project`` is its name, with ``{}`` for the case's own."""

    project: str
    steps: Sequence[Step]

    def play(self, player: Player) -> None:
        player.within(self.project).play(self.steps)


@dataclass(frozen=True)
class Elsewhere:
    """Play steps in a process of its own, which lives in a time zone."""

    steps: Sequence[Step]
    zone: str = "UTC"

    def play(self, player: Player) -> None:
        Child(player, self.steps, self.zone).done()


def _flat(row: Row, gaps: bool) -> dict[str, Any]:
    created = row.created if row.created is not None or gaps else row.at
    known = None if created is None else instant(created)
    return {**row.key, **row.values, "event_timestamp": instant(row.at), "created": known}


def _arrow(kind: Any) -> pa.DataType:
    """Feast names an Arrow type for each of its own but Bytes."""
    return pa.binary() if kind == Bytes else from_feast_to_pyarrow_type(kind)


def _python(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: feast_value_type_to_python_type(value) for name, value in values.items()}


def _moment(stamp: Any) -> datetime | None:
    """The epoch itself stands for no event."""
    return stamp.ToDatetime(tzinfo=UTC) if stamp.seconds or stamp.nanos else None
