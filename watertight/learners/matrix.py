"""What a family is given of the rows: a matrix of float32 with a name per column, the texts it reads, and the groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from watertight.core.declare import pick
from watertight.core.errors import Refusal

Floats = npt.NDArray[np.float32]
MEMBER = "cell__"
LOG_VARIANCE = "log_variance__"
"""What a cell below says of its own uncertainty; beside its prediction, and no member."""


@dataclass(frozen=True)
class Matrix:
    """What a family is given of n rows.

    ``values``: float32 of shape (n, columns), NaN meaning null. ``names``: one per column; the predictions of another
    cell are the columns ``cell__<name>``, and its log-variance, where it gives one, ``log_variance__<name>``. ``texts``: per
    text column n strings, null where there is none. ``groups``: the group of each row, n strings, for inner splits that keep
    groups whole; None where rows are only predicted. ``blocks``: the block of groups that each row is of, n whole numbers,
    where synthetic rows were made of rows of two groups: both are of one block, so that an inner split between blocks parts no
    row from what it was made of. ``folds``: of a cell over others, n whole numbers, the fold in which each row was
    predicted; None elsewhere.
    """

    values: Floats
    names: tuple[str, ...]
    texts: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    groups: npt.NDArray[np.str_] | None = None
    blocks: npt.NDArray[np.int64] | None = None
    folds: npt.NDArray[np.int64] | None = None

    def column(self, name: str) -> Floats:
        """One column by name; raises Misuse with the nearest name if it is not there."""
        return self.values[:, pick({known: place for place, known in enumerate(self.names)}, name, "feature of the cell")]

    def block(self, name: str) -> Floats:
        """A list column's numbers, (n, width), or a number's, (n, 1); raises Misuse if there is no such column."""
        parts = [place for place, known in enumerate(self.names) if known.startswith(f"{name}[")]
        return self.values[:, parts] if parts else self.column(name)[:, None]

    @property
    def members(self) -> tuple[str, ...]:
        """The columns that are other cells' predictions."""
        return tuple(name for name in self.names if name.startswith(MEMBER))

    def at(self, places: npt.NDArray[Any]) -> Matrix:
        """The rows at ``places`` (indices, or a boolean per row)."""
        rows = np.arange(len(self.values))[places]
        texts = {name: [values[row] for row in rows] for name, values in self.texts.items()}
        groups, blocks, folds = (None if of is None else of[rows] for of in (self.groups, self.blocks, self.folds))
        return Matrix(self.values[rows], self.names, texts, groups, blocks, folds)


def feature_matrix(
    table: pl.DataFrame, columns: Sequence[str], widths: dict[str, int] | None = None, texts: Sequence[str] = ()
) -> Matrix:
    """``columns`` of ``table`` side by side; a list column of n numbers becomes n columns ``name[0]`` … ``name[n-1]``.

    ``widths`` fixes n per list column (a model's own); by default it is the longest list's. A null list is a row of
    NaN. ``texts`` names string columns that go along as they are, and so does ``group_id`` where the table has it.
    Raises Refusal where a list has another length, and for columns that are not numbers.
    """
    listed = list_widths(table, columns) if widths is None else widths
    blocks, names = [], []
    for name in columns:
        block = _block(table[name], listed.get(name))
        blocks.append(block)
        names += [name] if name not in listed else [f"{name}[{i}]" for i in range(block.shape[1])]
    values = np.hstack(blocks) if blocks else np.empty((table.height, 0), dtype=np.float32)
    groups = table["group_id"].to_numpy().astype(np.str_) if "group_id" in table.columns else None
    return Matrix(np.ascontiguousarray(values), tuple(names), {name: table[name].to_list() for name in texts}, groups)


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
