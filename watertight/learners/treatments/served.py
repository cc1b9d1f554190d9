"""Which of the columns that a cell reads go with an entity, and which are made of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

    ``columns``: by entity key, the joined columns of its views. ``texts``: by entity key, the text columns that are its own,
    the key among them. ``interactions``: by view, the vectors that it is made of. ``opaque``: the on-demand views that
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

    def interactions_of(self, columns: Iterable[str]) -> dict[str, InteractionSpec]:
        """The interactions of any of these vectors, by view."""
        known = set(columns)
        return {view: spec for view, spec in self.interactions.items() if {spec.left, spec.right} & known}

    def demand_exchange(self, x: Matrix, entity: str) -> None:
        """Raise Misuse where a row with another ``entity`` would be the very row that it is made of, or the other one."""
        own = {*self.of_entity(entity), *self.texts.get(entity, ())}
        names = _columns_of(x) | set(x.texts)
        if not names & (own | self._mixed(own)):
            raise Misuse(f"the cell reads nothing of {entity!r}", expected="a cell that reads what the step changes")
        if names <= own:
            raise Misuse(f"the cell reads nothing but {entity!r}", expected="a cell that reads what it is mismatched with, too")

    def demand_turned(self, x: Matrix, entity: str) -> None:
        """Raise Misuse where a cell reads no vector of ``entity``, and no interaction of one: noise would change nothing."""
        own = set(self.of_entity(entity))
        lists = {name for name in own if f"{name}[0]" in x.names}
        if not lists | (_columns_of(x) & self._mixed(own)):
            raise Misuse(
                f"the cell reads no vector of {entity!r} that noise could turn", expected="vectors, or interactions of them"
            )

    def _mixed(self, own: Iterable[str]) -> set[str]:
        """The joined columns of the interactions of any of these vectors."""
        return {f"{view}{JOINED}{kind}" for view, spec in self.interactions_of(own).items() for kind in spec.of}

    def demand_made_again(self, x: Matrix) -> None:
        """Raise Misuse where a cell reads what could not be made again for a row of other features."""
        views = {name.split(JOINED)[0] for name in _columns_of(x)}
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
    for name, spec in specs.items():
        view = signature["serves"][name]
        key = view["keys"].get(spec.join_key, spec.join_key)
        columns[key] = (*columns.get(key, ()), *(f"{name}{JOINED}{feature}" for feature in view["features"]))
    opaque = tuple(name for name in views if name not in {*specs, *interactions})
    return Served(columns, _texts_of(list(specs.values())), interactions, opaque)


def _texts_of(specs: Sequence[ViewSpec]) -> dict[str, tuple[str, ...]]:
    """By entity key the key itself, which a cell may read as a text, and the texts that are its own.

    A text that views of several keys read is of the key whose view reads the fewest beside it: what was asked is of the
    prompt, though the view of a response reads it too.
    """
    beside: dict[str, dict[str, int]] = {}
    for spec in specs:
        for key, told in spec.texts.items():
            columns = [told] if isinstance(told, str) else list(told)
            for column in columns:
                known = beside.setdefault(column, {})
                known[key] = min(len(columns), known.get(key, len(columns)))
    found: dict[str, list[str]] = {key: [key] for keys in beside.values() for key in keys}
    for column, keys in beside.items():
        found[min(keys, key=lambda key: (keys[key], key))].append(column)
    return {key: tuple(columns) for key, columns in found.items()}


def _columns_of(x: Matrix) -> set[str]:
    """The joined columns behind the columns of a matrix."""
    return {name.split("[")[0] for name in x.names}


def places_of(x: Matrix, column: str) -> npt.NDArray[np.int64]:
    """Where a joined column, or each number of one that is a list, stands in ``x``."""
    found = [place for place, name in enumerate(x.names) if name == column or name.startswith(f"{column}[")]
    return np.array(found, dtype=np.int64)
