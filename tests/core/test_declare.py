from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import Field, ValidationError

from watertight.core.contract import SourceContract, Target
from watertight.core.declare import Declaration, nearest, parse, pick, read_yaml
from watertight.core.errors import Misuse
from watertight.core.project import find_project
from watertight.core.workload import EvaluateParams, MetricGate, SlicesGate, SplitParams, WorkloadParams


class Wheel(Declaration):
    spokes: int = Field(gt=0)
    colour: str = "red"


class Cart(Declaration):
    front: Wheel
    more: dict[str, Wheel] = {}
    spare: tuple[Wheel, ...] = ()
    maybe: Wheel | None = None
    from_: str = Field(default="here", alias="from")


CONTRACT: dict[str, Any] = {
    "about": "toy",
    "group": "user_id",
    "keys": ["user_id"],
    "targets": {"y": {"kind": "scalar", "range": [0, 1]}},
}
SPLIT: dict[str, Any] = {"seed": 1, "folds": 3}
SECTION: dict[str, Any] = {
    "source": {"name": "toy"},
    "split": SPLIT,
    "join": {"service": "toy"},
    "train": {"targets": ["y"], "cells": {"mean": {"family": "mean"}}},
    "register": {"cell": "mean"},
}


def complaint(model: type[Declaration], data: Any) -> str:
    with pytest.raises(Misuse) as caught:
        parse(model, data, "cart.yaml")
    return str(caught.value)


def changed(data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**data, **changes}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"front": {"spokes": 3}, "spair": []}, "spair: unknown key; did you mean 'spare'?"),
        ({"front": {"spokes": 3, "color": "blue"}}, "front.color: unknown key; did you mean 'colour'?"),
        ({"front": {"spokes": 3}, "more": {"left": {"spoke": 3}}}, "more.left.spoke: unknown key; did you mean 'spokes'"),
        ({"front": {"spokes": 3}, "spare": [{"spokes": 3, "clour": 1}]}, "spare.0.clour: unknown key; did you mean 'colour'?"),
        ({"front": {"spokes": 3}, "maybe": {"spokes": 3, "clour": 1}}, "maybe.clour: unknown key; did you mean 'colour'?"),
        ({"front": {"spokes": 3}, "form": "there"}, "form: unknown key; did you mean 'from'?"),
        ({"front": {"spokes": 3, "zzz": 1}}, "front.zzz: unknown key; known: colour, spokes"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_answered_with_the_nearest(data: Any, told: str) -> None:
    assert told in complaint(Cart, data)


def test_all_errors_are_told_together() -> None:
    told = complaint(Cart, {"front": {"spokes": 0, "color": "blue"}, "more": {"left": {}}, "weels": 4})
    assert told.startswith("cart.yaml has 4 error(s)\n")
    assert all(f"  - {place}: " in told for place in ("front.spokes", "front.color", "more.left.spokes", "weels"))


def test_a_section_that_is_no_section_is_told() -> None:
    assert "cart.yaml has 1 error(s)\n  - the section: " in complaint(Cart, ["front"])


def test_a_declaration_is_frozen() -> None:
    wheel = parse(Wheel, {"spokes": 3}, "wheel.yaml")
    with pytest.raises(ValidationError, match="frozen"):
        wheel.spokes = 4  # type: ignore[misc]
    assert wheel == Wheel(spokes=3)


def test_nearest_and_pick() -> None:
    assert nearest("valance", ["arousal", "valence"]) == "did you mean 'valence'?"
    assert nearest("x", ["b", "a"]) == "known: a, b"
    assert nearest("x", []) == "known: none"
    assert pick({"a": 1}, "a", "letter") == 1
    with pytest.raises(Misuse, match=r"no letter is called 'aa'; did you mean 'a'\?"):
        pick({"a": 1}, "aa", "letter")


def test_yaml_is_read_or_refused(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("a: [1, ü]\n", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("a: [1\n", encoding="utf-8")
    assert read_yaml(tmp_path / "good.yaml") == {"a": [1, "ü"]}
    with pytest.raises(Misuse, match=r"bad\.yaml is not valid YAML"):
        read_yaml(tmp_path / "bad.yaml")
    with pytest.raises(Misuse, match=r"none\.yaml is not there"):
        read_yaml(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"kind": "scalar"}, "a scalar target declares its range"),
        ({"kind": "class"}, "a class target declares its classes"),
        ({"kind": "vector", "range": [0, 1]}, "a vector target declares its dimension"),
        ({"kind": "scalar", "range": [0, 1], "classes": ["a", "b"]}, "nothing else"),
        ({"kind": "scalar", "range": [1, 1]}, "range is [lowest, highest]"),
        ({"kind": "class", "classes": ["a"]}, "at least two different names"),
        ({"kind": "class", "classes": ["a", "b", "a"]}, "at least two different names"),
        ({"kind": "vector", "dimension": 0}, "greater than 0"),
    ],
)
def test_a_target_declares_what_its_kind_needs(target: dict[str, Any], told: str) -> None:
    assert told in complaint(Target, target)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"zone": "Europe/Berlinn"}, "zone: "),
        ({"group": "users"}, "group 'users' is none of the declared columns"),
        ({"columns": {"y": "float", "weight": "float"}}, "declared twice: weight, y"),
        ({"columns": {"length": "number"}}, "columns.length: "),
        ({"targets": {"y": {"kind": "scalar", "rang": [0, 1]}}}, "targets.y.rang: unknown key; did you mean 'range'?"),
        ({"files": {"a.csv": {"path": "a.csv", "sha256": "f00"}}}, "files.a.csv.sha256: "),
    ],
)
def test_a_contract_is_whole(changes: dict[str, Any], told: str) -> None:
    assert told in complaint(SourceContract, changed(CONTRACT, **changes))


