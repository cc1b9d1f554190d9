"""Whether the weights of a blend move where the error says: mean weight of each member by slice, beside its error there."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from watertight.page.facts import Run


@dataclass(frozen=True)
class Weighed:
    """A slice: its rows, and per member, in the order of the blend, its mean weight and its error (null where unknown)."""

    column: str
    value: str
    rows: int
    weights: tuple[float, ...]
    errors: tuple[float | None, ...]


def blends(run: Run, target: str) -> list[str]:
    """The cells of a target that answer weights."""
    return run.weights.filter(target=target)["cell"].unique(maintain_order=True).to_list()


def weighed(run: Run, target: str, cell: str) -> list[Weighed]:
    """All rows, then each slice, as declared. Several seeds of the blend are averaged."""
    members = run.members(target, cell)
    given = run.weights.filter(target=target, cell=cell)
    apart = given.select("row_id", *(pl.col("weights").list.get(place).alias(f"{place}") for place in range(len(members))))
    placed = run.slices.filter(target=target).join(apart, on="row_id", maintain_order="left")
    means = placed.group_by("slice", "value", maintain_order=True).agg(
        pl.col("row_id").n_unique().alias("rows"), *(pl.col(f"{place}").mean() for place in range(len(members)))
    )
    errors = _errors(run, target)
    by_place = {(column, value): (rows, told) for column, value, rows, *told in means.iter_rows()}
    return [
        Weighed(*place, by_place[place][0], tuple(by_place[place][1]), tuple(errors.get((member, *place)) for member in members))
        for place in run.in_order(by_place)
    ]


def _errors(run: Run, target: str) -> dict[tuple[str, str, str], float | None]:
    told = run.of(target, metric=run.first_metric(target)).select("cell", "slice", "value", "figure")
    return {(cell, column, value): figure for cell, column, value, figure in told.iter_rows()}
