"""The page of a workload's vectors: what they look like, and how much of a target their nearest neighbours know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from watertight.page.blocks import Part, table
from watertight.page.charts import Chart, bars, scatter, shade, shade_legend
from watertight.page.templates import render

TEMPLATE = "embeddings.html.j2"
NOTES = (
    "Training rows with the target alone: no test row was looked at, and no synthetic one. Neighbours and means are of "
    "other folds than the row's own.",
    "r2 is 0 for whoever always says the mean truth, and has no lower bound; mae and rmse are in the target's unit. A mean that "
    "leaves out a fold is the lower the higher that fold is: of it, spearman is below 0 by nature.",
)
NO_MAP = "No UMAP picture: there are fewer than 20 distinct vectors among the rows that were drawn."


@dataclass(frozen=True)
class Pictured:
    """A feature of vectors. ``rows`` have one, ``null`` have none. Of the rows that were drawn: ``truth``, (m,), their places
    ``components`` and ``map`` (m, 2), where there is a map, and ``explained``, the variance of the first components as shares.
    ``figures``: a record per predictor.
    """

    name: str
    dimension: int
    rows: int
    null: int
    truth: Sequence[float]
    components: Sequence[tuple[float, float]]
    map: Sequence[tuple[float, float]] | None
    explained: Sequence[float]
    figures: Sequence[dict[str, Any]]


def embeddings_page(workload: str, target: str, limits: tuple[float, float], features: Sequence[Pictured]) -> str:
    """One HTML text that names no other place, with the same bytes for the same facts. ``limits``: the target's range."""
    rows = [{"feature": one.name, **told} for one in features for told in one.figures]
    opening = Part("Figures", NOTES, (), (table(f"{target}: nearest neighbours beside the mean", rows),))
    parts = [opening, *(_part(one, target, limits) for one in features)]
    return render(TEMPLATE, workload=workload, target=target, limits=limits, parts=parts)


def _part(one: Pictured, target: str, limits: tuple[float, float]) -> Part:
    told = f"{one.rows:,} rows with a vector of {one.dimension} numbers; {len(one.truth):,} of them are drawn."
    without = f"{one.null:,} rows have none and are in no figure." if one.null else "No row is without one."
    return Part(one.name, (f"{told} {without}", *(() if one.map else (NO_MAP,))), tuple(_charts(one, target, limits)))


def _charts(one: Pictured, target: str, limits: tuple[float, float]) -> list[Chart]:
    shades, legend = shade(one.truth, *limits), shade_legend(*limits)
    axes = [f"component {place} ({share:.0%} of the variance)" for place, share in enumerate([*one.explained, 0.0][:2], 1)]
    names = [f"component {place}" for place in range(1, len(one.explained) + 1)]
    shares = bars("share of the variance", names, list(one.explained)) if any(one.explained) else ""
    return [
        Chart(scatter((axes[0], axes[1]), one.components, shades), f"{one.name}: principal components, by {target}", legend),
        *([Chart(scatter(("", ""), one.map, shades), f"{one.name}: UMAP, by {target}", legend)] if one.map else []),
        *([Chart(shares, f"{one.name}: variance of the first {len(names)} components")] if shares else []),
    ]
