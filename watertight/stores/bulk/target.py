"""Into which online store a view's rows go, and which of their columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
from feast import FeatureView, RepoConfig
from feast.feature_view import DUMMY_ENTITY_ID, DUMMY_ENTITY_VAL
from feast.value_type import ValueType

from watertight.core.errors import Misuse
from watertight.stores.wire.entity_keys import entity_keys
from watertight.stores.wire.pieces import Pieces
from watertight.stores.wire.takes_arrow import CREATED_TIMESTAMP, EVENT_TIMESTAMP
from watertight.stores.wire.value_protos import value_protos


@dataclass(frozen=True)
class Target:
    """A view in an online store; ``store`` is the instance that Feast made."""

    config: RepoConfig
    store: Any
    view: FeatureView

    @cached_property
    def keys(self) -> dict[str, ValueType]:
        """The join keys in Feast's order, and their types; of a view without entities, Feast's stand-in."""
        return {field.name: field.dtype.to_value_type() for field in self.view.entity_columns}

    @cached_property
    def features(self) -> dict[str, ValueType]:
        """The features in the view's order, and their types."""
        return {field.name: field.dtype.to_value_type() for field in self.view.features}

    def entity_keys(self, rows: pa.RecordBatch) -> Pieces:
        """The serialised entity key of each row; raises as :func:`watertight.stores.wire.entity_keys.entity_keys`."""
        return entity_keys(pa.Table.from_batches([rows]), self.keys).cast(pa.large_binary())

    def values(self, rows: pa.RecordBatch) -> dict[str, Pieces]:
        """Per feature the serialised value of each row."""
        return {name: value_protos(rows.column(name), kind) for name, kind in self.features.items()}

    def shaped(self, rows: pa.Table, event: str, created: str | None) -> pa.Table:
        """The columns that are written, by their names in the view, beside their times as microseconds in UTC.

        ``event`` and ``created`` are the columns that hold the times. Raises Misuse where a column is missing.
        """
        if DUMMY_ENTITY_ID in self.keys and DUMMY_ENTITY_ID not in rows.column_names:
            rows = rows.append_column(DUMMY_ENTITY_ID, pa.repeat(DUMMY_ENTITY_VAL, rows.num_rows))
        times = {EVENT_TIMESTAMP: event} | ({CREATED_TIMESTAMP: created} if created else {})
        self._demand([*self.keys, *self.features, *times.values()], rows)
        columns = {name: rows.column(name) for name in (*self.keys, *self.features)}
        return pa.table(columns | {name: rows.column(column) for name, column in times.items()})

    def _demand(self, wanted: list[str], rows: pa.Table) -> None:
        missing = [name for name in wanted if name not in rows.column_names]
        if missing:
            raise Misuse(
                f"view {self.view.name!r}: the offline store answered without {missing}",
                expected=f"these among {rows.column_names}",
                next_step="compare the view's schema and its source's field mapping with the source's columns",
            )
