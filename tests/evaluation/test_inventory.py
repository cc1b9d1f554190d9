"""The inventory of what was trained: each model with its figure, its rows, and its share in the ensembles over it."""

from __future__ import annotations

from typing import Any

import polars as pl

from watertight.evaluation.figures import figures_table
from watertight.evaluation.inventory import INVENTORY, inventory
from watertight.evaluation.metrics import METRICS

METRIC = next(name for name, known in METRICS["vector"].items() if known.headline)


def model(cell: str, seed: int, family: str = "mean", **counts: int) -> dict[str, Any]:
    chosen = {"members": counts} if counts else {}
    return {"target": "image", "kind": "vector", "cell": cell, "seed": seed, "family": family, "chosen": chosen}


def figure(cell: str, seed: int | None, worth: float | None, metric: str = METRIC, **more: Any) -> dict[str, Any]:
    where = {"target": "image", "part": "out_of_fold", "slice": "", "value": "", **more}
    low = None if worth is None else worth - 0.1
    return {
        **where,
        "cell": cell,
        "seed": seed,
        "metric": metric,
        "figure": worth,
        "low": low,
        "high": worth,
        "rows": 9,
        "groups": 3,
    }


def test_every_model_stands_once_for_each_ensemble_that_took_it() -> None:
    models = [
        *(model("net-0", 0), model("net-5", 5), model("loose", 1), model("loose", 2), model("left", 5)),
        *(
            model("top", seed, "selected", **counts)
            for seed, counts in ((1, {"net-5": 3, "loose": 1}), (2, {"net-5": 1, "loose": 3}))
        ),
        model("few", 1, "selected", **{"net-0": 2}),
    ]
    every = ("net-0", "net-5", "loose", "left")
    over = {("top", 1): every, ("top", 2): every, ("few", 1): ("net-0", "net-5")}
    fits = [
        {"target": "image", "cell": cell, "seed": seed, "member": member, "fitted_on": "w"}
        for (cell, seed), members in over.items()
        for member in members
    ]
    data = [
        {
            **one,
            "data": "strongest" if one["cell"] == "net-5" else "whole",
            "final": "f",
            "models": {"f": {"digest": one["cell"], "rows": 7}},
        }
        for one in models
    ]
    told = [figure("net-0", 0, 0.5), figure("net-5", 5, 0.6), figure("loose", 1, 0.4), figure("loose", 2, None)]
    told += [figure("net-0", 0, 0.9, slice="words", value="few"), figure("net-0", 0, 0.9, part="test_groups")]
    told += [figure("net-0", 0, 0.9, metric="other"), figure("loose", None, 0.8)]
    found = inventory({"cells": models, "fits": fits, "data": data}, figures_table(told))
    assert found.schema == pl.Schema(INVENTORY)
    assert found.select("cell", "seed", "ensemble", "weight").rows() == [
        ("net-0", 0, "few", 1.0),
        ("net-5", 5, "top", 0.5),
        ("loose", 1, "top", 0.25),
        ("loose", 2, "top", 0.75),
        ("left", 5, None, None),
        *(("top", 1, None, None), ("top", 2, None, None), ("few", 1, None, None)),
    ]
    first = found.group_by("cell", "seed", maintain_order=True).first()
    assert first["figure"].to_list() == [0.5, 0.6, 0.4, None, None, None, None, None]
    assert first.row(1, named=True) == {
        **{"target": "image", "cell": "net-5", "family": "mean", "seed": 5, "data": "strongest", "digest": "net-5", "rows": 7},
        **{"metric": METRIC, "figure": 0.6, "low": 0.5, "high": 0.6, "ensemble": "top", "weight": 0.5},
    }
