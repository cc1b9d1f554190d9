"""The columns of a sample: what kind of values each holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import polars as pl

from watertight.core.contract import ADDED, ROLES
from watertight.core.rows import filled
from watertight.core.time import to_utc

Kind = Literal["text", "string", "bool", "int", "float", "timestamp", "nested", "empty"]

WORDS = ("true", "false", "yes", "no")
TEXT_WORDS, TEXT_DISTINCT = 3, 0.5
"""A text has that many words in the median, and that share of the texts of a column differs."""
WHOLE = r"^[+-]?(0|[1-9][0-9]{0,17})$"
NESTED = pl.List | pl.Array | pl.Struct | pl.Binary | pl.Object


@dataclass(frozen=True)
class Column:
    """``raw`` is the name in the file, ``name`` in the contract; ``cells`` are the values, null where a cell is blank."""

    raw: str
    name: str
    kind: Kind
    cells: pl.Series

    @cached_property
    def values(self) -> pl.Series:
        """The cells that hold something."""
        return self.cells.drop_nulls()

    @cached_property
    def distinct(self) -> int:
        """How many different values there are, blanks not counted."""
        return self.values.n_unique()

    @property
    def unique(self) -> bool:
        """Whether every row has a value of its own."""
        return self.kind in ("string", "int", "text") and self.distinct == len(self.cells)


def profiled(raw: pl.DataFrame, workload: str) -> dict[str, Column]:
    """Every column of a sample by its name in the file, in the file's order."""
    return {name: _column(raw[name], plain) for name, plain in plain_names(raw.columns, workload).items()}


def plain_names(names: Iterable[str], workload: str) -> dict[str, str]:
    """What the contract calls each column: lower case, ``_`` for all but letters and digits, each name once.

    Names that every workload's rows have, or that stages add, get the workload's name before them.
    """
    found: dict[str, str] = {}
    for number, name in enumerate(names, start=1):
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or f"column_{number}"
        plain = f"column_{plain}" if plain[0].isdigit() else plain
        plain = f"{workload}_{plain}" if plain in (*ROLES, *ADDED) else plain
        found[name] = f"{plain}_{number}" if plain in found.values() else plain
    return found


def _column(raw: pl.Series, name: str) -> Column:
    cells = raw.set(~filled(raw), None)
    cells = cells.str.strip_chars() if cells.dtype == pl.String else cells
    return Column(raw.name, name, _kind(cells), cells)


def _kind(cells: pl.Series) -> Kind:
    values = cells.drop_nulls()
    if values.is_empty():
        return "empty"
    if isinstance(values.dtype, NESTED):
        return "nested"
    return _of_strings(values) if values.dtype == pl.String else _of_typed(values.dtype)


def _of_typed(dtype: pl.DataType) -> Kind:
    if dtype.is_temporal():
        return "timestamp" if isinstance(dtype, pl.Date | pl.Datetime) else "string"
    if dtype.is_integer():
        return "int"
    return "bool" if dtype == pl.Boolean else "float" if dtype.is_numeric() else "string"


def _of_strings(values: pl.Series) -> Kind:
    if values.str.to_lowercase().is_in(WORDS).all():
        return "bool"
    if values.str.contains(WHOLE).all():
        return "int"
    if values.cast(pl.Float64, strict=False).is_finite().fill_null(False).all():
        return "float" if not values.str.contains(r"^0[0-9]").any() else "string"
    if to_utc(values, "UTC").is_not_null().all():
        return "timestamp"
    return "text" if _is_text(values) else "string"


def _is_text(values: pl.Series) -> bool:
    words: float = values.str.count_matches(r"\S+").median()  # type: ignore[assignment]
    return words >= TEXT_WORDS and values.n_unique() >= TEXT_DISTINCT * len(values)
