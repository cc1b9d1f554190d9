"""Everything that a workload's declarations are written from: what was said of the sample, and what was guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.new.columns import Column, plain_names
from pipelines.new.grouping import Grouping, grouping
from pipelines.new.row_ids import demand_unique, digested, guessed_row_id
from pipelines.new.targets import GuessedTarget, guessed_target
from pipelines.new.times import demand_not_before, demand_times, guessed_label_time
from pipelines.new.wanted import Wanted
from watertight.core.errors import Refusal

MOST_VALUES = 8
"""A column of so few different words makes slices."""
FOREIGN_SHARE = 0.1


@dataclass(frozen=True)
class Guesses:
    """The roles of a sample's columns.

    ``row_id`` is None where a digest of the columns ``digest`` names a row, ``label_time`` where a label is known when its
    row is asked. ``further`` are columns that travel along, ``left_out`` those that the rows cannot hold.
    """

    workload: str
    source: str
    rows: int
    group: Column
    time: Column
    label_time: Column | None
    row_id: Column | None
    digest: tuple[Column, ...]
    texts: tuple[Column, ...]
    targets: tuple[GuessedTarget, ...]
    further: tuple[Column, ...]
    left_out: tuple[Column, ...]
    grouping: Grouping

    @property
    def key(self) -> str:
        """The entity key of a row."""
        return self.row_id.name if self.row_id else f"{self.workload}_row_id"

    @property
    def keys(self) -> list[str]:
        """The entity keys: of a row, and of its group where that is another."""
        return list(dict.fromkeys([self.key, self.group.name]))

    @property
    def scalars(self) -> list[str]:
        """The targets that are numbers."""
        return [target.column.name for target in self.targets if target.kind == "scalar"]

    @property
    def classes(self) -> list[str]:
        """The targets that are classes."""
        return [target.column.name for target in self.targets if target.kind == "class"]

    @property
    def history(self) -> bool:
        """Whether the labels of a group's past are features: there are past labels, and they are numbers."""
        return self.grouping.history and bool(self.scalars)

    @property
    def slices(self) -> list[Column]:
        """Columns of few different words."""
        return [column for column in self.further if column.kind in ("string", "bool") and 1 < column.distinct <= MOST_VALUES]

    @property
    def foreign(self) -> bool:
        """Whether many letters of the texts are none of a to z."""
        sample = "".join(text for column in self.texts for text in column.values.head(1000).cast(pl.String))
        letters = [char for char in sample if char.isalpha()]
        return sum(not char.isascii() for char in letters) > FOREIGN_SHARE * max(len(letters), 1)


def guessed(workload: str, columns: dict[str, Column], wanted: Wanted) -> Guesses:
    """Roles for every column; ``wanted`` names columns that are there. Raises Refusal where they cannot play their parts."""
    group, time = columns[wanted.group], columns[wanted.time]
    targets = tuple(guessed_target(columns[name]) for name in wanted.targets)
    labelled = pl.DataFrame([target.column.cells.is_not_null() for target in targets]).max_horizontal().cast(pl.Boolean)
    demand_times(time, pl.repeat(True, len(labelled), dtype=pl.Boolean, eager=True))
    groups = grouping(group, time, labelled)
    rest = _unnamed(columns, wanted)
    texts = _texts(columns, rest, wanted)
    label_time = _label_time(columns, rest, wanted, labelled)
    row_id = _row_id(columns, [column for column in rest if column not in texts], wanted)
    roles = [column for column in (group, time, label_time, row_id, *texts, *(target.column for target in targets)) if column]
    others = [column for column in columns.values() if not any(column is role for role in roles)]
    further = tuple(column for column in others if column.kind not in ("nested", "empty"))
    labels = [*(target.column for target in targets), *([label_time] if label_time else [])]
    return Guesses(
        workload=workload,
        source=_plain(wanted),
        rows=len(labelled),
        group=group,
        time=time,
        label_time=label_time,
        row_id=row_id,
        digest=() if row_id else digested([time, group, *texts], further, labels),
        texts=texts,
        targets=targets,
        further=further,
        left_out=tuple(column for column in others if column.kind in ("nested", "empty")),
        grouping=groups,
    )


def _unnamed(columns: dict[str, Column], wanted: Wanted) -> list[Column]:
    named = {name for _, name in wanted.named()}
    return [column for name, column in columns.items() if name not in named]


def _texts(columns: dict[str, Column], rest: Sequence[Column], wanted: Wanted) -> tuple[Column, ...]:
    texts = tuple(columns[name] for name in wanted.text) or tuple(column for column in rest if column.kind == "text")
    if not texts:
        raise Refusal(
            "no column looks like text: strings of three words or more, most of them different",
            expected="at least one text to make features of",
            next_step=f"name it with --text; columns: {', '.join(column.raw for column in rest)}; nothing was changed",
        )
    return texts


def _label_time(columns: dict[str, Column], rest: Sequence[Column], wanted: Wanted, labelled: pl.Series) -> Column | None:
    asked = columns[wanted.time]
    if wanted.labelled_at is None:
        return guessed_label_time(rest, asked, labelled)
    given = columns[wanted.labelled_at]
    demand_times(given, labelled)
    demand_not_before(given, asked)
    return given


def _row_id(columns: dict[str, Column], rest: Sequence[Column], wanted: Wanted) -> Column | None:
    """The column that is named; else the group, where each row is a group of its own; else what looks like it."""
    if wanted.row_id:
        demand_unique(columns[wanted.row_id])
        return columns[wanted.row_id]
    group = columns[wanted.group]
    return group if group.unique else guessed_row_id(rest)


def _plain(wanted: Wanted) -> str:
    """What the source is called: the file without the endings that say its kind."""
    stem = re.sub(r"(\.gz)?$", "", wanted.file.name, flags=re.IGNORECASE).rpartition(".")[0]
    return next(iter(plain_names([stem], "sample").values()))
