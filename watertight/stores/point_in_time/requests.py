"""What Feast asks for, in terms of the join: of each view its source, keys and columns, and how the answer names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from feast import FeatureView, utils
from feast.feature_view import DUMMY_ENTITY_ID
from feast.infra.registry.base_registry import BaseRegistry
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.repo_config import RepoConfig

from watertight.core.errors import Misuse
from watertight.stores.point_in_time.parquet_rows import ParquetRows, rows_of
from watertight.stores.point_in_time.view_join import ViewQuery


@dataclass(frozen=True)
class Request:
    """The views' queries, the names of their columns, the order of these in the answer; the on-demand views and their columns."""

    queries: tuple[ViewQuery, ...]
    names: tuple[tuple[str, ...], ...]
    order: tuple[str, ...]
    on_demand: tuple[OnDemandFeatureView, ...]
    on_top: tuple[str, ...]

    def opened(self, config: RepoConfig) -> Request:
        """The same, over the files as they are now."""
        return replace(self, queries=tuple(replace(query, source=source_rows(config, query.view)) for query in self.queries))

    def demand_free(self, columns: Sequence[str]) -> None:
        """Raise Misuse where a column of the entity rows bears the name of a feature."""
        taken = sorted({*self.order, *self.on_top} & set(columns))
        if taken:
            raise Misuse(
                f"the entity rows have a column {taken[0]!r}, and so is a feature called",
                expected="other names",
                next_step="rename the column, or ask for full_feature_names=True",
            )


def request_of(
    config: RepoConfig,
    views: Sequence[FeatureView],
    refs: Sequence[str],
    registry: BaseRegistry,
    project: str,
    full_names: bool,
    written: bool,
) -> Request:
    """The request behind Feast's feature references, whose order is that of the answer."""
    on_demand = utils._get_requested_on_demand_feature_views(list(refs), project, registry)
    asked, on_top = utils._get_requested_feature_views_to_features_dict(list(refs), list(views), on_demand)
    queries, names = [], []
    for view, features in asked.items():
        distinct = list(dict.fromkeys(features))
        queries.append(_query(config, view, distinct, written))
        names.append(_named(view, distinct, full_names))
    place = {f"{query.name}:{column}": name for query, own in zip(queries, names) for column, name in zip(query.columns, own)}
    order = tuple(dict.fromkeys(place[ref] for ref in refs if ref in place))
    made = [name for view, features in on_top.items() for name in _named(view, features, full_names)]
    return Request(tuple(queries), tuple(names), order, tuple(on_demand), tuple(made))


def _named(view: FeatureView | OnDemandFeatureView, features: Sequence[str], full_names: bool) -> tuple[str, ...]:
    """Not by `name_to_use`, which has the version of a view in it."""
    prefix = f"{view.projection.name_alias or view.name}__" if full_names else ""
    return tuple(f"{prefix}{feature}" for feature in features)


def source_rows(config: RepoConfig, view: FeatureView) -> ParquetRows:
    """The rows of a view's batch source."""
    return rows_of(view.batch_source, config.repo_path, view.name)


def _query(config: RepoConfig, view: FeatureView, features: Sequence[str], written: bool) -> ViewQuery:
    source = source_rows(config, view)
    for name in features:
        source.column(name)
    called = view.projection.join_key_map
    keys = [column.name for column in view.entity_columns if column.name != DUMMY_ENTITY_ID]
    batch: Any = view.batch_source
    return ViewQuery(
        view,
        source,
        tuple((called.get(key, key), key) for key in keys),
        tuple(features),
        batch.timestamp_field,
        batch.created_timestamp_column or None,
        view.ttl or None,
        written,
    )
