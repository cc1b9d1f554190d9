"""A Feast view of what two embedding views have to do with each other: computed from their vectors, never stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from feast import FeatureView, Field
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.transformation.pandas_transformation import PandasTransformation
from feast.types import Array, Float32

from watertight.core.declare import parse
from watertight.core.errors import Misuse, Refusal
from watertight.core.interactions import Floats, InteractionSpec, interactions

VECTOR = "vector"
EVERY = ("product", "difference", "cosine")


def interaction_view(
    workload: str, *, name: str, left: FeatureView, right: FeatureView, of: Sequence[str] = EVERY
) -> OnDemandFeatureView:
    """Features of the pair of vectors that two embedding views have of a row, the same function offline and online.

    ``product`` and ``difference`` (|left - right|): lists of Float32, element by element, null where either vector is
    null. ``cosine``: Float32 in [-1, 1], null where either vector is null or zero. A service serves both embedding views
    themselves, since the guard asks their evidence. Raises Misuse for a view without vectors or under an alias, and for
    an unknown interaction.
    """
    full = f"{workload}_{name}"
    given = {"left": _vectors_of(left, full), "right": _vectors_of(right, full), "of": tuple(of)}
    spec = parse(InteractionSpec, given, f"view {full!r}")

    # Feast evaluates a UDF's annotations where this module's names are not known, so it has none.
    def features(frame):  # type: ignore[no-untyped-def]
        return interaction_features(frame, spec)

    return OnDemandFeatureView(
        name=full,
        sources=[left[[VECTOR]], right[[VECTOR]]],
        schema=[Field(name=kind, dtype=Float32 if kind == "cosine" else Array(Float32)) for kind in spec.of],
        feature_transformation=PandasTransformation(features, "watertight.features.interaction_view.interaction_features"),
        mode="pandas",
        tags=spec.tags(),
    )


def interaction_features(frame: pd.DataFrame, spec: InteractionSpec) -> pd.DataFrame:
    """:func:`interactions` on the pandas frame that Feast hands over; lists as arrays of float32, null as None or NaN."""
    left, right = (_matrix(frame[column]) for column in (spec.left, spec.right))
    width = max(left.shape[1], right.shape[1])
    found = interactions(_of_width(left, width), _of_width(right, width), spec)
    return pd.DataFrame({kind: _column(kind, values) for kind, values in found.items()}, index=frame.index)


def _vectors_of(view: FeatureView, wanted_by: str) -> str:
    """The joined column of a view's vectors. Feast looks an on-demand view's sources up by their own names."""
    if VECTOR not in {field.name for field in view.features} or view.projection.name_alias:
        raise Misuse(
            f"view {wanted_by!r} cannot be made of {view.projection.name_to_use()!r}",
            expected="two views made by embedding_view, under their own names",
        )
    return f"{view.name}__{VECTOR}"


def _matrix(vectors: pd.Series) -> Floats:
    """Feast's lists (arrays, lists, or None) as float32 (n, d), a row of NaN for null; d is 0 where all are null."""
    lists = vectors.to_numpy()
    there = vectors.notna().to_numpy()
    try:
        present = np.array(lists[there].tolist(), dtype=np.float32)
    except ValueError as error:
        raise Refusal(f"the vectors in {vectors.name} differ in length", column=str(vectors.name)) from error
    matrix = np.full((len(lists), present.shape[1] if len(present) else 0), np.nan, dtype=np.float32)
    matrix[there] = present.reshape(len(present), matrix.shape[1])
    return matrix


def _of_width(vectors: Floats, width: int) -> Floats:
    """Vectors of which every one is null have no dimension of their own, and take the other's."""
    return vectors if vectors.shape[1] else np.full((len(vectors), width), np.nan, dtype=np.float32)


def _column(kind: str, values: Floats) -> pd.Series:
    """Feast's column of what was made: a number a row, or an array, None where it is null."""
    if kind == "cosine":
        return pd.Series(values[:, 0])
    null = np.isnan(values).any(axis=1) | (values.shape[1] == 0)
    rows: list[Any] = [None if nothing else row for row, nothing in zip(values, null.tolist(), strict=True)]
    return pd.Series(rows, dtype=object)
