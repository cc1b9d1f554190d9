"""Typed rows: a source's raw columns become the columns of its contract, or the rows that cannot are named."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from watertight.core.contract import DTYPES, ColumnType, SourceContract
from watertight.core.declare import nearest
from watertight.core.dimensions import no_vector, with_dimensions
from watertight.core.errors import Refusal
from watertight.core.time import to_utc

NAMES = ("row_id", "group_id", "parent_id")
TRUE, FALSE = ("true", "1", "yes"), ("false", "0", "no")
TEST_SPLITS = ("test_groups", "test_future", "test_drops")
SPLITS = ("train", *TEST_SPLITS, "embargo", "unlabelled")
PLAIN_NAME, NAME_BYTES = r"^[^/\\\x00-\x1f]+$", 200
MEANT: dict[ColumnType, str] = {
    "string": "text",
    "bool": "true or false",
    "int": "whole number",
    "float": "finite number",
    "vector": "list of numbers",
    "timestamp": "instant (ISO 8601; without an offset a time that was on the clock in {zone})",
}


@dataclass(frozen=True)
class Fault:
    """What rows break: ``bad`` is a boolean per row, ``reason`` says of one such row what is wrong with it."""

    column: str
    bad: pl.Series
    expected: str

    def told(self, raw: pl.DataFrame) -> str:
        """One line for a person, with the first value."""
        rows = raw.filter(self.bad)
        first = f"first {_shown(rows[self.column])} in row {rows['row_id'][0]}"
        return f"{self.column}: {rows.height} value(s) are no {self.expected}, {first}"

    @property
    def reason(self) -> str:
        """What is said of each row."""
        return f"{self.column} is no {self.expected}"


def typed_rows(raw: pl.DataFrame, contract: SourceContract, drop: str) -> pl.DataFrame:
    """``raw`` with exactly the contract's columns and types, in the contract's order.

    Roles that the source does not give get their defaults: ``group_id`` the group column, ``created_at``
    ``labelled_at`` (``asked_at`` where unlabelled), ``synthetic`` false, ``weight`` 1, ``parent_id`` null, ``drop``
    the drop's name; and so have empty cells in ``created_at``, ``synthetic`` and ``weight``. Targets that are absent
    are null. Raises Refusal for an empty drop, for missing columns, (all columns together) for values of a wrong
    type (vectors that are not ``dimension`` finite numbers with a direction among them: as many as the first row has, where
    the contract leaves that open), for a ``drop`` that cannot name a file, and for labels without ``labelled_at``.
    """
    with_roles, typed, faults = _typed(raw, contract, drop)
    _refuse_wrong_types(with_roles, faults, drop)
    _refuse_labels_without_time(typed, contract)
    return typed


def good_rows(raw: pl.DataFrame, contract: SourceContract, drop: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """As :func:`typed_rows`, but rows that cannot be typed are set aside: the good rows, and ``place`` with ``reason``.

    ``place`` (Int64) is the row's place in ``raw`` from 0; one with several faults stands there once, with all reasons.
    Raises Refusal for what is wrong with the drop as a whole: no rows, columns that are missing, an unusable ``drop``.
    """
    _, typed, faults = _typed(raw, contract, drop)
    timeless = Fault("labelled_at", _timeless(typed, contract), "time at which the label was given, and there is a label")
    nameless = Fault("row_id", typed["row_id"].is_null(), "name of a row")
    found = [_placed(fault) for fault in (*faults, timeless, nameless)]
    aside = pl.concat(found).group_by("place").agg(pl.col("reason").str.join("; ")).sort("place")
    good = typed.with_row_index("place").filter(~pl.col("place").is_in(aside["place"].to_list()))
    return good.drop("place"), aside


def _placed(fault: Fault) -> pl.DataFrame:
    return pl.DataFrame({"place": fault.bad.arg_true().cast(pl.Int64)}).with_columns(reason=pl.lit(fault.reason))


def _typed(raw: pl.DataFrame, contract: SourceContract, drop: str) -> tuple[pl.DataFrame, pl.DataFrame, list[Fault]]:
    """``raw`` with every role, the same typed with defaults filled in, and the values that could not be."""
    if raw.is_empty():
        told = f"drop {drop!r} holds no rows"
        raise Refusal(told, expected="at least one row", next_step="check the file; nothing was changed")
    with_roles = _with_defaults(raw, contract, drop)
    _refuse_missing(with_roles.columns, contract, drop)
    columns = {name: _cast(with_roles[name], kind, contract.zone) for name, kind in contract.column_types().items()}
    typed = pl.DataFrame(columns).with_columns(_name(name) for name in (*NAMES, *contract.keys))
    _refuse_drop_names(typed)
    filled = typed.with_columns(
        pl.col("created_at").fill_null(pl.coalesce("labelled_at", "asked_at")),
        pl.col("synthetic").fill_null(False),
        pl.col("weight").fill_null(1.0),
    )
    return with_roles, filled, list(_faults(with_roles, typed, with_dimensions(contract, typed)))


def _name(column: str) -> pl.Expr:
    """A name without the blanks around it, or it would name another; null where nothing is left."""
    bare = pl.col(column).str.strip_chars()
    return pl.when(bare != "").then(bare).alias(column)


def _timeless(typed: pl.DataFrame, contract: SourceContract) -> pl.Series:
    """A label that nobody knows the time of could never be used: not in a history, nor before a future.

    Rows that were not asked at any time either are left to the rows gate.
    """
    timeless = labelled(contract) & pl.col("labelled_at").is_null() & pl.col("asked_at").is_not_null()
    return typed.select(timeless.alias("bad")).to_series()


def _refuse_labels_without_time(typed: pl.DataFrame, contract: SourceContract) -> None:
    timeless = typed.filter(_timeless(typed, contract))["row_id"]
    if len(timeless):
        raise Refusal(
            f"{len(timeless)} row(s) have a label but no time at which it was given",
            column="labelled_at",
            rows=timeless.to_list(),
            expected="labelled_at wherever a target is set",
            next_step="give it in the source; where labels are given when writing, the query says `asked_at AS labelled_at`",
        )


def labelled(contract: SourceContract) -> pl.Expr:
    """Whether a row carries at least one target."""
    return pl.any_horizontal(pl.col(name).is_not_null() for name in contract.targets)


def _with_defaults(raw: pl.DataFrame, contract: SourceContract, drop: str) -> pl.DataFrame:
    defaults = {
        "group_id": pl.col(contract.group) if contract.group in raw.columns else None,
        "labelled_at": pl.lit(None, dtype=pl.String),
        "created_at": pl.lit(None, dtype=pl.String),
        "parent_id": pl.lit(None, dtype=pl.String),
        "synthetic": pl.lit(False),
        "weight": pl.lit(1.0),
        "drop": pl.lit(drop),
        **{name: pl.lit(None, dtype=DTYPES[target.column_type]) for name, target in contract.targets.items()},
    }
    absent = {name: value for name, value in defaults.items() if name not in raw.columns and value is not None}
    return raw.with_columns(**absent)


def _refuse_missing(have: list[str], contract: SourceContract, drop: str) -> None:
    missing = [name for name in contract.column_types() if name not in have]
    if missing:
        hints = "; ".join(f"{name!r}: {nearest(name, have)}" for name in missing)
        raise Refusal(
            f"drop {drop!r} lacks {len(missing)} column(s): {', '.join(missing)}",
            expected=f"the columns of the source's contract ({hints})",
            next_step="mend the file or the source's query; nothing was changed",
        )


def _cast(values: pl.Series, kind: ColumnType, zone: str) -> pl.Series:
    """``values`` as the kind's type; null where one is none. A list or a record is nothing but, perhaps, a vector."""
    nested = isinstance(values.dtype, pl.List | pl.Array | pl.Struct)
    if nested != (kind == "vector") and values.dtype != pl.Null:
        return pl.Series(values.name, [None] * len(values), dtype=DTYPES[kind])
    if kind == "timestamp":
        return to_utc(values, zone)
    if kind == "bool" and values.dtype == pl.String:
        word = values.str.strip_chars().str.to_lowercase()
        frame = pl.select(pl.when(word.is_in(TRUE)).then(True).when(word.is_in(FALSE)).then(False))
        return frame.to_series().alias(values.name)
    if kind in ("int", "float") and values.dtype == pl.String:
        values = values.str.strip_chars()
    typed = values.cast(DTYPES[kind], strict=False)
    if kind in ("int", "bool") and values.dtype.is_numeric():
        return typed.set(typed.cast(pl.Float64) != values.cast(pl.Float64), None)
    return typed


