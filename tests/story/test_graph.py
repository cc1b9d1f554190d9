"""The graph under real DVC: it builds, it rebuilds what changed and nothing else, and experiments can be compared."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
import yaml
from project_copies import REPOSITORY, ProjectCopy, stages_run

TOYS = ("toy_pair", "toy_vector")
ROUNDS = "toy_pair.train.families.lightgbm.rounds={}"
UP_TO_DATE = "Data and pipelines are up to date."


def _followers(lock: dict[str, Any], stage: str) -> set[str]:
    """The stage and every stage that reads, by whatever way, what it writes."""
    outs = {name: [out["path"] for out in entry["outs"]] for name, entry in lock.items()}
    deps = {name: [dep["path"] for dep in entry["deps"]] for name, entry in lock.items()}
    found, new = {stage}, {stage}
    while new:
        written = [path for name in new for path in outs[name]]
        new = {name for name, read in deps.items() if any(_within(path, out) for path in read for out in written)} - found
        found |= new
    return found


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _metrics(project: ProjectCopy) -> dict[str, Any]:
    return {toy: json.loads((project.root / "artifacts" / toy / "metrics.json").read_text()) for toy in TOYS}


def _experiments(project: ProjectCopy) -> dict[str, Any]:
    """Per name of an experiment (the workspace among them): its metrics and params by workload."""
    found = {}
    for line in json.loads(project.dvc("exp", "show", "--json")):
        found[line["name"] or line["rev"]] = line["data"]
        for experiment in line["experiments"] or []:
            found[experiment["name"]] = experiment["revs"][0]["data"]
    return found


def _rounds(shown: dict[str, Any]) -> int:
    return shown["params"]["params.yaml"]["data"]["toy_pair"]["train"]["families"]["lightgbm"]["rounds"]


def test_every_stage_of_both_toys_was_run_and_left_its_outputs(built: ProjectCopy) -> None:
    graph = yaml.safe_load((built.root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    lock = built.lock()
    assert set(lock) == {f"{stage}@{toy}" for stage, toy in product(graph, TOYS)}
    outs = [out["path"] for entry in lock.values() for out in entry["outs"]]
    assert [path for path in outs if not (built.root / path).exists()] == []
    assert built.leftovers() == []


def test_the_toys_learned_something_and_dvc_shows_it(built: ProjectCopy) -> None:
    shown = json.loads(built.dvc("metrics", "show", "--json"))[""]["data"]
    metrics = {toy: shown[f"artifacts/{toy}/metrics.json"]["data"] for toy in TOYS}
    assert metrics == _metrics(built)
    pair, vector = metrics["toy_pair"]["preferred"], metrics["toy_vector"]["image"]
    assert pair["log_loss"] < 0.6 * pair["mean_log_loss"]
    assert pair["accuracy"] > 0.8
    assert vector["mrr"] > 2 * vector["mean_mrr"], "one answer for all stands in the middle"
    assert vector["mrr_low"] < vector["mrr"] < vector["mrr_high"]
    assert vector["gallery"] > 10, "the images of a fold"
    assert vector["mrr"] < vector["mrr_at_10"] < 1
    assert {"rmse", "recall_10", "median_rank", "mrr_csls", "recall_1_csls", "mrr_joint_transductive"} <= set(vector)
    assert "mrr_at_1000" not in vector
    evaluated = json.loads((built.root / "artifacts/toy_vector/evaluate/evaluation.json").read_text())
    smallest = int(vector["gallery"])  # the mean of folds that differ by one at most
    assert evaluated["galleries_skipped"] == {"1000 of image": f"the part's own has {smallest}"}


def test_dvc_lock_is_all_that_a_build_gives_to_commit(built: ProjectCopy) -> None:
    assert built.git("status", "--porcelain", "--untracked-files=all") == "?? dvc.lock\n"
    built.commit("built")
    assert built.git("status", "--porcelain") == ""


def test_a_second_repro_runs_nothing(built: ProjectCopy) -> None:
    before = (built.root / "dvc.lock").read_bytes()
    output = built.dvc("repro")
    assert stages_run(output) == []
    assert UP_TO_DATE in output
    assert (built.root / "dvc.lock").read_bytes() == before


def test_a_cold_build_in_another_folder_gives_the_same_bytes(built: ProjectCopy, survivor: ProjectCopy) -> None:
    assert survivor.root != built.root
    assert survivor.lock() == built.lock()


def test_a_parameter_of_one_workloads_train_reruns_that_train_and_what_follows(bench: ProjectCopy) -> None:
    """As an experiment, which is shown beside the others with its parameters and figures."""
    before = _metrics(bench)
    output = bench.dvc("exp", "run", "--name", "short", "-S", ROUNDS.format(3))
    ran = stages_run(output)
    assert ran[0] == "train@toy_pair"
    assert set(ran) == _followers(bench.lock(), "train@toy_pair")
    assert {"evaluate@toy_pair", "register@toy_pair"} < set(ran)
    assert all(stage.endswith("@toy_pair") for stage in ran)
    after, shown = _metrics(bench), _experiments(bench)["short"]
    assert after["toy_vector"] == before["toy_vector"]
    assert after["toy_pair"]["preferred"]["row_set"] == before["toy_pair"]["preferred"]["row_set"]
    assert shown["metrics"]["artifacts/toy_pair/metrics.json"]["data"] == after["toy_pair"]
    assert _rounds(shown) == 3


def test_only_the_changed_stage_is_told_as_changed(bench: ProjectCopy) -> None:
    path = bench.root / "params.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("rounds: 20", "rounds: 25"), encoding="utf-8")
    assert set(json.loads(bench.dvc("status", "--json"))) == {"train@toy_pair"}


def test_an_experiment_beside_the_workspace_leaves_it_alone_and_sees_what_git_tracks(bench: ProjectCopy) -> None:
    """An untracked file is not carried into the temporary folder: what an experiment needs must be added to git."""
    (bench.root / "untracked.txt").write_text("not in git\n", encoding="utf-8")
    before = _metrics(bench), (bench.root / "params.yaml").read_bytes()
    bench.dvc("exp", "run", "--temp", "--name", "aside", "-S", ROUNDS.format(5))
    assert (_metrics(bench), (bench.root / "params.yaml").read_bytes()) == before
    assert bench.git("status", "--porcelain") == "?? untracked.txt\n"
    shown = _experiments(bench)["aside"]
    told = shown["metrics"]["artifacts/toy_pair/metrics.json"]["data"]["preferred"]
    assert _rounds(shown) == 5
    assert told["row_set"] == before[0]["toy_pair"]["preferred"]["row_set"]
    tracked = bench.git("ls-tree", "--name-only", shown["rev"]).splitlines()
    assert "params.yaml" in tracked
    assert "untracked.txt" not in tracked


@pytest.mark.parametrize("name", ["perception", "alignment", *TOYS])
def test_no_stage_and_no_part_of_the_library_names_a_workload(name: str) -> None:
    code = [*(REPOSITORY / "pipelines").glob("*.py"), *(REPOSITORY / "watertight").rglob("*.py")]
    assert [path.name for path in code if name in path.read_text(encoding="utf-8").lower()] == []
    graph = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))
    assert name not in str(graph["stages"])  # `artifacts` name them: DVC has no foreach there
