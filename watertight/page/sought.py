"""The parts of a page on a vector target: how soon the own image comes, which images come too often, and some queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from watertight.core.ranks import Floats, Places, reciprocal_in
from watertight.page.blocks import Part, Sheet, table
from watertight.page.charts import Chart, bars, curves, legend

MOST_K = 50
SIZES = (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
RANK_EDGES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000)
TIMES_EDGES = (0, 1, 2, 5, 10, 20, 50, 100, 1000)
COSINE_BINS = 24


@dataclass(frozen=True)
class Hub:
    """A vector of the gallery that is among the first ten of ``times`` queries."""

    name: str
    text: str
    times: int


@dataclass(frozen=True)
class Sought:
    """What the queries of one vector target find in their gallery of ``size``.

    ``ranks``: by cell, (n,), the cells that are drawn, of ``cells`` that predicted these rows. Of the ``cell``
    that is pictured: ``own`` and ``other``, (n,), the cosines of the own vector and of the nearest other one; ``times``,
    (vectors,), how often each is among the first ``k``, with its ``skew`` and the ``hubs``; ``sheets``, some queries.
    """

    size: int
    cell: str
    ranks: Mapping[str, Floats]
    cells: int
    own: Floats
    other: Floats
    k: int
    times: Places
    skew: float
    hubs: Sequence[Hub]
    sheets: Sequence[Sheet]


def sought(found: Sought, target: str) -> Iterator[Part]:
    """The curves, the hubs and the contact sheet of ``target``."""
    yield _curves(found, target)
    yield _distances(found, target)
    yield _hubs(found, target)
    yield _contact_sheet(found)


def _curves(found: Sought, target: str) -> Part:
    names = list(found.ranks)
    last = min(MOST_K, found.size)
    recalls = [[(k, float((np.ceil(rank) <= k).mean())) for k in range(1, last + 1)] for rank in found.ranks.values()]
    sizes = [size for size in SIZES if size < found.size] + [found.size]
    reciprocals = [
        [(size, float(reciprocal_in(rank, found.size, size).mean())) for size in sizes] for rank in found.ranks.values()
    ]
    queries = len(found.own)
    note = (
        f"{queries:,} queries, out of fold, each looked up among the {found.size:,} or so different vectors of its fold, "
        "none of which its model was fitted on. "
        "How good a rank is depends on how many there are to choose from: the second chart says what the mean reciprocal rank "
        "would be in smaller galleries, drawn at random with the own vector among them (worked out, not drawn)."
    )
    more = f" Drawn: {len(names)} of {found.cells} cells, the registered one, the baselines and the best of the others."
    recall = curves(("k", "share of queries"), recalls, ticks=[k for k in (1, 5, 10, 20, 30, 40, 50) if k <= last])
    by_size = curves(("vectors in the gallery (log)", "mean reciprocal rank"), reciprocals, ticks=sizes, log=True)
    charts = (
        Chart(recall, f"Recall at k of {target}: share of queries whose own vector is among the first k", legend(names)),
        Chart(by_size, f"Mean reciprocal rank of {target} by size of the gallery", legend(names)),
    )
    rows = [
        {
            "cell": cell,
            "own vector first": f"{(rank <= 1).mean():.1%}",
            **{f"among the first {k}": f"{(np.ceil(rank) <= k).mean():.1%}" for k in (5, 10, 50) if k <= last},
            "median rank": float(np.median(rank)),
            "mean rank": float(rank.mean()),
        }
        for cell, rank in found.ranks.items()
    ]
    return Part(
        "Ranks in the gallery", (note + (more if found.cells > len(names) else ""),), charts, (table(f"{target}: ranks", rows),)
    )


def _distances(found: Sought, target: str) -> Part:
    rank = found.ranks[found.cell]
    names, shares = _shares(np.ceil(rank), RANK_EDGES)
    drawn = bars("share of queries", names, shares)
    charts = [Chart(drawn, f"Rank of the own vector of {target}, cell {found.cell}")]
    others = found.other[np.isfinite(found.other)]
    if len(others):
        both = np.concatenate([found.own, others])
        edges = np.linspace(both.min(), both.max() + 1e-9, COSINE_BINS + 1)
        lines = [_polygon(values, edges) for values in (found.own, others)]
        label = f"Cosine of the prediction to the own vector of {target} and to the nearest other, cell {found.cell}"
        charts.append(Chart(curves(("cosine", "share of queries"), lines), label, legend(["own vector", "nearest other vector"])))
    margin = found.own - found.other
    note = f"The own vector is nearer than every other in {np.mean(margin > 0):.1%} of the queries."
    return Part("Own vector and nearest other", (note,) if len(others) else (), tuple(charts))


def _hubs(found: Sought, target: str) -> Part:
    names, shares = _shares(found.times.astype(float), TIMES_EDGES)
    label = f"How often a vector of the gallery is among the first {found.k} of a query, {target}, cell {found.cell}"
    rows = [{"vector": hub.name, "queries": hub.times, "what it is": hub.text} for hub in found.hubs]
    note = (
        f"Each vector would be among the first {found.k} of {found.times.mean():.1f} queries if all were found alike. The "
        f"skewness of the counts is {found.skew:.2f}: 0 where they lie evenly about their mean, above 2 where there are hubs, "
        f"which are near to everything. {np.mean(found.times == 0):.1%} are found by no query."
    )
    chart = Chart(bars("share of the gallery", names, shares), label)
    return Part("Hubs", (note,), (chart,), (table(f"{target}: found most often", rows),))


def _contact_sheet(found: Sought) -> Part:
    note = (
        f"What cell {found.cell} finds for some queries: the first by rank, some about the middle of those that miss, and the "
        "last. The own vector is marked, and told with its rank where it is not among the first."
    )
    return Part("Queries", (note,), sheets=tuple(found.sheets))


def _shares(values: Floats, edges: Sequence[int]) -> tuple[list[str], list[float]]:
    """Of whole numbers from the first of ``edges`` the names of the ranges up to each edge and beyond, and their shares."""
    last = int(values.max())
    used = [edge for edge in edges if edge <= last]
    bounds = [edges[0] - 1, *used, *([last] if last > used[-1] else [])]
    names = [f"{low + 1:,}" if low + 1 == high else f"{low + 1:,} to {high:,}" for low, high in pairwise(bounds)]
    return names, [float(((values > low) & (values <= high)).mean()) for low, high in pairwise(bounds)]


def _polygon(values: Floats, edges: Floats) -> list[tuple[float, float]]:
    """The middle of each bin with the share of ``values`` in it."""
    counts, _ = np.histogram(values, edges)
    middles = (edges[:-1] + edges[1:]) / 2
    return list(zip(middles.tolist(), (counts / len(values)).tolist(), strict=True))