def test_a_contract_names_its_columns_once_in_order_and_says_what_is_absent() -> None:
    contract = parse(SourceContract, changed(CONTRACT, text=["text"], columns={"length": "int"}), "toy.yaml")
    names = list(contract.column_types())
    assert names[-4:] == ["user_id", "text", "y", "length"]
    assert names == list(contract.column_types())
    assert contract.absent(["length", "mood"]) == {"mood": "the source has no column 'mood'"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"register": {"cell": "meen"}}, "no cell is called ['meen']; cells: ['mean']"),
        ({"register": {"cel": "mean"}}, "register.cel: unknown key; did you mean 'cell'?"),
        ({"registre": {}}, "registre: unknown key; did you mean 'register'?"),
        ({"evaluate": {"baselines": ["meen"]}}, "no cell is called ['meen']"),
        ({"train": {"targets": ["y"], "cells": {"mean": {"famly": "mean"}}}}, "mean.famly: unknown key; did you mean 'family'?"),
        ({"train": {"targets": [], "cells": {}}}, "train.targets: "),
        ({"split": {"seed": 1, "folds": 1}}, "split.folds: "),
        ({"split": changed(SPLIT, strata=["row_id"])}, "cannot be balanced over folds"),
        ({"split": changed(SPLIT, test_future={"share": 0, "gap_days": 2})}, "needs a share"),
        ({"split": changed(SPLIT, test_groups={"share": 0.5}, test_future={"share": 0.4, "gap_days": 0})}, "a fifth"),
        ({"evaluate": {"slices": {"words": [160, 25]}}}, "the edges of words do not rise"),
        ({"evaluate": {"intervals": {"resample": 500}}}, "evaluate.intervals.resample: unknown key; did you mean 'resamples'?"),
        ({"evaluate": {"intervals": {"confidence": 1.0, "min_groups": 1}}}, "evaluate.intervals.confidence: "),
        ({"gates": None}, "gates: Input should be a valid dictionary"),
        ({"gates": {"min_group": 9}}, "'min_group' is neither an option nor the gate of a metric; did you mean 'min_groups'?"),
        ({"gates": {"rmse": {"better_bye": 0}}}, "gates.rmse.better_bye: unknown key; did you mean 'better_by'?"),
        ({"gates": {"rmse": {"better_by": float("nan")}}}, "gates.rmse.better_by: "),
        ({"gates": {"rmse": {}}}, "gates.rmse: a gate declares better_by, at_most or at_least"),
        ({"gates": {"rmse": {"at_most": 1, "confidence": 0.9}}}, "gates.rmse: confidence is that of better_by"),
        ({"gates": {"r": {"at_most": 0.1, "at_least": 0.2}}}, "gates.r: nothing is at least 0.2 and at most 0.1"),
        ({"gates": {"r": {"at_least": 0.2, "targets": ["z"]}}}, "gates.r.targets: 'z' is no target of train; known: y"),
        ({"gates": {"size_mb": {"at_most": 0}}}, "gates.size_mb.at_most: "),
        ({"gates": {"latency_ms": {"at_mst": 5}}}, "gates.latency_ms.at_mst: unknown key; did you mean 'at_most'?"),
        ({"gates": {"slices": {}}}, "gates: slices judges the metrics that have better_by, and none has"),
        ({"gates": {"stages": ["prod", "prod"]}}, "gates: a stage stands twice"),
        ({"gates": {"stages": ["pr od"]}}, "gates.stages.0: "),
    ],
)  # fmt: skip
def test_a_workload_section_is_whole(changes: dict[str, Any], told: str) -> None:
    assert told in complaint(WorkloadParams, changed(SECTION, **changes))


