"""What kind of target a column is: a number in a range, or one of some classes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

from pipelines.new.columns import Column
from watertight.core.errors import Refusal

MOST_CLASSES = 20


@dataclass(frozen=True)
class GuessedTarget:
    """A target as its contract declares it, ``range`` or ``classes`` being given; ``mark`` says what was guessed from what."""

    column: Column
    mark: str
    range: tuple[float, float] | None = None
    classes: tuple[str, ...] | None = None

    @property
    def kind(self) -> str:
        """The contract's word."""
        return "scalar" if self.range else "class"


def guessed_target(column: Column) -> GuessedTarget:
    """Numbers are a scalar, but for exactly two whole ones, which are classes as words are.

    Raises Refusal for a column that is empty, constant, of lists or times, or of more than 20 different words.
    """
    _demand_something_to_tell(column)
    if column.kind == "float" or (column.kind == "int" and column.distinct > 2):
        return _scalar(column)
    if column.kind in ("nested", "timestamp") or column.distinct > MOST_CLASSES:
        raise Refusal(
            f"target {column.raw!r} has {column.distinct} different values that are no numbers",
            column=column.raw,
            expected=f"numbers, or at most {MOST_CLASSES} classes",
            next_step="name another --target, or bring its values down to classes; nothing was changed",
        )
    classes = tuple(sorted(column.values.cast(pl.String).unique()))
    return GuessedTarget(column, f"{len(classes)} classes were seen; a row of another is refused", classes=classes)


def rounded_outward(low: float, high: float) -> tuple[float, float]:
    """The range in steps of the largest power of ten that goes into it: 0.3 to 9.7 is [0, 10], 12 to 873 [0, 900]."""
    power = math.floor(math.log10(high - low))
    digits = max(-power, 0)
    step = 10.0**power
    bottom, top = round(math.floor(low / step) * step, digits), round(math.ceil(high / step) * step, digits)
    return _short(min(bottom, low)), _short(max(top, high))


def _demand_something_to_tell(column: Column) -> None:
    useless = {"empty": "has no value", "nested": "is of lists"}.get(column.kind)
    if not useless and column.distinct > 1:
        return
    told = useless or f"is always {column.values[0]!r}"
    raise Refusal(
        f"target {column.raw!r} {told}",
        column=column.raw,
        count=len(column.cells),
        expected="at least two different values, numbers or words",
        next_step="name another --target, or bring a sample in which it varies; nothing was changed",
    )


def _scalar(column: Column) -> GuessedTarget:
    numbers = column.values.cast(pl.Float64)
    low, high = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]
    seen = (
        f"{column.distinct} different numbers from {_short(low)} to {_short(high)} were seen; a row outside the range is refused"
    )
    return GuessedTarget(column, seen, range=rounded_outward(low, high))


def _short(number: float) -> float:
    return int(number) if number == int(number) else number
