"""A misspelt name in params.yaml is an error; a name of another source is left out, and the stage says so."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tiny_project import TinyProject

from watertight.core.errors import Misuse
from watertight.evaluation.known_metrics import demand_known_metrics


def _declare(project: TinyProject, *path: str, value: Any) -> None:
    file = project.root / "params.yaml"
    params = yaml.safe_load(file.read_text(encoding="utf-8"))
    place = params["tiny"]
    for name in path[:-1]:
        place = place.setdefault(name, {})
    place[path[-1]] = value
    file.write_text(yaml.safe_dump(params), encoding="utf-8")


def _other_source(project: TinyProject) -> None:
    """A second source of the workload, with one target and one column more."""
    folder = project.root / "pipelines" / "sources" / "tiny"
    contract = yaml.safe_load((folder / "made.yaml").read_text(encoding="utf-8"))
    contract["targets"]["trust"] = {"kind": "scalar", "range": [0, 1]}
    contract["columns"] = {"language": "string"}
    (folder / "other.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")


@pytest.mark.parametrize("stage", ["split", "train", "evaluate"])
@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("train", "targets"), ["mood", "enrgy"], "train.targets: 'enrgy'; did you mean 'energy'?"),
        (("train", "cells", "mean", "targets"), ["moood"], "train.cells.mean.targets: 'moood'; did you mean 'mood'?"),
        (("split", "strata"), ["langauge"], "split.strata: 'langauge'; did you mean 'language'?"),
        (("evaluate", "slices"), {"langauge": []}, "evaluate.slices: 'langauge'; did you mean 'language'?"),
    ],
)
def test_a_misspelt_name_is_misuse_with_the_nearest_name(
    project: TinyProject, stage: str, path: tuple[str, ...], value: Any, told: str
) -> None:
    _other_source(project)
    _declare(project, *path, value=value)
    with pytest.raises(Misuse) as caught:
        project.execute(stage)
    assert told in caught.value.what


def test_options_of_a_family_that_no_cell_uses_are_an_error(project: TinyProject) -> None:
    _declare(project, "train", "families", value={"linaer": {"penalty": 1.0}})
    with pytest.raises(Misuse, match=r"no cell uses: 'linaer' .did you mean 'linear'"):
        _ = project.work


def test_what_only_another_source_has_is_left_out_and_told(project: TinyProject, capsys: pytest.CaptureFixture[str]) -> None:
    _other_source(project)
    _declare(project, "train", "targets", value=["mood", "trust"])
    _declare(project, "split", "strata", value=["language"])
    _declare(project, "evaluate", "slices", value={"language": [], "tiny_now__history": [1], "fold": []})
    project.execute("split", "join", "guard", "train", "evaluate")
    told = capsys.readouterr().out.splitlines()
    assert "tiny · split: strata left out: language (the source has no column 'language')" in told
    assert "tiny · train: targets left out: trust (the source has no target 'trust')" in told
    assert "tiny · evaluate: slices left out: language (the source has no column 'language')" in told


@pytest.mark.parametrize(
    ("reads", "told"),
    [
        ({"views": ["tiny_nwo"]}, "view 'tiny_nwo' \\(did you mean 'tiny_now'"),
        ({"columns": ["tiny_now__histroy"]}, "feature 'tiny_now__histroy' \\(did you mean 'tiny_now__history'"),
        ({"texts": ["txt"]}, "train.cells.past.texts: 'txt'; did you mean 'text'"),
    ],
)
def test_what_a_cell_reads_must_be_there(project: TinyProject, reads: dict[str, Any], told: str) -> None:
    _declare(project, "train", "cells", "past", value={"family": "linear", **reads})
    with pytest.raises(Misuse, match=told):
        project.execute("train")


@pytest.mark.parametrize(
    ("gates", "told"),
    [
        ({"rmsee": {"at_most": 1.0}}, "gates.rmsee: no metric of mood, energy; did you mean 'rmse'?"),
        ({"latency": {"at_most": 50.0}}, "gates.latency: no metric of mood, energy; did you mean 'latency_ms'?"),
        ({"log_loss": {"at_most": 1.0}}, "gates.log_loss: no metric of mood, energy; known: "),
        ({"coverage": {"better_by": 0.0}}, "gates.coverage.better_by: neither lower nor higher is better"),
    ],
)
def test_the_gate_of_a_metric_that_no_target_has_is_misuse(project: TinyProject, gates: dict[str, Any], told: str) -> None:
    _declare(project, "gates", value={"rmse": {"better_by": 0.0}, "coverage": {"at_least": 0.8}})
    demand_known_metrics(project.work)
    _declare(project, "gates", value=gates)
    with pytest.raises(Misuse) as caught:
        demand_known_metrics(project.work)
    assert told in caught.value.what


@pytest.mark.parametrize(
    ("gates", "told"),
    [
        ({"mrr": {"better_by": 0.0}, "mrr_at_100": {"better_by": 0.0}, "recall_1_joint_transductive": {"at_least": 0.1}}, ""),
        ({"median_rank": {"at_most": 9.0}, "gallery": {"at_least": 2.0}}, ""),
        ({"mrr_at_1000": {"at_least": 0.1}}, "gates.mrr_at_1000: no metric of image; did you mean 'mrr_at_100'?"),
        ({"mrr_joint": {"at_least": 0.1}}, "gates.mrr_joint: no metric of image"),
        ({"mrr_csls": {"better_by": 0.0}}, "gates.mrr_csls: a promotion has no queries of its own"),
        ({"median_rank": {"better_by": 0.0}}, "gates.median_rank.better_by: no test of a difference holds for it"),
        ({"gallery": {"better_by": 0.0}}, "gates.gallery.better_by: neither lower nor higher is better"),
    ],
)
def test_gates_of_ranks_name_declared_galleries_and_corrections(project: TinyProject, gates: dict[str, Any], told: str) -> None:
    file = project.root / "pipelines" / "sources" / "tiny" / "made.yaml"
    contract = yaml.safe_load(file.read_text(encoding="utf-8"))
    contract["targets"]["image"] = {"kind": "vector", "dimension": 3}
    file.write_text(yaml.safe_dump(contract), encoding="utf-8")
    _declare(project, "train", "targets", value=["image"])
    _declare(project, "evaluate", "galleries", value=[100])
    joint = {"method": "csls", "bank": "transductive"}
    _declare(project, "evaluate", "corrections", value={"joint": joint, "csls": {**joint, "bank": "inductive"}})
    _declare(project, "gates", value=gates)
    if not told:
        demand_known_metrics(project.work)
        return
    with pytest.raises(Misuse) as caught:
        demand_known_metrics(project.work)
    assert told in caught.value.what


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"galleries": [1]}, "greater than or equal to 2"),
        ({"galleries": [9, 9]}, "a size of galleries stands twice"),
        ({"corrections": {"at_9": {"method": "csls", "bank": "inductive"}}}, "put into a metric's name by what they say"),
        ({"corrections": {"csls_transductive": {"method": "csls", "bank": "inductive"}}}, "put into a metric's name"),
        ({"corrections": {"csls": {"method": "csls"}}}, "bank"),
        ({"corrections": {"csls": {"method": "csls", "bank": "inductive", "sharpness": 3}}}, "sharpness"),
        ({"corrections": {"hubs": {"method": "clss", "bank": "inductive"}}}, "clss"),
    ],
)
def test_galleries_and_corrections_that_say_nothing_are_misuse(project: TinyProject, declared: dict[str, Any], told: str) -> None:
    _declare(project, "evaluate", value=declared)
    with pytest.raises(Misuse, match=told):
        _ = project.work


def test_a_gate_of_a_target_of_another_kind_is_misuse(project: TinyProject) -> None:
    _other_source(project)
    file = project.root / "pipelines" / "sources" / "tiny" / "other.yaml"
    contract = yaml.safe_load(file.read_text(encoding="utf-8"))
    contract["targets"]["trust"] = {"kind": "class", "classes": ["no", "yes"]}
    file.write_text(yaml.safe_dump(contract), encoding="utf-8")
    _declare(project, "train", "targets", value=["mood", "trust"])
    _declare(project, "gates", value={"rmse": {"at_most": 9.0}, "log_loss": {"at_most": 9.0, "targets": ["trust"]}})
    demand_known_metrics(project.work)
    _declare(project, "gates", value={"rmse": {"at_most": 9.0, "targets": ["mood", "trust"]}})
    with pytest.raises(Misuse, match="trust of kind class has no such metric"):
        demand_known_metrics(project.work)
