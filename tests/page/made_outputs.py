"""A project on disk with the outputs that ``report`` reads, made up: three targets of three kinds, a blend, intervals, reds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from pipelines.model_gate import judged_cells
from watertight.core.contract import Target
from watertight.core.project import Project, Workload
from watertight.core.tables import write_json, write_table
from watertight.core.workload import EvaluateParams
from watertight.evaluation.figures import cases, figures, figures_table, slices_covered
from watertight.evaluation.plots import calibration_points

ROWS, GROUPS = 240, 24
EVIL = "<script>alert('x')</script>"
MEMBERS = ("short", "long")
TARGETS: dict[str, dict[str, Any]] = {
    "mood": {"kind": "scalar", "range": [-3.0, 3.0], "about": "how one feels"},
    "side": {"kind": "class", "classes": ["a", "b"]},
    "image": {"kind": "vector", "dimension": 3},
}
CELLS: dict[str, dict[str, Any]] = {
    "mean": {"family": "mean"},
    "short": {"family": "linear", "views": "all"},
    "long": {"family": "linear", "views": "all"},
    "blend": {"family": "blend", "over": list(MEMBERS), "targets": ["mood"]},
    "sure": {"family": "calibrated", "over": ["blend"], "targets": ["mood"]},
}
SLICES: dict[str, list[float]] = {"words": [9, 100], "language": [], "absent": []}


@dataclass
class Made:
    """What is planted: ``shift`` is added to predictions in the slice ``language: de``; ``targets`` are predicted."""

    targets: tuple[str, ...] = ("mood", "side", "image")
    registered: str = "sure"
    cells: tuple[str, ...] = tuple(CELLS)
    shift: float = 0.0
    width: float = 0.7356
    absent: bool = True
    checks: list[dict[str, Any]] = field(default_factory=list)
    row_checks: list[dict[str, Any]] = field(default_factory=list)
    drift: list[dict[str, Any]] = field(default_factory=list)
    status: str = "pass"
    about: str = "Made up."
    language: str = "de"
    texts: tuple[str, ...] = ()

    @property
    def slices(self) -> dict[str, list[float]]:
        """What is declared."""
        return {name: edges for name, edges in SLICES.items() if self.absent or name != "absent"}

    @property
    def params(self) -> dict[str, Any]:
        """The workload's section."""
        cells = {name: {**CELLS[name]} for name in self.cells}
        for told in cells.values():
            told["targets"] = [name for name in told.get("targets", self.targets) if name in self.targets]
        return {
            "source": {"name": "made"},
            "split": {"seed": 1, "folds": 4, "strata": ["language"]},
            "join": {"service": "toy"},
            "train": {"targets": list(self.targets), "cells": cells},
            "evaluate": {"baselines": ["mean"], "slices": self.slices, "intervals": {"resamples": 100}},
            "register": {"cell": self.registered},
        }


