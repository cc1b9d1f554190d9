"""embeddings: what a workload's vectors look like beside a target, and what their nearest neighbours know; for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipelines.gates import TRAINING_SET
from watertight.core.contract import Target
from watertight.core.errors import Misuse
from watertight.core.project import Workload
from watertight.core.tables import read_json, read_table
from watertight.evaluation.flattened import SEED, by_components, by_umap
from watertight.evaluation.neighbours import NEIGHBOURS, by_mean, by_neighbours, judged
from watertight.learners.matrix import feature_matrix
from watertight.page.embeddings import Pictured, embeddings_page
from watertight.progress import track

MOST_DRAWN = 2000
PREDICTORS = (f"{NEIGHBOURS} nearest", "mean")


def embeddings(work: Workload, target: str | None, to: Path | None) -> dict[str, Any]:
    """Write the page to ``to`` (default: artifacts/<workload>/embeddings.html) and answer its figures and place.

    Of every list of floats that the service serves, for ``target`` (default: the first scalar one), on labelled rows of the
    split ``train`` alone. Raises Misuse where there is no training set, no scalar target or no vector.
    """
    name = _target(work, target)
    rows, columns = _rows(work, name)
    pictured = [_pictured(rows, column, name) for column in track(columns, len(columns), "features")]
    place = to or work.artifacts("embeddings.html")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(embeddings_page(work.name, name, _limits(work.contract.targets[name]), pictured), encoding="utf-8")
    return {"target": name, "features": [_told(one) for one in pictured], "page": str(place)}


def as_text(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer for a terminal: one table."""
    rows = [{"feature": one["feature"], **told} for one in answer["features"] for told in one["figures"]]
    return {f"{answer['target']}": rows, "page": answer["page"]}


def _target(work: Workload, target: str | None) -> str:
    scalars = [name for name in work.params.train.targets if _is_scalar(work, name)]
    chosen = target or next(iter(scalars), "")
    if not _is_scalar(work, chosen):
        raise Misuse(
            f"{chosen or work.params.train.targets!r} is no scalar target", expected=", ".join(scalars) or "a scalar target"
        )
    return chosen


def _is_scalar(work: Workload, name: str) -> bool:
    return name in work.contract.targets and work.contract.targets[name].kind == "scalar"


def _limits(target: Target) -> tuple[float, float]:
    if target.range is None:
        raise TypeError("a scalar target has a range")
    return target.range


def _rows(work: Workload, target: str) -> tuple[pl.DataFrame, list[str]]:
    """The real training rows with the target, and the features that are lists of floats."""
    path = work.data(*TRAINING_SET)
    if not path.is_file():
        raise Misuse("there is no training set yet", expected=f"{path}", next_step="dvc repro, or dvc checkout")
    table = read_table(path)
    features = read_json(work.data("training_set", "training_set.json"))["features"]
    columns = [name for name in features if table.schema[name] in (pl.List(pl.Float32), pl.List(pl.Float64))]
    if not columns:
        raise Misuse("the service serves no list of floats", expected="a view with vectors, such as embedding_view")
    mine = (pl.col("split") == "train") & ~pl.col("synthetic")
    return table.filter(mine).drop_nulls(["fold", target]), columns


def _pictured(rows: pl.DataFrame, column: str, target: str) -> Pictured:
    there = rows.drop_nulls(column)
    vectors = feature_matrix(there, [column]).values
    truth, folds = there[target].to_numpy().astype(np.float64), there["fold"].to_numpy()
    predicted = (by_neighbours(vectors, truth, folds), by_mean(truth, folds))
    drawn = np.random.default_rng(SEED).permutation(len(vectors))[:MOST_DRAWN]
    components, explained = by_components(vectors[drawn])
    flat = by_umap(vectors[drawn])
    return Pictured(
        name=column,
        dimension=vectors.shape[1],
        rows=there.height,
        null=rows.height - there.height,
        truth=truth[drawn].tolist(),
        components=components.tolist(),
        map=None if flat is None else flat.tolist(),
        explained=explained,
        figures=[{"predictor": name, **judged(truth, told)} for name, told in zip(PREDICTORS, predicted, strict=True)],
    )


def _told(one: Pictured) -> dict[str, Any]:
    counts = {"dimension": one.dimension, "rows": one.rows, "null": one.null, "drawn": len(one.truth)}
    return {"feature": one.name, **counts, "explained": list(one.explained), "figures": list(one.figures)}
