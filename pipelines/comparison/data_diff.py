"""What became of the rows: added, removed, relabelled, edited, and the drops that they came in."""

from __future__ import annotations

from typing import Any

import polars as pl

from pipelines.comparison.side import Side

FIRST = 5


def data_diff(old: Side, new: Side) -> dict[str, Any]:
    """What differs in the rows, from ``old`` to ``new``; empty where nothing does.

    ``added`` and ``removed``: rows, as ``count`` and the ``first`` five ids. ``relabelled``, by target, and ``edited``, by other
    column (the split among them): rows that both have whose value differs, a null being a value like another. ``drops``: those
    whose number of rows differs, as ``old`` and ``new``. ``columns_added`` and ``columns_removed``: of the contract. Features
    are told by ``service_diff``. Raises Refusal where a side has no rows.
    """
    before, after = _rows(old), _rows(new)
    shared = [name for name in before.columns if name in after.columns]
    differ = _differ(before.select(shared), after.select(shared))
    targets = old.contract.targets.keys() | new.contract.targets.keys()
    told = {
        "added": _ids(after.join(before, on="row_id", how="anti")),
        "removed": _ids(before.join(after, on="row_id", how="anti")),
        "relabelled": {name: rows for name, rows in differ.items() if name in targets},
        "edited": {name: rows for name, rows in differ.items() if name not in targets},
        "drops": _drops(before, after),
        "columns_added": [name for name in after.columns if name not in shared],
        "columns_removed": [name for name in before.columns if name not in shared],
    }
    return {name: value for name, value in told.items() if value}


def _rows(side: Side) -> pl.DataFrame:
    """What the source gave of each row, and its split: no fold, which only says which model predicted it, and no feature."""
    return side.rows([*side.contract.column_types(), "split"]).sort("row_id")


def _differ(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """By column, the rows of both that have another value in it."""
    both = before.join(after, on="row_id", how="inner", suffix=" after", maintain_order="left")
    names = [name for name in before.columns if name != "row_id"]
    found = {name: _ids(both.filter(_other(both[name], both[f"{name} after"]))) for name in names}
    return {name: rows for name, rows in found.items() if rows}


def _other(one: pl.Series, other: pl.Series) -> pl.Series:
    if one.dtype != other.dtype:
        one, other = one.cast(pl.String), other.cast(pl.String)
    return one.ne_missing(other)


def _ids(rows: pl.DataFrame) -> dict[str, Any]:
    return {"count": rows.height, "first": rows["row_id"].head(FIRST).to_list()} if rows.height else {}


def _drops(before: pl.DataFrame, after: pl.DataFrame) -> list[dict[str, Any]]:
    counted = [dict(table["drop"].value_counts().iter_rows()) for table in (before, after)]
    names = sorted({*counted[0], *counted[1]})
    beside = [{"drop": name, "old": counted[0].get(name, 0), "new": counted[1].get(name, 0)} for name in names]
    return [line for line in beside if line["old"] != line["new"]]
