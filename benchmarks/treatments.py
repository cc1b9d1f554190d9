"""What each treatment of the skew is worth to one network: DVC experiments on the same rows, told in docs/judge.md.

    python benchmarks/treatments.py

Works in a clone of the committed project. Each experiment changes what is done to the rows that the cell ``network`` is fitted
on, or its loss, and trains that cell alone. Beside the out-of-fold figures stands one look at the shifted test drop, which is
recorded in ``models/`` like any other.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from experiments import ROOT, cloned, run, shown, table, write

from pipelines.looks import predicted, record
from pipelines.score import trained
from watertight.core.project import Project
from watertight.core.tables import read_table
from watertight.evaluation.figures import cases, figures, figures_table

PAGE = ROOT / "docs" / "judge.md"
WORKLOAD, CELL, TARGET, SHIFTED = "judge", "network", "score", "test_drops"
OUT_OF_FOLD = ("rmse", "macro_rmse", "nll")
LEFT_OUT = (
    *("length", "per_model", "knn", "linear", "classifier", "trees", "trees_negatives"),
    *("plain", "network_negatives", "scored"),
)

EXPERIMENTS = {
    "none": ([], "nll_mae"),
    "oversampling": (["oversampling"], "nll_mae"),
    "smoothing": (["smoothing"], "nll_mae"),
    "balanced-mse": ([], "balanced_mse"),
    "beta-nll": ([], "beta_nll"),
    "negatives": (["negatives"], "nll_mae"),
    "graded": (["graded"], "nll_mae"),
    "negatives-graded": (["negatives", "graded"], "nll_mae"),
    "negatives-graded-beta-nll": (["negatives", "graded"], "beta_nll"),
    "negatives-graded-faithful": (["negatives", "graded"], "faithful"),
    "negatives-graded-mse": (["negatives", "graded"], "mse"),
    "negatives-graded-balanced-mse": (["negatives", "graded"], "balanced_mse"),
    "negatives-oversampling": (["negatives", "oversampling"], "nll_mae"),
    "negatives-graded-smoothing": (["negatives", "graded", "smoothing"], "nll_mae"),
}


def main() -> None:
    """Run the experiments, and write both tables."""
    with cloned() as clone:
        found = pl.concat([_figures(clone, name, *how) for name, how in EXPERIMENTS.items()])
        limit = _limit(read_table(Project(clone).workload(WORKLOAD).data("training_set", "training_set.parquet")))
        told = shown(clone, WORKLOAD, rf"{TARGET}\.({'|'.join(OUT_OF_FOLD)}|row_set)")
    experiments = table([{"experiment": name, **told[name]} for name in EXPERIMENTS])
    compared = table([{"treatment": name, **_line(found.filter(experiment=name))} for name in EXPERIMENTS])
    write(PAGE, {"experiments": experiments, "treatments": compared, "limit": limit})
    print(compared)


def _limit(rows: pl.DataFrame) -> str:
    """What a boosting makes of the shifted drop itself, prompts apart, from the three cosines and the language."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import GroupKFold, cross_val_predict

    tests = rows.filter(split=SHIFTED)
    x = tests.select(pl.col("^.*__cosine$"), pl.col("language").rank("dense")).cast(pl.Float64).to_numpy()
    model = HistGradientBoostingRegressor(max_iter=60, learning_rate=0.05, max_leaf_nodes=8, random_state=0)
    y, groups = tests[TARGET].to_numpy(), tests["group_id"].to_numpy()
    told = cross_val_predict(model, x, y, groups=groups, cv=GroupKFold(5))
    return f"{float(np.sqrt(np.mean((told - y) ** 2))):.2f}, where the scores deviate by {float(y.std()):.2f}"


def _figures(clone: Path, name: str, treatments: list[str], loss: str) -> pl.DataFrame:
    """The cell's figures out of fold, and at a look at the test sets."""
    run(clone, name, WORKLOAD, _settings(treatments, loss))
    work = Project(clone).workload(WORKLOAD)
    rows = read_table(work.data("training_set", "training_set.parquet"))
    declared, target = work.params.evaluate.intervals, {TARGET: work.contract.targets[TARGET]}
    parts = {"out_of_fold": read_table(work.artifacts("train", "predictions.parquet")).filter(target=TARGET, cell=CELL)}
    tests = rows.filter(split=SHIFTED)
    parts[SHIFTED] = predicted([place for place in trained(work) if place[0].cell == CELL], tests)
    lines: list[dict[str, Any]] = []
    for part, told in parts.items():
        own = rows.join(told.select("row_id"), on="row_id", how="semi")
        lines += [line for case in cases(own, told, target, {}) for line in figures(case, declared, part)]
    look = {"benchmark": "treatments", "experiment": name, "figures": [line for line in lines if line["part"] == SHIFTED]}
    record(Project(ROOT), WORKLOAD, look)
    return figures_table(lines).select(pl.lit(name).alias("experiment"), pl.all())


def _settings(treatments: list[str], loss: str) -> Iterator[str]:
    yield from (f"~{WORKLOAD}.train.cells.{cell}" for cell in LEFT_OUT)
    yield f"~{WORKLOAD}.train.families.lightgbm"
    yield f"{WORKLOAD}.evaluate.baselines=[mean]"
    yield f"{WORKLOAD}.register.cell={CELL}"
    yield f"{WORKLOAD}.train.cells.{CELL}.treatments=[{','.join(treatments)}]"
    yield f"++{WORKLOAD}.train.cells.{CELL}.options.loss={loss}"


def _line(found: pl.DataFrame) -> dict[str, str]:
    told = {f"{metric}, out of fold": _figure(found, "out_of_fold", metric) for metric in OUT_OF_FOLD}
    return {**told, **{f"{metric}, shifted test": _figure(found, SHIFTED, metric) for metric in ("rmse", "spearman")}}


def _figure(found: pl.DataFrame, part: str, metric: str) -> str:
    [line] = found.filter(part=part, metric=metric).to_dicts() or [{"figure": None}]
    if line["figure"] is None:
        return ""
    return f"{line['figure']:.3f} [{line['low']:.3f}, {line['high']:.3f}]"


if __name__ == "__main__":
    sys.exit(main())
