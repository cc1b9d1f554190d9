"""How many numbers the vectors of a column have where nobody declared it: as many as the first one, the same in every row."""

from __future__ import annotations

import polars as pl

from watertight.core.contract import SourceContract, Target


def with_dimensions(contract: SourceContract, rows: pl.DataFrame) -> SourceContract:
    """The contract with the dimensions that are still open as typed ``rows`` have them.

    A target that no row has yet stays open. A further column of vectors that no row has gets 0: the source has none.
    """
    targets = {
        name: target.model_copy(update={"dimension": target.dimension or first_length(rows[name]) or None})
        if target.kind == "vector"
        else target
        for name, target in contract.targets.items()
    }
    vectors = [name for name, kind in contract.columns.items() if kind == "vector"]
    found = {name: contract.dimensions.get(name, first_length(rows[name])) for name in vectors}
    return contract.model_copy(update={"targets": targets, "dimensions": found})


def is_open(contract: SourceContract) -> bool:
    """Whether it leaves to the rows how many numbers a vector has."""
    targets = any(target.kind == "vector" and target.dimension is None for target in contract.targets.values())
    return targets or any(kind == "vector" and name not in contract.dimensions for name, kind in contract.columns.items())


def as_found(declared: SourceContract, found: SourceContract) -> SourceContract:
    """``found`` if it is the declared contract but for dimensions that were left open; else ``declared``."""
    bare = found.model_copy(
        update={
            "targets": {name: _as_open(target, declared.targets.get(name)) for name, target in found.targets.items()},
            "dimensions": declared.dimensions,
        }
    )
    return found if bare == declared else declared


def _as_open(target: Target, declared: Target | None) -> Target:
    return target.model_copy(update={"dimension": None}) if declared and declared.dimension is None else target


def first_length(lists: pl.Series) -> int:
    """How many numbers the first list has; 0 where there is none."""
    there = lists.drop_nulls()
    return len(there[0]) if len(there) else 0


def no_vector(lists: pl.Series, dimension: int) -> pl.Series:
    """Whether a list is no vector of ``dimension`` finite numbers with a direction; false for null."""
    finite = lists.list.eval(pl.element().is_finite().fill_null(False)).list.all()
    somewhere = lists.list.eval(pl.element() != 0).list.any()
    return ((lists.list.len() != dimension) | ~finite | ~somewhere).fill_null(False)