def rows(made: Made) -> pl.DataFrame:
    """The training set's table: words from 1 to 240, three languages, one of them as declared."""
    chance = np.random.default_rng(0)
    languages = ["en", "fr", made.language]
    return pl.DataFrame(
        {
            "row_id": [f"r{place:03d}" for place in range(ROWS)],
            "group_id": [f"g{place % GROUPS:02d}" for place in range(ROWS)],
            "split": "train",
            "fold": [place % GROUPS % 4 for place in range(ROWS)],
            "synthetic": False,
            "words": [1 + place % 120 for place in range(ROWS)],
            "language": [languages[place // GROUPS % 3] for place in range(ROWS)],
            "mood": chance.normal(size=ROWS),
            "side": chance.choice(["a", "b"], ROWS).tolist(),
            "image": chance.normal(size=(ROWS, 3)).tolist(),
        }
    ).with_columns(mood=pl.when(pl.int_range(pl.len()) > 1).then("mood"))


def predictions(table: pl.DataFrame, made: Made) -> pl.DataFrame:
    """What the cells gave."""
    parts = [
        _predicted(table.drop_nulls(target), target, cell, made)
        for target in made.targets
        for cell in made.cells
        if target in made.params["train"]["cells"][cell]["targets"]
    ]
    return pl.concat(parts, how="diagonal")


def _predicted(table: pl.DataFrame, target: str, cell: str, made: Made) -> pl.DataFrame:
    chance = np.random.default_rng([ord(letter) for letter in target + cell])
    told: dict[str, Any] = {
        "row_id": table["row_id"],
        "target": [target] * len(table),
        "cell": cell,
        "seed": 0,
        "fold": table["fold"],
    }
    if target == "side":
        first = chance.uniform(0.2, 0.8, len(table)) if cell != "mean" else np.full(len(table), 0.5)
        return pl.DataFrame({**told, "probabilities": np.stack([first, 1 - first], axis=1).tolist()})
    if target == "image":
        return pl.DataFrame({**told, "vector": chance.normal(size=(len(table), 3)).tolist()})
    mean = np.zeros(len(table)) if cell == "mean" else 0.8 * (table["mood"].to_numpy() + chance.normal(size=len(table)) / 2)
    mean = mean + np.where(table["language"].to_numpy() == made.language, made.shift if cell == made.registered else 0, 0)
    if cell == "sure":
        told |= {"lower": mean - made.width, "upper": mean + made.width, "level": 0.9}
    if cell == "blend":
        first = chance.uniform(0, 1, len(table))
        told |= {"weights": np.stack([first, 1 - first], axis=1).tolist()}
    return pl.DataFrame({**told, "mean": mean})


def write(root: Path, made: Made) -> Workload:
    """Lay everything out under ``root``."""
    work = _declare(root, made)
    table = rows(made)
    given = predictions(table, made)
    targets = {name: Target(**TARGETS[name]) for name in made.targets}
    params = EvaluateParams(**made.params["evaluate"])
    found = cases(table, given, targets, params.slices, params)
    told = figures_table(record for case in found for record in figures(case, params.intervals))
    write_table(table, work.data("training_set", "training_set.parquet"))
    write_json(
        {"rows": ROWS, "signature_digest": "5167", "encoders": {"none": "e0c0"}}, work.data("training_set", "training_set.json")
    )
    write_json({**verdict("split"), "parts": {"train fold 0": {"rows": 60, "groups": 6}}, "strata_skipped": {}}, split(work))
    write_json(verdict("training_set", made.checks, made.status), work.artifacts("guard", "verdict.json"))
    write_json(verdict("rows", made.row_checks), work.data("checked", "verdict.json"))
    write_json(verdict("serving"), work.artifacts("online", "verdict.json"))
    if made.drift:
        write_json(verdict("drift", made.drift, "fail"), work.artifacts("guard", "drift.json"))
    _trained(work, made, given)
    write_table(told, work.artifacts("evaluate", "figures.parquet"))
    evaluation = {
        "verdicts": [verdict("out_of_fold")],
        "slices": slices_covered(told, params),
        "slices_skipped": {"absent": "the source has no column 'absent'"} if made.absent else {},
        "models": list(judged_cells(work, table, given)),
    }
    write_json(evaluation, work.artifacts("evaluate", "evaluation.json"))
    work.artifacts("plots").mkdir(parents=True)
    calibration_points(table, given, targets).write_csv(work.artifacts("plots", "calibration.csv"))
    return work


def split(work: Workload) -> Path:
    """Where the split's report lies."""
    return work.data("split", "split.json")


def verdict(gate: str, checks: list[dict[str, Any]] | None = None, status: str = "pass") -> dict[str, Any]:
    """A verdict: one check that passed, and ``checks``."""
    all_checks = [check("expect_rows_assigned", "pass"), *(checks or [])]
    counts = {name: sum(told["status"] == name for told in all_checks) for name in ("pass", "fail", "skipped")}
    return {"gate": gate, "rows": ROWS, "status": status, "counts": counts, "checks": all_checks}


def check(kind: str, status: str, severity: str = "critical", rows: tuple[str, ...] = (), **told: Any) -> dict[str, Any]:
    """One check as a verdict has it."""
    return {
        "type": kind,
        "kwargs": {},
        "severity": severity,
        "status": status,
        "count": len(rows),
        "row_ids": list(rows),
        "columns": [],
        "figures": {},
        "reason": "",
        **told,
    }


def _declare(root: Path, made: Made) -> Workload:
    (root / "feature_repo").mkdir(parents=True)
    declared = yaml.safe_dump({"workloads": ["toy"], "toy": made.params}, sort_keys=False)
    (root / "params.yaml").write_text(declared, encoding="utf-8")
    contract = {
        "about": made.about,
        "group": "author",
        "keys": ["author"],
        "text": list(made.texts),
        "targets": {name: TARGETS[name] for name in made.targets},
    }
    folder = root / "pipelines" / "sources" / "toy"
    folder.mkdir(parents=True)
    (folder / "made.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    return Project(root).workload("toy")


def _trained(work: Workload, made: Made, given: pl.DataFrame) -> None:
    write_table(given, work.artifacts("train", "predictions.parquet"))
    shares = [("mood", "short", 0, f"toy_lexical__a_feature_with_a_long_name_{place:02d}", 1 / 20) for place in range(20)]
    named = {"target": pl.String, "cell": pl.String, "seed": pl.Int32, "column": pl.String, "share": pl.Float64}
    write_table(pl.DataFrame(shares, schema=named, orient="row"), work.artifacts("train", "importance.parquet"))
    grid = given.select("target", "cell", "seed").unique(maintain_order=True).to_dicts()
    cells = [{**told, "over": CELLS[told["cell"]].get("over", []), "fitted_on": "f1"} for told in grid]
    made = [
        {"target": "mood", "cell": "short", "seed": 0, "final": "f1", "made": {"f1": {"mismatched toy_id": 41, "oversampled": 7}}}
    ]
    told = {"cells": cells, "made": made, "targets_skipped": {}, "cells_skipped": {}}
    write_json(told, work.artifacts("train", "train.json"))
