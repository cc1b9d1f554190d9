"""Which of the columns that a cell reads go with an entity, and which are made of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from watertight.core.declare import nearest, parse
from watertight.core.errors import Misuse
from watertight.core.interactions import InteractionSpec
from watertight.core.view_spec import ViewSpec
from watertight.learners.matrix import Matrix

JOINED = "__"


@dataclass(frozen=True)
class Served:
    """What the joined features are of.

    ``columns``: by entity key, the joined columns of its views. ``texts``: by entity key, the text columns that a view of it
    reads by themselves. ``interactions``: by view, the vectors that it is made of. ``opaque``: the on-demand views that
    cannot be made again from a row's columns.
    """

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    interactions: Mapping[str, InteractionSpec] = field(default_factory=dict)
    opaque: tuple[str, ...] = ()

    @property
    def bases(self) -> tuple[str, ...]:
        """The columns of vectors that interactions are made of."""
        return tuple(dict.fromkeys(name for spec in self.interactions.values() for name in (spec.left, spec.right)))

    def of_entity(self, entity: str) -> tuple[str, ...]:
        """The joined columns of an entity; raises Misuse with the nearest key where no view has it."""
        if entity not in self.columns:
            raise Misuse(f"no view is keyed by {entity!r}; {nearest(entity, self.columns)}", expected="an entity key")
        return self.columns[entity]

    def demand_made_again(self, x: Matrix) -> None:
        """Raise Misuse where a cell reads what could not be made again for a row of other features."""
        views = {name.split(JOINED)[0] for name in x.names}
        strange = [view for view in self.opaque if view in views]
        if strange:
            raise Misuse(
                f"rows cannot be made for a cell that reads {', '.join(strange)}",
                expected="views whose features are stored, or interactions of them",
            )


def served_as(signature: Mapping[str, Any]) -> Served:
    """What the joined features are of, as a training set's signature tells it."""
    views = {name: signature["views"].get(view["view"]) for name, view in signature["serves"].items()}
    specs = {name: parse(ViewSpec, spec, f"view {name!r}") for name, spec in views.items() if spec}
    told = signature.get("interactions", {})
    interactions = {name: parse(InteractionSpec, told[name], f"view {name!r}") for name in views if name in told}
    columns: dict[str, tuple[str, ...]] = {}
    texts: dict[str, tuple[str, ...]] = {}
    for name, spec in specs.items():
        view = signature["serves"][name]
        key = view["keys"].get(spec.join_key, spec.join_key)
        columns[key] = (*columns.get(key, ()), *(f"{name}{JOINED}{feature}" for feature in view["features"]))
        texts[key] = (*texts.get(key, ()), *(text for of, text in spec.texts.items() if of == key and isinstance(text, str)))
    return Served(columns, texts, interactions, tuple(name for name in views if name not in {*specs, *interactions}))


def places_of(x: Matrix, column: str) -> npt.NDArray[np.int64]:
    """Where a joined column, or each number of one that is a list, stands in ``x``."""
    found = [place for place, name in enumerate(x.names) if name == column or name.startswith(f"{column}[")]
    return np.array(found, dtype=np.int64)
