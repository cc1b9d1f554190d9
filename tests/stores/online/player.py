"""Plays a case's steps on a Feast store whose ``online_store`` is the one under test."""

from __future__ import annotations

import contextlib
import io
import os
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from feast import FeatureStore, FeatureView
from feast.entity import Entity
from feast.infra.online_stores.online_store import OnlineStore
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import RepoConfig
from feast.type_map import python_values_to_proto_values
from feast.value_type import ValueType

from tests.stores.online.case import Row, Step, instant

OFFLINE = {"offline_store": {"type": "duckdb"}}


@dataclass(frozen=True)
class Player:
    """A Feast project in ``folder``, with the ``sections`` of its feature_store.yaml: online_store, and what belongs to it.

    A player is its folder, sections and project, no more: another process makes its own of the same.
    """

    folder: Path
    sections: dict[str, Any]
    project: str = "shop"
    stores: dict[str, FeatureStore] = field(default_factory=dict, compare=False, repr=False)

    def play(self, steps: Sequence[Step]) -> None:
        """Raises AssertionError at the first answer that is not the expected one, and whatever the store raises."""
        with quietly():
            for step in steps:
                step.play(self)

    def within(self, pattern: str) -> Player:
        """The same store as another project uses it, whose name is the pattern with this project's name in its braces."""
        return replace(self, project=pattern.format(self.project))

    def elsewhere(self) -> Player:
        """The same project with connections of its own, as another process must have them."""
        return replace(self, stores={})

    @property
    def store(self) -> FeatureStore:
        if self.project not in self.stores:
            self.stores[self.project] = FeatureStore(config=self.config)
        return self.stores[self.project]

    @cached_property
    def config(self) -> RepoConfig:
        registry = {"registry_type": "sql", "path": f"sqlite:///{self.registry}", "cache_ttl_seconds": 0}
        declared = {**OFFLINE, **self.sections, "registry": registry}
        return RepoConfig(
            project=self.project, provider="local", repo_path=self.folder, entity_key_serialization_version=3, **declared
        )

    @property
    def registry(self) -> Path:
        return self.folder / f"{self.project}-registry.db"

    @property
    def online(self) -> OnlineStore:
        store: OnlineStore = self.store._get_provider().online_store  # type: ignore[attr-defined]
        return store

    def view(self, name: str) -> FeatureView:
        return self.store.get_feature_view(name)

    def write(self, view: FeatureView, rows: Sequence[Row]) -> None:
        """One batch through the seam, as materialisation and pushes write it."""
        self.online.online_write_batch(self.store.config, view, [_protos(view, row) for row in rows], None)

    def read(self, view: FeatureView, keys: Sequence[dict[str, Any]], features: list[str] | None = None) -> list[Any]:
        """What the seam answers: the event, and Feast's values by feature, of each key."""
        return self.online.online_read(self.store.config, view, [_key(view, key) for key in keys], features)


@contextlib.contextmanager
def quietly() -> Any:
    """Without the warnings and progress bars of Feast."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def at_home_in(zone: str) -> None:
    """Let this process live in a time zone."""
    os.environ["TZ"] = zone
    time.tzset()


def _protos(view: FeatureView, row: Row) -> tuple[EntityKey, dict[str, Value], Any, Any]:
    kinds = {feature.name: feature.dtype.to_value_type() for feature in view.features}
    values = {name: _proto(value, kinds[name]) for name, value in row.values.items()}
    return _key(view, row.key), values, instant(row.at), None if row.created is None else instant(row.created)


def _key(view: FeatureView, key: dict[str, Any]) -> EntityKey:
    if not key:
        return EntityKey(join_keys=["__dummy_id"], entity_values=[Value(string_val="")])
    kinds = {column.name: column.dtype.to_value_type() for column in view.entity_columns}
    return EntityKey(join_keys=list(key), entity_values=[_proto(value, kinds[name]) for name, value in key.items()])


def _proto(value: Any, kind: ValueType) -> Value:
    return python_values_to_proto_values([value], kind)[0]


def entities(views: Sequence[Any]) -> list[Entity]:
    """The entities of declared views, each once."""
    return list({entity.name: entity for view in views for entity in view.entities()}.values())