def test_a_workload_section_has_its_defaults() -> None:
    params = parse(WorkloadParams, SECTION, "params.yaml")
    assert params.split == SplitParams(seed=1, folds=3)
    assert params.split.test_groups.share == params.split.test_future.share == 0
    assert params.evaluate == EvaluateParams()
    assert params.train.seeds == (0,)
    assert params.source.chosen == {}
    assert (params.gates.stages, params.gates.min_groups, params.gates.metrics) == (("prod",), 20, {})


def test_a_key_of_gates_that_is_no_option_is_the_gate_of_a_metric() -> None:
    declared = {
        "stages": ["dev", "prod"],
        "rmse": {"better_by": 0},
        "coverage": {"at_least": 0.85},
        "slices": {"confidence": 0.9},
    }
    gates = parse(WorkloadParams, changed(SECTION, gates=declared), "params.yaml").gates
    assert gates.metrics == {"rmse": MetricGate(better_by=0.0), "coverage": MetricGate(at_least=0.85)}
    assert gates.metrics["rmse"].confidence == 0.95
    assert (gates.slices, gates.size_mb) == (SlicesGate(worse_by=0.0, confidence=0.9), None)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "feature_repo").mkdir()
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"workloads": ["toy"], "raw_root": "raw", "toy": SECTION}))
    folder = tmp_path / "pipelines" / "sources" / "toy"
    folder.mkdir(parents=True)
    (folder / "toy.yaml").write_text(yaml.safe_dump(CONTRACT))
    return tmp_path


def test_a_project_is_found_from_any_folder_in_it(project: Path) -> None:
    (project / "a" / "b").mkdir(parents=True)
    found = find_project(project / "a" / "b")
    assert found == find_project(project)
    work = found.workload("toy")
    assert work.params == parse(WorkloadParams, SECTION, "params.yaml")
    assert work.contract == parse(SourceContract, CONTRACT, "toy.yaml")
    assert work.data("rows", "rows.parquet") == project / "data" / "toy" / "rows" / "rows.parquet"
    assert work.quarantine_folder == project / "data" / "quarantine" / "toy"


def test_names_that_are_not_there_are_answered_with_the_nearest(project: Path) -> None:
    with pytest.raises(Misuse, match=r"no workload is called 'toi'; did you mean 'toy'\?"):
        find_project(project).workload("toi")
    text = (project / "params.yaml").read_text().replace("name: toy", "name: tooy")
    (project / "params.yaml").write_text(text)
    with pytest.raises(Misuse, match=r"toy has no source 'tooy'; did you mean 'toy'\?"):
        _ = find_project(project).workload("toy").contract


def test_a_workload_without_its_section_is_told_so(project: Path) -> None:
    (project / "params.yaml").write_text(yaml.safe_dump({"workloads": ["toy", "other"], "toy": SECTION}))
    with pytest.raises(Misuse, match="lists the workload 'other' but has no section of that name"):
        find_project(project).workload("other")
    assert find_project(project).workload("toy").name == "toy"


def test_unknown_keys_at_the_top_of_params_are_told_together_with_the_nearest(project: Path) -> None:
    params = {"workloads": ["toy"], "raw_rot": "raw", "toy": SECTION, "toyy": SECTION}
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(Misuse) as caught:
        find_project(project).workload("toy")
    told = str(caught.value)
    assert told.startswith("params.yaml has 2 error(s)\n")
    assert "  - raw_rot: unknown key; did you mean 'raw_root'?" in told
    assert "  - toyy: unknown key; did you mean 'toy'?" in told


def test_no_project_and_no_workloads_are_told(tmp_path: Path, project: Path) -> None:
    (project / "params.yaml").write_text("workloads: toy\n")
    with pytest.raises(Misuse, match="names no workloads"):
        find_project(project).workload("toy")
    (project / "params.yaml").unlink()
    with pytest.raises(Misuse, match="is not in a Watertight project"):
        find_project(project)


def test_raw_files_lie_where_the_environment_says(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATERTIGHT_RAW", raising=False)
    assert find_project(project).raw_root == project / "raw"
    monkeypatch.setenv("WATERTIGHT_RAW", str(project / "elsewhere"))
    assert find_project(project).raw_root == project / "elsewhere"
