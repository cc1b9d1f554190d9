"""A sealed bundle that reads numbers, a vector and a text, has cells over cells, two seeds, and a class beside a number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from watertight.core.contract import Target
from watertight.inference.answers import answers, fitted
from watertight.learners.catalogue import build
from watertight.learners.matrix import feature_matrix
from watertight.learners.members import beside, read_of
from watertight.registry.bundle import Manifest, Model, seal

TARGETS = {"mood": Target(kind="scalar", range=(-9, 9)), "tone": Target(kind="class", classes=("low", "high"))}
MLP: dict[str, Any] = {"hidden": [8], "epochs": 3, "batch": 32}
NUMBERS = ("a", "b")
WORDS = ("calm", "angry", "glad", "tired", "quick")


def rows(count: int = 120, seed: int = 0) -> pl.DataFrame:
    """Rows of which some lack a number, the vector or the text."""
    chance = np.random.default_rng(seed)
    a, b = chance.normal(size=(2, count))
    vectors, texts = chance.normal(size=(count, 3)).round(3).tolist(), chance.choice(WORDS, size=(count, 4))
    table = pl.DataFrame(
        {
            "row_id": [f"r{row}" for row in range(count)],
            "group_id": [f"g{row % 9}" for row in range(count)],
            "a": a,
            "b": b,
            "v": pl.Series(vectors, dtype=pl.List(pl.Float64)),
            "text": [" ".join(words) for words in texts],
        }
    )
    lacks = pl.int_range(pl.len()) % 11
    return table.with_columns(
        b=pl.when(lacks != 3).then("b"), v=pl.when(lacks != 5).then("v"), text=pl.when(lacks != 7).then("text")
    )


def made_bundle(folder: Path, shift: float = 0.0) -> Path:
    """The bundle, fitted on ``rows`` whose mood is ``shift`` higher."""
    table = rows()
    labels = {"mood": table["a"].to_numpy() + shift, "tone": (table["a"] > 0).cast(pl.Int64).to_numpy()}
    plain = [
        ("mood", "words", 0, "tfidf", {"min_df": 1}, (), ("text",)),
        *(("mood", "network", seed, "mlp", MLP, (*NUMBERS, "v"), ()) for seed in (0, 1)),
        ("tone", "sure", 0, "lightgbm", {"rounds": 5}, NUMBERS, ()),
    ]
    models = [_fitted(folder, table, labels, *told) for told in plain]
    models += [_over(folder, table, labels["mood"], models, seed) for seed in (0, 1)]
    (folder / "card.md").write_text("# toy\n", encoding="utf-8")
    seal(folder, manifest(tuple(models)))
    return folder


def manifest(models: tuple[Model, ...]) -> Manifest:
    """What the bundle is; ``sure`` is the cell that answers, for both targets."""
    return Manifest(
        workload="judge",
        source="simulated",
        cell="sure",
        runtime="watertight",
        encoder="none",
        service="judge",
        signature={"serves": {}},
        models=models,
    )


def _fitted(
    folder: Path,
    table: pl.DataFrame,
    labels: dict[str, Any],
    target: str,
    cell: str,
    seed: int,
    family: str,
    options: dict[str, Any],
    columns: tuple[str, ...],
    texts: tuple[str, ...],
) -> Model:
    widths = {"v": 3} if "v" in columns else {}
    x = feature_matrix(table, columns, widths, texts)
    learner = build(family, target, TARGETS[target], options).fit(x, labels[target], np.ones(table.height), seed=seed)
    model = _model(target, cell, seed, family, columns, texts=texts, widths=widths)
    _saved(folder, model, learner)
    return model


def _over(folder: Path, table: pl.DataFrame, labels: Any, below: list[Model], seed: int) -> Model:
    """Conformal intervals over one seed of the network."""
    [member] = [model for model in below if (model.cell, model.seed) == ("network", seed)]
    [(_, told)] = answers(fitted([(member, folder / member.folder)]), table)
    x = beside(feature_matrix(table, ()), read_of("network", told, "mean"))
    learner = build("conformal", "mood", TARGETS["mood"], {}).fit(x, labels, np.ones(table.height), seed=seed)
    model = _model("mood", "sure", seed, "conformal", (), over=("network",), widths={})
    _saved(folder, model, learner)
    return model


def _model(target: str, cell: str, seed: int, family: str, columns: tuple[str, ...], **more: Any) -> Model:
    place = f"models/{target}/{cell}-seed{seed}"
    told = {"cell": cell, "seed": seed, "family": family, "columns": columns, "folder": place, "fitted_on": "f00d"}
    return Model(target=target, kind=TARGETS[target].kind, **told, **more)


def _saved(folder: Path, model: Model, learner: Any) -> None:
    (folder / model.folder).mkdir(parents=True)
    learner.save(folder / model.folder)
