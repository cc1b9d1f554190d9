"""The Feast objects that a module declares, and their canonical form."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from feast import Entity, FeatureService, FeatureView
from feast.on_demand_feature_view import OnDemandFeatureView

from watertight.core.declare import pick
from watertight.core.errors import Misuse
from watertight.core.interactions import InteractionSpec, interaction_of
from watertight.core.view_spec import SOURCE_AT, ViewSpec, spec_of


@dataclass(frozen=True)
class Definitions:
    """What one module of ``feature_repo/`` declares, by name."""

    entities: dict[str, Entity]
    views: dict[str, FeatureView]
    on_demand: dict[str, OnDemandFeatureView]
    services: dict[str, FeatureService]

    def objects(self) -> list[Any]:
        """Everything, in the order in which Feast may apply it."""
        groups: tuple[dict[str, Any], ...] = (self.entities, self.views, self.on_demand, self.services)
        return [thing for group in groups for thing in group.values()]

    def service(self, name: str) -> FeatureService:
        """The feature service; raises Misuse with the nearest name, and for an on-demand view under an alias."""
        found: FeatureService = pick(self.services, name, "feature service")
        _demand_own_names(found, self.on_demand)
        return found

    def specs(self) -> dict[str, ViewSpec]:
        """Of each view that the platform fills, what fills it."""
        found = {name: spec_of(name, view.tags) for name, view in self.views.items()}
        return {name: spec for name, spec in found.items() if spec is not None}

    def interactions(self) -> dict[str, InteractionSpec]:
        """Of each on-demand view that is of two vectors, which and what of them."""
        found = {name: interaction_of(name, view.tags) for name, view in self.on_demand.items()}
        return {name: spec for name, spec in found.items() if spec is not None}


def load_definitions(path: Path) -> Definitions:
    """Import a module of ``feature_repo/`` and collect its Feast objects; raises Misuse if it is not there."""
    if not path.is_file():
        raise Misuse(f"{path.name} is not in feature_repo/", expected=f"the workload's views in {path}")
    module = _imported(path)
    things: list[Any] = list(vars(module).values())
    return Definitions(
        _named(things, Entity),
        _named(things, FeatureView),
        _named(things, OnDemandFeatureView),
        _named(things, FeatureService),
    )


def read_from(definitions: Definitions, places: Mapping[str, Path]) -> None:
    """Let the named views read from other Parquet files: rows that are not part of the project's history."""
    for name, path in places.items():
        source: Any = definitions.views[name].batch_source
        source.file_options.uri = str(path)


def projections(service: FeatureService) -> dict[str, dict[str, Any]]:
    """Per name under which a service serves a view: the view, its features, and how its keys are called."""
    return {
        projection.name_to_use(): {
            "view": projection.name,
            "features": [feature.name for feature in projection.features],
            "keys": dict(projection.join_key_map),
        }
        for projection in service.feature_view_projections
    }


def feature_columns(service: FeatureService) -> list[str]:
    """The joined columns of a service, ``<view>__<feature>``, in its order."""
    return [f"{name}__{feature}" for name, view in projections(service).items() for feature in view["features"]]


def described(definitions: Definitions, service: FeatureService) -> dict[str, Any]:
    """The canonical form of what a service is made of: equal exactly where the definitions are equal.

    No path, time or registry state is in it, so it may be digested, committed and compared. ``interactions`` is there
    only where a view is one, so that what was digested before there were any is digested alike.
    """
    interactions = {name: spec.model_dump(mode="json") for name, spec in definitions.interactions().items()}
    return {
        "service": service.name,
        "serves": projections(service),
        "views": {name: spec.model_dump(mode="json") for name, spec in definitions.specs().items()},
        "types": {
            name: {field.name: str(field.dtype) for field in view.features}
            for name, view in {**definitions.views, **definitions.on_demand}.items()
        },
        **({"interactions": interactions} if interactions else {}),
    }


def _demand_own_names(service: FeatureService, on_demand: Mapping[str, Any]) -> None:
    """Feast's join answers an on-demand view under its own name alone, and leaves out the columns of an alias."""
    for projection in service.feature_view_projections:
        if projection.name in on_demand and projection.name_to_use() != projection.name:
            raise Misuse(
                f"service {service.name!r} serves the on-demand view {projection.name!r} as {projection.name_to_use()!r}",
                expected="on-demand views under their own names",
                next_step="declare a second view under the other name",
            )


def is_evidence(column: str) -> bool:
    """Whether a joined column is evidence for the guard rather than a feature for a model."""
    return column.endswith(f"__{SOURCE_AT}")


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"feature_repo.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise Misuse(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _named(things: list[Any], kind: Any) -> dict[str, Any]:
    """By name; of a view and its aliases, which bear its name, the view itself: it stands first."""
    found: dict[str, Any] = {}
    for thing in things:
        if isinstance(thing, kind) and thing.name != "__dummy":
            found.setdefault(thing.name, thing)
    return found
