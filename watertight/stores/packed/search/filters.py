"""Feast's filters over columns: which rows pass. A null passes none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from feast.filter_models import ComparisonFilter, CompoundFilter

from watertight.core.errors import Misuse

_INT64 = 2**63
_COMPARED: dict[str, Callable[[pa.Array, Any], pa.Array]] = {
    "eq": pc.equal,
    "ne": pc.not_equal,
    "gt": pc.greater,
    "gte": pc.greater_equal,
    "lt": pc.less,
    "lte": pc.less_equal,
}


def passing(filters: ComparisonFilter | CompoundFilter | None, columns: Mapping[str, pa.Array], rows: int) -> np.ndarray:
    """Of each of ``rows`` rows, whether it passes; raises Misuse if a value is not of its feature's type."""
    if filters is None:
        return np.ones(rows, dtype=bool)
    if isinstance(filters, ComparisonFilter):
        return _compared(filters, columns[filters.key])
    parts = [passing(inner, columns, rows) for inner in filters.filters]
    if not parts:
        return np.ones(rows, dtype=bool)
    return np.logical_and.reduce(parts) if filters.type == "and" else np.logical_or.reduce(parts)


def _compared(wanted: ComparisonFilter, column: pa.Array) -> np.ndarray:
    if wanted.type in ("in", "nin"):
        among = pc.is_in(column, value_set=_values(wanted, column))
        answer = among if wanted.type == "in" else pc.and_(pc.is_valid(column), pc.invert(among))
    else:
        answer = _COMPARED[wanted.type](column, _value(wanted, wanted.value, column))
    passed: np.ndarray = pc.fill_null(answer, False).to_numpy(zero_copy_only=False)
    return passed


def _values(wanted: ComparisonFilter, column: pa.Array) -> pa.Array:
    if not isinstance(wanted.value, list | tuple | set):
        raise Misuse(f"filter {wanted.type!r} has no list of values", column=wanted.key, expected="a list")
    scalars = [_value(wanted, value, column) for value in wanted.value]
    # A number that the column's type cannot hold is in no row.
    return pa.array([scalar.as_py() for scalar in scalars if _holds(column.type, scalar)], column.type)


def _value(wanted: ComparisonFilter, value: Any, column: pa.Array) -> pa.Scalar:
    """A number for numbers, a text for texts, a bool for bools."""
    kind = bool if pa.types.is_boolean(column.type) else str if pa.types.is_string(column.type) else (int, float)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Misuse(
            f"filter {wanted.type!r} compares {column.type} with {value!r}",
            column=wanted.key,
            expected=f"a value of {column.type}",
        )
    return pa.scalar(float(value) if isinstance(value, int) and not -_INT64 <= value < _INT64 else value)


def _holds(kind: pa.DataType, scalar: pa.Scalar) -> bool:
    try:
        return bool(scalar.cast(kind).cast(scalar.type) == scalar)
    except pa.ArrowInvalid:
        return False
