"""Joined features as one matrix of float32, with a name per column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from watertight.core.declare import pick
from watertight.core.errors import Refusal

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Matrix:
    """``values``: float32 of shape (rows, columns), NaN meaning null. ``names``: one per column."""

    values: Floats
    names: tuple[str, ...]

    def column(self, name: str) -> Floats:
        """One column by name; raises Misuse with the nearest name if it is not there."""
        return self.values[:, pick({known: place for place, known in enumerate(self.names)}, name, "feature of the cell")]


def feature_matrix(table: pl.DataFrame, columns: Sequence[str], widths: dict[str, int] | None = None) -> Matrix:
    """``columns`` of ``table`` side by side; a list column of n numbers becomes n columns ``name[0]`` … ``name[n-1]``.

    ``widths`` fixes n per list column (a model's own); by default it is the longest list's. A null list is a row of
    NaN. Raises Refusal where a list has another length, and for columns that are not numbers.
    """
    listed = list_widths(table, columns) if widths is None else widths
    blocks, names = [], []
    for name in columns:
        block = _block(table[name], listed.get(name))
        blocks.append(block)
        names += [name] if name not in listed else [f"{name}[{i}]" for i in range(block.shape[1])]
    values = np.hstack(blocks) if blocks else np.empty((table.height, 0), dtype=np.float32)
    return Matrix(np.ascontiguousarray(values), tuple(names))


def list_widths(table: pl.DataFrame, columns: Sequence[str]) -> dict[str, int]:
    """The length of the lists in each list column; 0 where all are null."""
    return {name: _width(table[name]) for name in columns if _is_list(table[name].dtype)}


def _is_list(kind: pl.DataType) -> bool:
    return isinstance(kind, pl.List | pl.Array)


def _block(values: pl.Series, width: int | None) -> Floats:
    """One column as a block; ``width`` is None for a column of numbers."""
    if width is None and (values.dtype.is_numeric() or values.dtype == pl.Null):
        return values.cast(pl.Float32).to_numpy().reshape(-1, 1)
    if not _is_list(values.dtype) and values.dtype != pl.Null:
        raise Refusal(f"{values.name} is {values.dtype}, which no model takes", expected="numbers or lists of numbers")
    lists = values.cast(pl.List(pl.Float32))
    width = _width(values) if width is None else width
    there = lists.is_not_null()
    if (lists.drop_nulls().list.len() != width).any():
        raise Refusal(f"the vectors in {values.name} differ in length", column=values.name, expected=f"{width} numbers each")
    block = np.full((len(lists), width), np.nan, dtype=np.float32)
    if block.size:
        block[there.to_numpy()] = lists.drop_nulls().explode().to_numpy().reshape(-1, width)
    return block


def _width(values: pl.Series) -> int:
    return int(values.cast(pl.List(pl.Float32)).list.len().max() or 0)  # type: ignore[arg-type]
