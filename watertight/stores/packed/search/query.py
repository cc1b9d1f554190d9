"""What is searched for, checked against what the view declares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from feast import FeatureView
from feast.field import Field
from feast.filter_models import ComparisonFilter, CompoundFilter
from feast.value_type import ValueType

from watertight.core.errors import Misuse
from watertight.stores.packed.search.distance import METRICS, Metric

VECTORS: dict[ValueType, np.dtype[np.floating]] = {ValueType.FLOAT_LIST: np.dtype("<f4"), ValueType.DOUBLE_LIST: np.dtype("<f8")}
FILTERED = {ValueType.STRING, ValueType.INT32, ValueType.INT64, ValueType.FLOAT, ValueType.DOUBLE, ValueType.BOOL}

Filter = ComparisonFilter | CompoundFilter | None


@dataclass(frozen=True)
class Query:
    """``embedding`` among those of ``table``; ``features`` of the ``top_k`` nearest rows that pass ``filters``.

    Its properties raise Misuse for what the view or the request does not settle.
    """

    table: FeatureView
    features: list[str]
    embedding: list[float]
    top_k: int
    metric_name: str | None
    filters: Filter

    @cached_property
    def field(self) -> Field:
        """The one feature of the view that is searched."""
        indexed = [feature for feature in self.table.features if feature.vector_index]
        if len(indexed) != 1 or indexed[0].dtype.to_value_type() not in VECTORS:
            raise Misuse(
                f"view {self.table.name!r} does not say which embedding is searched",
                expected="one feature with vector_index=True, an Array(Float32) or Array(Float64)",
                next_step=f"it has {', '.join(feature.name for feature in indexed) or 'none'}; declare one and apply",
            )
        return indexed[0]

    @cached_property
    def vector(self) -> np.ndarray:
        """The embedding, float64, of the declared length if there is one."""
        vector = np.asarray(self.embedding, dtype=np.float64)
        wide = self.field.vector_length or vector.size
        if vector.shape != (wide,) or not np.isfinite(vector).all() or not wide:
            raise Misuse(
                f"the query has {vector.size} numbers, {int((~np.isfinite(vector)).sum())} of them not finite",
                column=self.field.name,
                expected=f"{wide} finite numbers",
                next_step="embed the query with the model that embedded the view",
            )
        return vector

    @cached_property
    def metric(self) -> Metric:
        """By name, in any case; L2 unless the request or the view's field says otherwise."""
        name = (self.metric_name or "l2").lower()
        if name not in METRICS:
            raise Misuse(f"there is no distance {self.metric_name!r}", expected=", ".join(METRICS))
        return METRICS[name]

    @cached_property
    def filtered(self) -> tuple[str, ...]:
        """The features that the filters look at, each a scalar of the view."""
        kinds = {feature.name: feature.dtype.to_value_type() for feature in self.table.features}
        names = tuple(sorted(_names(self.filters)))
        for name in names:
            if kinds.get(name) not in FILTERED:
                scalars = [known for known, kind in kinds.items() if kind in FILTERED]
                raise Misuse(f"cannot filter by {name!r}", column=name, expected=f"one of {', '.join(scalars)}")
        return names

    def demand_sense(self) -> None:
        """Raise Misuse before anything is read, if anything about the query is wrong."""
        if self.top_k < 1:
            raise Misuse(f"top_k is {self.top_k}", expected="1 or more")
        _ = self.vector, self.metric, self.filtered


def _names(filters: Filter) -> set[str]:
    if isinstance(filters, CompoundFilter):
        return {name for inner in filters.filters for name in _names(inner)}
    return set() if filters is None else {filters.key}
