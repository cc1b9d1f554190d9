"""The inventory: what was trained, on which version of the data, what it is worth out of fold, and which ensemble took it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from watertight.evaluation.figures import OUT_OF_FOLD
from watertight.evaluation.metrics import METRICS

Summary = Mapping[str, Any]
MEMBERS = "members"
NAMED = ("target", "cell", "seed")
INVENTORY = {
    "target": pl.String,
    "cell": pl.String,
    "family": pl.String,
    "seed": pl.Int64,
    "data": pl.String,
    "digest": pl.String,
    "rows": pl.Int64,
    "metric": pl.String,
    "figure": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "ensemble": pl.String,
    "weight": pl.Float64,
}
"""``data``: the treatments of the cell, ``whole`` where it has none; ``digest`` and ``rows``: of the rows that its final model
was fitted on. ``metric``: the first headline metric of the target's kind, ``figure`` out of fold, ``low`` and ``high`` its
interval. ``weight``: the cell's share, above 0, in ``ensemble``, a cell that selects among others; both are null where none
took it. A cell that several ensembles took stands once for each."""


def inventory(summary: Summary, figures: pl.DataFrame) -> pl.DataFrame:
    """A line per model in ``summary``, what `train` wrote, as in :data:`INVENTORY`; ``figures`` as `evaluate` writes them."""
    data = {_key(line): (line["data"], line["models"][line["final"]]) for line in summary["data"]}
    own = figures.filter((pl.col("part") == OUT_OF_FOLD) & (pl.col("slice") == ""))
    found = {(*key, metric): told for *key, metric, told in _figures(own)}
    lines = [line for model in summary["cells"] for line in _lines(model, data[_key(model)], found, summary)]
    return pl.DataFrame(lines, schema=INVENTORY, orient="row")


def _figures(own: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    for line in own.select(*NAMED, "metric", "figure", "low", "high").iter_rows(named=True):
        yield *_key(line), line["metric"], (line["figure"], line["low"], line["high"])


def _lines(model: Summary, data: tuple[str, Summary], found: Mapping[Any, Any], summary: Summary) -> Iterator[tuple[Any, ...]]:
    version, kept = data
    metric = next(name for name, known in METRICS[model["kind"]].items() if known.headline)
    worth = found.get((*_key(model), metric), (None, None, None))
    first = (model["target"], model["cell"], model["family"], model["seed"], version, kept["digest"], kept["rows"], metric)
    over: list[tuple[str | None, float | None]] = [*_ensembles(model, summary)] or [(None, None)]
    yield from ((*first, *worth, ensemble, weight) for ensemble, weight in over)


def _ensembles(model: Summary, summary: Summary) -> Iterator[tuple[str, float]]:
    """Each cell that selects among others and took this one, with the share that it gave to it, over its seeds on average."""
    over = {_key(line) for line in summary["fits"] if (line["target"], line["member"]) == (model["target"], model["cell"])}
    alone = sum(other["target"] == model["target"] and other["cell"] == model["cell"] for other in summary["cells"]) == 1
    shares: dict[str, list[float]] = {}
    for other in (one for one in summary["cells"] if _key(one) in over and (alone or one["seed"] == model["seed"])):
        if counts := other["chosen"].get(MEMBERS):
            shares.setdefault(other["cell"], []).append(counts.get(model["cell"], 0) / sum(counts.values()))
    yield from ((name, sum(of) / len(of)) for name, of in shares.items() if any(of))


def _key(line: Summary) -> tuple[Any, ...]:
    return tuple(line[name] for name in NAMED)
