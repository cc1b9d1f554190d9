"""Promotion under real git and DVC: fitted, promoted, refused, replaced, rolled back, and pulled by somebody else."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import polars as pl
import pytest
import yaml
from project_copies import REPOSITORY, ProjectCopy, copy, environment, new_project

MODEL = "toy_pair"
TRAINING_SET = Path("data", MODEL, "training_set", "training_set.parquet")
GATES = {
    "stages": ["staging", "prod"],
    "log_loss": {"better_by": 0.0, "confidence": 0.95},
    "latency_ms": {"at_most": 1000},
    "size_mb": {"at_most": 10},
    "slices": {},
}
CELLS = {
    "mean": {"family": "mean"},
    "one_side": {"family": "linear", "views": ["toy_pair_a"]},
    "shrunk": {"family": "linear", "views": ["toy_pair_a"], "options": {"strength": 3000}},
    "linear": {"family": "linear", "views": "all"},
}
PREDICT = """
import sys, polars, watertight
rows = polars.read_parquet(sys.argv[1])
selector = sys.argv[3]
loaded = watertight.load(selector) if "/" in selector else watertight.load("toy_pair", stage=selector)
loaded.predict(rows).write_parquet(sys.argv[2])
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """One workload, whose remote is a folder, and the weaker of two models registered, committed and pushed."""
    folder = tmp_path_factory.mktemp("promotion")
    project = new_project(folder / "project", environment(folder), [REPOSITORY / "tests" / "toys"])
    declared = params(project)
    section = declared[MODEL]
    section["source"]["options"]["simulated"]["prompts"] = 260
    section["split"]["test_groups"]["share"] = 0.4
    section["train"] |= {"cells": CELLS, "families": {}}
    section |= {"register": {"cell": "one_side"}, "gates": GATES}
    write(project, {"raw_root": declared["raw_root"], "workloads": [MODEL], MODEL: section})
    project.dvc("remote", "add", "--force", "--default", "shelf", str(folder / "shelf"))
    made(project, "one side of a pair")
    return project


def params(project: ProjectCopy) -> dict[str, Any]:
    return yaml.safe_load((project.root / "params.yaml").read_text(encoding="utf-8"))


def write(project: ProjectCopy, declared: dict[str, Any]) -> None:
    (project.root / "params.yaml").write_text(yaml.safe_dump(declared, sort_keys=False), encoding="utf-8")


def registering(project: ProjectCopy, cell: str, **gates: Any) -> None:
    declared = params(project)
    declared[MODEL] |= {"register": {"cell": cell}, "gates": declared[MODEL]["gates"] | gates}
    write(project, declared)


def made(project: ProjectCopy, message: str, *, push: bool = True) -> None:
    project.dvc("repro", f"register@{MODEL}")
    project.commit(message)
    if push:
        project.dvc("push")


def watertight(project: ProjectCopy, *arguments: str) -> CompletedProcess[str]:
    return project.ended(sys.executable, "-c", "from watertight.cli import app; app()", *arguments)


def answered(project: ProjectCopy, *arguments: str) -> Any:
    done = watertight(project, *arguments, "--json")
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout.splitlines()[-1])


def refused(project: ProjectCopy, *arguments: str, code: int = 1) -> str:
    """What a command that must refuse said; it leaves no version, event or stray file behind."""
    before = recorded(project)
    done = watertight(project, *arguments)
    assert done.returncode == code, done.stdout
    assert recorded(project) == before, "a refusal records nothing"
    return done.stdout


def recorded(project: ProjectCopy) -> list[str]:
    folder = project.root / "models" / MODEL
    return sorted(path.relative_to(folder).as_posix() for kind in ("versions", "events") for path in folder.glob(f"{kind}/*"))


def predictions(project: ProjectCopy, selector: str, rows: Path) -> pl.DataFrame:
    to = project.root.parent / "predictions.parquet"
    project.run(sys.executable, "-c", PREDICT, str(rows), str(to), selector)
    return pl.read_parquet(to)


def test_from_the_first_version_to_a_rollback(story: ProjectCopy) -> None:
    project, rows = copy(story, story.root.parent / "told"), story.root / TRAINING_SET
    first = answered(project, "promote", MODEL)
    assert (first["version"], first["stage"], first["champion"]) == ("1.0.0", "prod", "cell mean")
    assert project.git("status", "--porcelain") == "", "one commit holds version, event and look"
    theirs = predictions(project, "prod", rows)

    registering(project, "shrunk")
    made(project, "a worse model")
    told = refused(project, "promote", MODEL)
    assert "log_loss preferred (fail)" in told and "beside 1.0.0" in told
    [figure] = [gate for gate in declined(project) if gate["gate"] == "log_loss"]
    assert figure["figure"] > 0 and figure["low"] is not None and figure["row_set"]

    registering(project, "linear")
    made(project, "both sides of a pair")
    second = answered(project, "promote", MODEL)
    assert (second["version"], second["champion"]) == ("1.1.0", "1.0.0")
    assert any("toy_pair_b" in reason or "cell" in reason for reason in second["because"])
    assert not predictions(project, "prod", rows).equals(theirs)

    history = watertight(project, "history", MODEL).stdout
    assert "1.0.0" in history and "1.1.0" in history and "[" in history, "each with its interval"

    answered(project, "rollback", MODEL, "--reason", "the callers were not ready")
    assert predictions(project, "prod", rows).equals(theirs), "1.0.0's very predictions"
    assert "the callers were not ready" in watertight(project, "history", MODEL).stdout
    assert answered(project, "verify") is not None

    other = shallow(project)
    assert predictions(other, "prod", rows).equals(theirs)
    pulled = other.root.parent / "pulled"
    answered(other, "pull", f"{MODEL}#prod", "--to", str(pulled))
    assert predictions(other, str(pulled), rows).equals(theirs)


def declined(project: ProjectCopy) -> list[dict[str, Any]]:
    """The gates that refused, as a machine is told."""
    done = watertight(project, "promote", MODEL, "--json")
    assert done.returncode == 1
    answer = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    return [gate for gate in answer["gates"] if gate["status"] != "pass"]


def shallow(project: ProjectCopy) -> ProjectCopy:
    """Somebody else's clone of the last commit alone, with an empty cache."""
    root = project.root.parent / "shallow"
    project.git("clone", "--quiet", "--depth", "1", f"file://{project.root}", str(root))
    return ProjectCopy(root, {**project.environment, "WATERTIGHT_CACHE": str(root.parent / "other-cache")})