def _faults(raw: pl.DataFrame, typed: pl.DataFrame, contract: SourceContract) -> Iterator[Fault]:
    for name, kind in contract.column_types().items():
        bad = filled(raw[name]) & typed[name].is_null()
        dimension = contract.targets[name].dimension if name in contract.targets else contract.dimensions.get(name)
        if kind == "float":
            bad = bad | typed[name].is_nan().fill_null(False) | typed[name].is_infinite().fill_null(False)
        if dimension is not None:
            lacking = typed[name].is_null() & bool(name in contract.columns and dimension)
            bad = bad | lacking | no_vector(typed[name], dimension)
        if bad.any():
            yield Fault(name, bad, MEANT[kind].format(zone=contract.zone) if dimension is None else _vector_of(dimension))


def _vector_of(dimension: int) -> str:
    return f"list of {dimension} finite numbers, not all of them 0" if dimension else "empty cell, as in all rows before"


def _refuse_wrong_types(raw: pl.DataFrame, faults: list[Fault], drop: str) -> None:
    if faults:
        ids = pl.concat([raw.filter(fault.bad)["row_id"].cast(pl.String) for fault in faults])
        raise Refusal(
            f"drop {drop!r} has values of a wrong type\n" + "\n".join(f"  - {fault.told(raw)}" for fault in faults),
            rows=ids.unique(maintain_order=True).to_list(),
            expected="the types of the source's contract; an empty cell means no value",
            next_step="mend the cells; nothing was changed",
        )


def _refuse_drop_names(typed: pl.DataFrame) -> None:
    """Rows are set aside in a file per drop; no drop may name a file elsewhere."""
    name = pl.col("drop")
    plain = name.str.contains(PLAIN_NAME) & ~name.is_in([".", ".."]) & (name.str.len_bytes() <= NAME_BYTES)
    bad = typed.filter(~plain.fill_null(False))
    if not bad.is_empty():
        raise Refusal(
            f"a drop cannot be called {bad['drop'][0]!r}",
            column="drop",
            rows=bad["row_id"].to_list(),
            expected=f"a plain file name of at most {NAME_BYTES} bytes, without a slash",
            next_step="rename the drop in the source; nothing was changed",
        )


def _shown(values: pl.Series) -> str:
    """The first value; of a list its first numbers."""
    value = values.head(1).to_list()[0]
    return reprlib.repr(value) if isinstance(value, list) else repr(value)


def filled(values: pl.Series) -> pl.Series:
    """Whether a cell holds anything: it is not null, and not blank."""
    filled = values.is_not_null()
    return filled & (values.str.strip_chars() != "").fill_null(False) if values.dtype == pl.String else filled
