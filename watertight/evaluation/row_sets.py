"""The rows that figures are of: their truths, their groups, and the digest that says which rows they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from watertight.core.contract import Target
from watertight.core.digests import row_set_digest

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class RowSet:
    """``truth``: float64, (n,), or (n, d) for vectors; classes as indices in declared order. ``group``: (n,), the place of
    each row's group among the groups by name. ``first``: (groups,), a row of each. ``digest``: of the pairs (row_id, truth).
    """

    kind: str
    truth: Floats
    group: Places
    first: Places
    digest: str

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.truth)

    @property
    def groups(self) -> int:
        """How many groups."""
        return len(self.first)


def row_set(rows: pl.DataFrame, name: str, target: Target) -> RowSet:
    """The row set of ``rows`` (row_id, group_id and the column ``name`` without nulls).

    Raises ValueError where a row_id stands twice.
    """
    _, first, group = np.unique(rows["group_id"].to_numpy(), return_index=True, return_inverse=True)
    truth = as_array(rows[name], target.classes or ())
    return RowSet(target.kind, truth, group, first, row_set_digest(rows, name))


def as_array(values: pl.Series, classes: tuple[str, ...] = ()) -> Floats:
    """A column as float64: classes as indices in declared order, lists as a matrix."""
    if classes:
        values = values.replace_strict(list(classes), list(range(len(classes))), return_dtype=pl.Int64)
    if isinstance(values.dtype, pl.List | pl.Array):
        return _matrix(values)
    return values.cast(pl.Float64).to_numpy()


def _matrix(values: pl.Series) -> Floats:
    """Raises ValueError where lists differ in length."""
    lists = values if isinstance(values.dtype, pl.List) else values.arr.to_list()
    widths = lists.list.len().unique()
    if len(widths) > 1 or widths.null_count():
        raise ValueError(f"vectors of {values.name!r} differ in length: {', '.join(map(str, widths.sort().to_list()))}")
    numbers = lists.explode(empty_as_null=False).to_numpy() if len(widths) else np.empty(0)
    return numbers.reshape(len(values), *widths).astype(np.float64, copy=False)
