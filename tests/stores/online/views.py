"""The Feast objects of a case, from a declaration of one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from feast import Entity, FeatureView, Field, FileSource, PushSource, ValueType
from feast.types import Float64, from_value_type

DRIVER = {"driver": ValueType.INT64}


@dataclass(frozen=True)
class View:
    """A feature view over ``<folder>/<name>.parquet``, with event_timestamp and created; ``push``: and a push source."""

    name: str = "trips"
    features: Mapping[str, Any] = field(default_factory=lambda: {"a": Float64})
    keys: Mapping[str, ValueType] = field(default_factory=lambda: DRIVER)
    ttl: timedelta | None = None
    push: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    vector: str | None = None

    def entities(self) -> list[Entity]:
        return [Entity(name=key, join_keys=[key], value_type=kind) for key, kind in self.keys.items()]

    def feast(self, folder: Path) -> FeatureView:
        """The view itself; ``renamed`` is its source's field mapping, ``vector`` the feature that is searched."""
        keys = [Field(name=key, dtype=from_value_type(kind)) for key, kind in self.keys.items()]
        return FeatureView(
            name=self.name,
            entities=self.entities(),
            schema=[*keys, *(self._field(name, kind) for name, kind in self.features.items())],
            ttl=self.ttl,
            source=self._source(folder),
        )

    def _field(self, name: str, kind: Any) -> Field:
        if name != self.vector:
            return Field(name=name, dtype=kind)
        return Field(name=name, dtype=kind, vector_index=True, vector_length=2)

    def _source(self, folder: Path) -> FileSource | PushSource:
        file = FileSource(
            name=f"{self.name}_file",
            path=str(folder / f"{self.name}.parquet"),
            timestamp_field="event_timestamp",
            created_timestamp_column="created",
            field_mapping=dict(self.renamed),
        )
        return PushSource(name=f"{self.name}_push", batch_source=file) if self.push else file
