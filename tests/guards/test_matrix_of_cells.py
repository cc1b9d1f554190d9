"""A matrix of cells on disk: the very predictions of the cells written out, each version of the data with a digest of its own."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal
from tiny_project import PREDICTIONS, WITNESSES, TinyProject
from typer.testing import CliRunner

from watertight.cli import app
from watertight.core.digests import ids_digest
from watertight.core.errors import Misuse

KEPT = "artifacts/tiny/train/kept.parquet"
STRONG = [{"step": "filtered", "family": "linear", "options": {"strength": 10}, "drop": 0.2}]
TREES = {
    "family": "lightgbm",
    "views": ["tiny_lexical", "tiny_history"],
    "options": {"rounds": 5, "feature_fraction": 0.5, "min_data_in_leaf": 3},
    "targets": ["mood"],
}
MATRIX = {**TREES, "seeds": [0, 3], "data": ["whole", "strongest"]}
BY_HAND = {
    "net-whole-0": {**TREES, "seed": 0},
    "net-whole-3": {**TREES, "seed": 3},
    "net-strongest-0": {**TREES, "seed": 0, "treatments": ["strongest"]},
    "net-strongest-3": {**TREES, "seed": 3, "treatments": ["strongest"]},
}


def declare(project: TinyProject, cells: dict[str, Any], over: list[str], seeds: list[int], strong: Any = STRONG) -> None:
    """The tiny project with these cells, and one that averages what is ``over``."""
    file = project.root / "params.yaml"
    params = yaml.safe_load(file.read_text(encoding="utf-8"))
    params["tiny"]["train"] |= {
        "seeds": seeds,
        "treatments": {"strongest": strong},
        "cells": {**cells, "all": {"family": "linear", "over": over, "targets": ["mood"]}},
        "targets": ["mood"],
    }
    params["tiny"] |= {"register": {"cell": "all"}, "evaluate": {}}
    file.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


@pytest.mark.parametrize("seeds", [[0], [1, 2]])
def test_a_matrix_predicts_what_cells_written_out_predict(project: TinyProject, seeds: list[int]) -> None:
    declare(project, {"net": MATRIX}, ["net"], seeds)
    project.execute("train", "evaluate")
    told, summary = project.table(PREDICTIONS), project.verdict("artifacts/tiny/train/train.json")
    witnesses = project.table(WITNESSES)
    declare(project, BY_HAND, list(BY_HAND), seeds)
    project.execute("train")
    assert_frame_equal(project.table(PREDICTIONS), told)
    assert_frame_equal(project.table(WITNESSES), witnesses)
    assert project.verdict("artifacts/tiny/train/train.json") == summary
    pairs = told.select("cell", "seed").unique().sort("cell", "seed").rows()
    own = [(f"net-{data}-{seed}", seed) for data in ("strongest", "whole") for seed in (0, 3)]
    assert pairs == [*(("all", seed) for seed in seeds), *own], (
        "a cell with a seed of its own stands once, whatever the others have"
    )
    by_seed = told.filter(pl.col("cell").str.starts_with("net-whole")).partition_by("cell")
    assert not by_seed[0]["mean"].equals(by_seed[1]["mean"]), "the seeds are two"


def test_each_version_of_the_data_has_a_digest_of_its_own(project: TinyProject) -> None:
    declare(project, {"net": MATRIX}, ["net"], [0])
    project.execute("train")
    told = {line["cell"]: line for line in project.verdict("artifacts/tiny/train/train.json")["data"]}
    assert {name: line["data"] for name, line in told.items()} == {
        "all": "whole",
        **{f"net-{data}-{seed}": data for data in ("whole", "strongest") for seed in (0, 3)},
    }
    final = {name: line["models"][line["final"]] for name, line in told.items()}
    assert final["net-strongest-0"] == final["net-strongest-3"] != final["net-whole-0"] == final["net-whole-3"]
    kept = project.table(KEPT)
    for seed in (0, 3):
        mine = kept.filter(cell=f"net-strongest-{seed}", seed=seed, target="mood")["row_id"]
        assert final[f"net-strongest-{seed}"]["digest"] == ids_digest(mine)
        of = final[f"net-strongest-{seed}"]["of"]
        assert final[f"net-strongest-{seed}"]["rows"] == len(mine) == of - int(0.2 * of)
    assert len(told["net-strongest-0"]["models"]) == 1 + 5 + 10, "the final model's, one of each fold, and of each pair of folds"
    assert set(kept["cell"]) == {"net-strongest-0", "net-strongest-3"}, "nothing is left out for the others"


@pytest.mark.parametrize(
    ("by", "told"),
    [("wieght", "train.treatments.strongest: 'wieght'; did you mean 'weight'?"), ("tiny_lexical__wrds", "no column of the rows")],
)
def test_a_filter_by_a_column_that_is_not_there(project: TinyProject, by: str, told: str) -> None:
    declare(project, {"net": MATRIX}, ["net"], [0], [{"step": "filtered", "by": by, "most": 2}])
    with pytest.raises(Misuse) as caught:
        project.execute("train")
    assert told in caught.value.what


def test_a_column_that_another_source_has_leaves_the_cells_out(project: TinyProject) -> None:
    folder = project.root / "pipelines" / "sources" / "tiny"
    contract = yaml.safe_load((folder / "made.yaml").read_text(encoding="utf-8"))
    contract["columns"] = {**contract.get("columns", {}), "similarity": "float"}
    (folder / "other.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    cells = {"net": MATRIX, "mean": {"family": "mean", "targets": ["mood"]}}
    declare(project, cells, ["mean"], [0], [{"step": "filtered", "by": "similarity", "most": 2}])
    project.execute("train")
    skipped = project.verdict("artifacts/tiny/train/train.json")["cells_skipped"]
    assert skipped == {f"net-strongest-{seed}": "the source has no column 'similarity'" for seed in (0, 3)}


def test_the_inventory_tells_each_model_with_its_data_and_its_figure(project: TinyProject) -> None:
    declare(project, {"net": MATRIX}, ["net"], [0])
    project.execute("train", "evaluate")
    answer = CliRunner().invoke(app, ["inventory", "tiny", "--json"])
    assert answer.exit_code == 0, answer.output
    told = {line["cell"]: line for line in json.loads(answer.stdout)}
    figures = project.table("artifacts/tiny/evaluate/figures.parquet").filter(pl.col("slice") == "", metric="rmse")
    assert {name: line["figure"] for name, line in told.items()} == dict(figures.select("cell", "figure").iter_rows())
    data = {line["cell"]: line for line in project.verdict("artifacts/tiny/train/train.json")["data"]}
    for name, line in told.items():
        final = data[name]["models"][data[name]["final"]]
        assert (line["data"], line["digest"], line["rows"]) == (data[name]["data"], final["digest"], final["rows"])
    text = CliRunner().invoke(app, ["inventory", "tiny"]).stdout
    assert "target mood" in text and "net-strongest-3" in text and "strongest" in text
