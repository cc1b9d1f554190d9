"""A source's column contract: what its rows are, which targets they carry, in which ranges and which zone."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Annotated, Literal
from zoneinfo import available_timezones

import polars as pl
from pydantic import Field, field_validator, model_validator

from watertight.core.declare import Declaration
from watertight.core.time import UTC_MICROSECONDS

ColumnType = Literal["string", "bool", "int", "float", "vector", "timestamp"]

DTYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "bool": pl.Boolean(),
    "int": pl.Int64(),
    "float": pl.Float64(),
    "vector": pl.List(pl.Float32),
    "timestamp": UTC_MICROSECONDS,
}

ROLES: dict[str, ColumnType] = {
    "row_id": "string",
    "group_id": "string",
    "asked_at": "timestamp",
    "labelled_at": "timestamp",
    "created_at": "timestamp",
    "parent_id": "string",
    "synthetic": "bool",
    "weight": "float",
    "drop": "string",
}

ADDED = (
    *("split", "fold", "labelled", "held_out", "group_fold", "future_from", "reason"),
    *("mean", "lower", "upper", "level", "weights", "log_variance", "probabilities", "vector"),
)
"""Columns that stages put beside the rows: what the split gave, why a row is set aside, and the outputs of models."""

RAW = "raw"
"""What a query calls the file that it reads."""

OUTPUTS = {"scalar": "mean", "class": "probabilities", "vector": "vector"}
"""By kind of target, the output of a model that is its prediction."""


class Target(Declaration):
    """What is predicted: a scalar in a closed range, one of named classes, or a vector of fixed size.

    A vector whose ``dimension`` is not declared has as many numbers as the first row's, the same in all: ingest finds it.
    """

    kind: Literal["scalar", "class", "vector"]
    range: tuple[float, float] | None = None
    classes: tuple[str, ...] | None = None
    dimension: int | None = Field(default=None, gt=0)
    about: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Target:
        needed = {"scalar": "range", "class": "classes", "vector": "dimension"}[self.kind]
        given = [name for name in ("range", "classes", "dimension") if getattr(self, name) is not None]
        if given != [needed] and (given or self.kind != "vector"):
            raise ValueError(f"a {self.kind} target declares its {needed}, and nothing else of range, classes, dimension")
        if self.range is not None and self.range[0] >= self.range[1]:
            raise ValueError("range is [lowest, highest]")
        if self.classes is not None and not 1 < len(self.classes) == len(set(self.classes)):
            raise ValueError("classes are at least two different names")
        return self

    @property
    def output(self) -> str:
        """The output of a model that is its prediction: ``mean``, ``probabilities`` or ``vector``."""
        return OUTPUTS[self.kind]

    @property
    def column_type(self) -> ColumnType:
        """The type of the target's column."""
        kinds: dict[str, ColumnType] = {"scalar": "float", "class": "string", "vector": "vector"}
        return kinds[self.kind]


class RawFile(Declaration):
    """A raw file: its place under the raw root, the sha256 of its bytes, and where a user with a network gets it."""

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    url: str | None = None


class SourceContract(Declaration):
    """What a source delivers: the YAML beside its query or simulator in ``pipelines/sources/``.

    ``group`` names the column that is never split; ``keys`` the entity keys; ``text`` the texts, of which those in
    ``shared_text`` stand in many groups by nature, so that a copy across splits tells nothing; ``columns`` every further
    column with its type, all of which may be absent in another source of the same workload; of one of vectors, every row has
    a vector or none has, and ``dimensions`` says of how many numbers, 0 for none: as the first row has it, where it is not
    declared. ``required`` and ``optional`` name the raw file's columns; ``unlabelled`` those of the required ones that a file has
    whose rows are to be predicted: the others are labels, and not read of it. Where it names none, such a file has them all.
    ``lookups`` are further raw files, by the table's name in the query that reads them beside ``raw``; none is ever a drop.
    ``zone`` is that of timestamps without an offset. A text longer than ``text_chars`` characters is quarantined.
    """

    about: str
    licence: str = ""
    zone: str = "UTC"
    group: str
    keys: tuple[str, ...]
    text: tuple[str, ...] = ()
    shared_text: tuple[str, ...] = ()
    targets: dict[str, Target]
    columns: dict[str, ColumnType] = {}
    dimensions: dict[str, Annotated[int, Field(ge=0)]] = Field(default={}, exclude_if=operator.not_)
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = Field(default=(), exclude_if=operator.not_)
    files: dict[str, RawFile] = {}
    lookups: dict[str, RawFile] = {}
    text_chars: int = Field(default=100_000, gt=0)

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f"no time zone is called {zone!r}; expected an IANA name, such as Europe/Berlin")
        return zone

    @model_validator(mode="after")
    def _names_stand_once(self) -> SourceContract:
        names = [*ROLES, *self.keys, *self.text, *self.targets, *self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"declared twice: {', '.join(twice)}")
        taken = sorted(set(names) & set(ADDED))
        if taken:
            raise ValueError(f"{', '.join(taken)}: stages add columns of this name; call the source's own something else")
        strange = [name for name in self.shared_text if name not in self.text]
        if strange:
            raise ValueError(f"shared_text names {', '.join(strange)}, which is none of the texts: {', '.join(self.text)}")
        if self.group not in names:
            raise ValueError(f"group {self.group!r} is none of the declared columns")
        return self

    @model_validator(mode="after")
    def _dimensions_are_of_vectors(self) -> SourceContract:
        strange = [name for name in self.dimensions if self.columns.get(name) != "vector"]
        if strange:
            raise ValueError(f"dimensions names {', '.join(strange)}, which is no column of vectors")
        return self

    @model_validator(mode="after")
    def _unlabelled_are_required(self) -> SourceContract:
        strange = [name for name in self.unlabelled if name not in self.required]
        if strange:
            raise ValueError(f"unlabelled names {', '.join(strange)}, which is none of required: {', '.join(self.required)}")
        return self

    @model_validator(mode="after")
    def _lookups_are_no_drops(self) -> SourceContract:
        # SQL does not tell capitals from small letters.
        known = [RAW, *(name.lower() for name in self.files)]
        names = [name.lower() for name in self.lookups]
        taken = sorted(name for name in self.lookups if name.lower() in known or names.count(name.lower()) > 1)
        if taken:
            raise ValueError(f"lookups {', '.join(taken)}: {RAW} is the drop itself, and a drop is no lookup; use another name")
        return self

    def column_types(self) -> dict[str, ColumnType]:
        """Every column of the rows with its type, in the order in which it is stored."""
        targets = {name: target.column_type for name, target in self.targets.items()}
        strings: dict[str, ColumnType] = dict.fromkeys((*self.keys, *self.text), "string")
        return {**ROLES, **strings, **targets, **self.columns}

    @property
    def own_text(self) -> tuple[str, ...]:
        """The texts that are a group's own."""
        return tuple(name for name in self.text if name not in self.shared_text)

    def absent(self, names: Iterable[str]) -> dict[str, str]:
        """Those of ``names`` that this source does not have, each with the reason to report."""
        have = self.column_types()
        return {name: f"the source has no column {name!r}" for name in names if name not in have}
