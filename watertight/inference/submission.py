"""A submission: the vector of each row that was asked, in a file that is read again and checked before it takes its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from watertight.core.errors import Misuse, Refusal

ID, EMBEDDING = "id", "embedding"
NUMBERS = pl.List(pl.Float32)


@dataclass(frozen=True)
class Asked:
    """The ids that are to be answered, in their order, each with a vector of ``dimension`` numbers."""

    ids: tuple[str, ...]
    dimension: int


def write_submission(table: pl.DataFrame, asked: Asked, to: Path) -> None:
    """Write ``id`` (text) and ``embedding`` (float32) to .parquet, as a list, or to .csv, as a JSON list.

    Raises Refusal, and leaves ``to`` as it was, where the table or what is read back from the file is not what was asked for.
    """
    if to.suffix not in WRITERS:
        raise Misuse(f"{to.name}: unknown kind of file", expected=", ".join(WRITERS))
    demand_submission(table, asked)
    draft = to.with_name(f".{to.name}.draft{to.suffix}")
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        WRITERS[to.suffix](table, draft)
        _demand_unchanged(table, read_submission(draft), asked)
        draft.replace(to)
    finally:
        draft.unlink(missing_ok=True)


def read_submission(place: Path) -> pl.DataFrame:
    """The table of a file as ``write_submission`` writes it; raises Refusal where it is none."""
    try:
        if place.suffix == ".parquet":
            return pl.read_parquet(place, glob=False)
        table = pl.read_csv(place, infer_schema=False, glob=False)
        return table.with_columns(pl.col(EMBEDDING).str.json_decode(NUMBERS))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Refusal(
            f"{place.name} is no submission: {error}", expected=f"the columns {ID} and {EMBEDDING}, a list of numbers"
        ) from error


def demand_submission(table: pl.DataFrame, asked: Asked) -> None:
    """Raise Refusal, with the rows, unless ``table`` has each id that was asked once, in order, with a whole vector."""
    if dict(table.schema) != {ID: pl.String(), EMBEDDING: NUMBERS}:
        raise Refusal(
            f"the columns are {', '.join(f'{name} ({kind})' for name, kind in table.schema.items())}",
            expected=f"{ID} (text) and {EMBEDDING} (a list of float32)",
        )
    for what, rows, expected in _faults(table, asked):
        if rows:
            raise Refusal(f"{len(rows)} row(s) {what}", rows=rows, expected=expected, next_step="nothing was written")


def _demand_unchanged(table: pl.DataFrame, told: pl.DataFrame, asked: Asked) -> None:
    """Raise Refusal where what was read back is not the table that was written."""
    demand_submission(told, asked)
    changed = _names(table, table[EMBEDDING].ne_missing(told[EMBEDDING]))
    if changed:
        raise Refusal(f"{len(changed)} row(s) have other numbers in the file", rows=changed, expected="the numbers as predicted")


def _faults(table: pl.DataFrame, asked: Asked) -> Iterator[tuple[str, list[str], str]]:
    ids, vectors = table[ID], table[EMBEDDING]
    known, told = set(asked.ids), set(ids)
    yield "stand more than once", ids.filter(ids.is_duplicated()).unique(maintain_order=True).to_list(), "each id once"
    yield "are missing", [name for name in asked.ids if name not in told], "an answer to each row that was asked"
    yield "were not asked", [str(name) for name in ids if name not in known], "answers to the rows that were asked"
    moved = [name for name, wanted in zip(ids, asked.ids, strict=True) if name != wanted]
    yield "stand in another place", moved, "the order of the rows that were asked"
    wanted = f"{asked.dimension} finite numbers"
    yield "have no embedding", _names(table, vectors.is_null()), wanted
    yield "have an embedding of another length", _names(table, vectors.list.len() != asked.dimension), wanted
    finite = vectors.list.eval(pl.element().is_finite().fill_null(False)).list.all()
    yield "have an embedding with a number that is not finite", _names(table, ~finite), wanted


def _names(table: pl.DataFrame, bad: pl.Series) -> list[str]:
    return table.filter(bad)[ID].to_list()


def _csv(table: pl.DataFrame, place: Path) -> None:
    numbers = pl.col(EMBEDDING).cast(pl.List(pl.String)).list.join(", ")
    table.with_columns(pl.format("[{}]", numbers).alias(EMBEDDING)).write_csv(place)


WRITERS: dict[str, Callable[[pl.DataFrame, Path], None]] = {".csv": _csv, ".parquet": pl.DataFrame.write_parquet}
