"""A small workload whose models are promoted: made under real git and DVC, its commands, and what they leave behind."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import polars as pl
import pytest
import yaml
from project_copies import REPOSITORY, ProjectCopy, environment, new_project

from pipelines.promotion.promote import Asked, NotPromoted, promote
from watertight.core.project import Project

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
    "shrunk": {"family": "linear", "views": ["toy_pair_a"], "options": {"strength": 100}},
    "linear": {"family": "linear", "views": "all"},
}
PREDICT = """
import sys, polars, watertight
rows = polars.read_parquet(sys.argv[1])
selector = sys.argv[3]
loaded = watertight.load(selector) if "/" in selector else watertight.load("toy_pair", stage=selector)
loaded.predict(rows).write_parquet(sys.argv[2])
"""


def begun(folder: Path) -> ProjectCopy:
    """One workload, whose remote is a folder, and the weaker of two models registered, committed and pushed."""
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


def looks(project: ProjectCopy) -> list[str]:
    return sorted(path.name for path in (project.root / "models" / MODEL / "looks").glob("*.json"))


def predictions(project: ProjectCopy, selector: str, rows: Path) -> pl.DataFrame:
    to = project.root.parent / "predictions.parquet"
    project.run(sys.executable, "-c", PREDICT, str(rows), str(to), selector)
    return pl.read_parquet(to)


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


def asked(project: ProjectCopy, *, rev: str = "HEAD", to: str = "prod", reason: str = "", push: bool = False) -> dict[str, Any]:
    """What ``watertight promote`` answers, asked in this process."""
    return promote(Project(project.root), Asked(MODEL, to, rev, reason, push=push))


def reasons(project: ProjectCopy, **wanted: str) -> dict[str, str]:
    """Why a candidate is not promoted, by gate; nothing is recorded then but, perhaps, a look."""
    before = recorded(project)
    with pytest.raises(NotPromoted) as caught:
        asked(project, **wanted)
    assert recorded(project) == before, "a refusal records nothing"
    gates = caught.value.answer["gates"]
    assert isinstance(gates, list)
    return {gate["gate"]: gate["told"] for gate in gates if gate["status"] != "pass"}


def forged(project: ProjectCopy, place: str, change: Any) -> None:
    """Change a JSON output of a stage, and make DVC and git believe that it always was so."""
    path = project.root / place
    told = json.loads(path.read_text(encoding="utf-8"))
    change(told)
    path.chmod(0o644)
    path.write_text(json.dumps(told), encoding="utf-8")
    believed(project)


def believed(project: ProjectCopy) -> None:
    """Whatever stands in the tree is what the stages made and read, says ``dvc.lock``; all committed and pushed."""
    project.dvc("commit", "--quiet", "--force", f"register@{MODEL}", "--with-deps")
    project.commit("as if it had always been so")
    project.dvc("push", "--quiet")


def more(to: Path) -> Path:
    """Another drop of the same kind: forty prompts that nobody knew, in the source's own format."""
    source = REPOSITORY / "tests" / "toys" / "pipelines" / "sources" / MODEL / "simulated.py"
    rows: pl.DataFrame = runpy.run_path(str(source))["simulate"](seed=9, prompts=44)
    ids = [pl.concat_str(pl.lit("new-"), name).alias(name) for name in ("row_id", "prompt_id", "answer_a", "answer_b")]
    rows.filter(pl.col("preferred").is_not_null()).with_columns(ids).write_csv(to)
    return to
