"""What two vectors of a row have to do with each other: the declaration, and the function that makes the columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from watertight.core.declare import Declaration, parse, pick
from watertight.core.errors import Refusal
from watertight.core.view_spec import TAG

Floats = NDArray[np.float32]


class InteractionSpec(Declaration):
    """``left`` and ``right`` are joined columns of vectors, ``<view>__vector``; ``of`` says which columns are made of them."""

    left: str
    right: str
    of: tuple[Literal["product", "difference", "cosine"], ...] = Field(min_length=1)

    def tags(self) -> dict[str, str]:
        """The tags that carry this declaration through Feast's registry."""
        return {TAG: json.dumps(self.model_dump(mode="json"), sort_keys=True)}


def interaction_of(name: str, tags: Mapping[str, str]) -> InteractionSpec | None:
    """The declaration in an on-demand view's tags, or None for one that is no interaction."""
    return parse(InteractionSpec, json.loads(tags[TAG]), f"view {name!r}") if TAG in tags else None


def interactions(left: Floats, right: Floats, spec: InteractionSpec) -> dict[str, Floats]:
    """Each of ``spec.of`` by its name, for n rows: float32.

    ``left`` and ``right``: float32 (n, d), a row of NaN for null. ``product`` and ``difference`` (|left - right|), both
    element by element, are (n, d), a row of NaN where either vector is null. ``cosine`` is (n, 1), in [-1, 1], NaN where
    either vector is null or zero. A row gets the same bits alone as in any batch.

    Raises Refusal where the vectors differ in dimension.
    """
    if left.shape != right.shape:
        raise Refusal(
            f"{spec.left} has vectors of {left.shape[1]} numbers, {spec.right} of {right.shape[1]}",
            column=f"{spec.left}, {spec.right}",
            expected="two vectors of one dimension, as one encoder gives them",
        )
    return {kind: _FUNCTIONS[kind](left, right) for kind in spec.of}


def recomputed(columns: Mapping[str, Floats], specs: Mapping[str, InteractionSpec]) -> dict[str, Floats]:
    """The joined columns ``<view>__<kind>`` of the interaction views ``specs``, bit for bit as the views make them.

    ``columns``: by joined column the base vectors, as :func:`interactions` takes them; so is each answer. Raises Misuse
    where one is missing.
    """
    return {
        f"{view}__{kind}": values
        for view, spec in specs.items()
        for kind, values in interactions(_base(columns, spec.left), _base(columns, spec.right), spec).items()
    }


def _base(columns: Mapping[str, Floats], name: str) -> Floats:
    found: Floats = pick(dict(columns), name, "column of vectors")
    return found


def _difference(left: Floats, right: Floats) -> Floats:
    found: Floats = np.abs(left - right)
    return found


def _cosine(left: Floats, right: Floats) -> Floats:
    # In C order every row is summed by itself, number by number; another order would sum across rows.
    a, b = (np.ascontiguousarray(vectors, dtype=np.float64) for vectors in (left, right))
    lengths = np.sqrt((a * a).sum(axis=1)) * np.sqrt((b * b).sum(axis=1))
    with np.errstate(invalid="ignore"):
        cosines = (a * b).sum(axis=1) / lengths
    return np.clip(cosines, -1.0, 1.0).astype(np.float32)[:, None]


_FUNCTIONS: dict[str, Callable[[Any, Any], Floats]] = {
    "product": np.multiply,
    "difference": _difference,
    "cosine": _cosine,
}
