"""What a bundle reads of a row, and whether a table has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import polars as pl

from watertight.core.declare import nearest
from watertight.core.errors import Refusal
from watertight.registry.bundle import Model

Kind = Literal["number", "vector", "text"]
EXPECTED = {"number": "numbers", "vector": "lists of numbers", "text": "text"}


@dataclass(frozen=True)
class Input:
    """A column that a bundle reads: ``number`` (null is NaN), ``text``, or ``vector`` of ``width`` numbers (null is all NaN)."""

    name: str
    kind: Kind
    width: int | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.kind}{'' if self.width is None else f' of {self.width}'})"


def inputs_of(models: Iterable[Model]) -> tuple[Input, ...]:
    """Every column that any of the models reads, once, in the order of first use; texts last.

    Raises Refusal where two models disagree about what a column is.
    """
    models = tuple(models)
    numbers = [
        Input(name, "vector" if name in model.widths else "number", model.widths.get(name))
        for model in models
        for name in model.columns
    ]
    texts = [Input(name, "text") for model in models for name in model.texts]
    found = tuple(dict.fromkeys((*numbers, *texts)))
    names = [known.name for known in found]
    torn = sorted({name for name in names if names.count(name) > 1})
    if torn:
        raise Refusal(f"models of the bundle disagree about {', '.join(torn)}", expected="one kind and one width of a column")
    return found


def read_inputs(table: pl.DataFrame, inputs: tuple[Input, ...]) -> pl.DataFrame:
    """The columns of ``inputs`` as ``table`` has them; one that is null throughout has no type, whatever it was read as.

    Raises one Refusal with every column that is missing, of another type, or of another length than the bundle's.
    """
    there = {wanted: _untyped_if_null(table[wanted.name]) for wanted in inputs if wanted.name in table.columns}
    missing = [f"  - {wanted}: {nearest(wanted.name, table.columns)}" for wanted in inputs if wanted not in there]
    faults = [*missing, *(f"  - {wanted}: {fault}" for wanted, values in there.items() for fault in _faults(values, wanted))]
    if faults:
        raise Refusal(
            f"{len(faults)} of {len(inputs)} columns are not what the bundle reads\n" + "\n".join(faults),
            expected="every column of `.inputs`, of its kind and width; null where a value is not known",
        )
    return pl.DataFrame(list(there.values()))


def _untyped_if_null(values: pl.Series) -> pl.Series:
    return values.cast(pl.Null) if values.null_count() == len(values) else values


def _faults(values: pl.Series, wanted: Input) -> Iterator[str]:
    if not _is(values.dtype, wanted.kind):
        yield f"is {values.dtype}, expected {EXPECTED[wanted.kind]}"
    elif wanted.width is not None and values.dtype != pl.Null:
        lengths = values.drop_nulls().cast(pl.List(pl.Float32)).list.len()
        strange = lengths.filter(lengths != wanted.width)
        if len(strange):
            told = ", ".join(str(length) for length in strange.unique().sort())
            yield f"{len(strange)} of {len(values)} rows have {told} numbers"


def _is(kind: pl.DataType, wanted: Kind) -> bool:
    if kind == pl.Null:
        return True
    if isinstance(kind, pl.List | pl.Array):
        inner = kind.inner
        return wanted == "vector" and (inner.is_numeric() or inner == pl.Null)  # type: ignore[union-attr]
    return kind.is_numeric() if wanted == "number" else wanted == "text" and kind == pl.String
