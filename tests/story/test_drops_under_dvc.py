"""A drop under real git and DVC: it is let in by the command, rebuilt from by the graph, and pulled by another clone."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest
from project_copies import REPOSITORY, ProjectCopy, clone, environment, new_project, stages_run

from watertight.core.digests import file_digest

GUARDS = REPOSITORY / "tests" / "guards"
SPLIT = Path("data", "tiny", "split", "split.parquet")
MAKE = """
import sys; sys.path.insert(0, {guards!r})
from made_drops import LATER, file_of
file_of(LATER, __import__("pathlib").Path({to!r}))
"""


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """The tiny project, split; then a drop let in, committed and pushed to a remote that is a folder."""
    folder = tmp_path_factory.mktemp("drops")
    project = new_project(folder / "project", environment(folder), [GUARDS / "tiny"])
    project.dvc("remote", "add", "--default", "shelf", str(folder / "shelf"))
    project.dvc("repro", "split@tiny")
    project.commit("the first drop")
    drop = folder / "later.csv"
    project.run(sys.executable, "-c", MAKE.format(guards=str(GUARDS), to=str(drop)))
    told = watertight(project, "ingest", str(drop), "--workload", "tiny")
    assert "new: 10" in told
    return project


def watertight(project: ProjectCopy, *arguments: str) -> str:
    return project.run(sys.executable, "-c", "from watertight.cli import app; app()", *arguments)


def test_the_graph_takes_the_drop_in_and_another_clone_makes_the_same_of_it(received: ProjectCopy) -> None:
    assert received.git("status", "--porcelain", "--untracked-files=all").split() != []
    assert stages_run(received.dvc("repro", "split@tiny")) == ["ingest@tiny", "check@tiny", "split@tiny"]
    assert stages_run(received.dvc("repro", "split@tiny")) == []
    received.commit("another drop")
    received.dvc("push")
    assert received.git("status", "--porcelain") == "", "parts are ignored by git, and everything else is committed"

    other = clone(received, received.root.parent / "other")
    refused = other.run(sys.executable, "-m", "pipelines.ingest", "tiny", check=False)
    assert "its part is not there" in refused and "dvc" in refused
    other.dvc("pull", f"drops/tiny/{part(other)}")
    other.dvc("repro", "--force", "split@tiny")
    assert file_digest(other.root / SPLIT) == file_digest(received.root / SPLIT)
    assert other.git("status", "--porcelain") == "", "the same dvc.lock"


def part(project: ProjectCopy) -> str:
    [name] = [path.name for path in (project.root / "drops" / "tiny").glob("*.dvc")]
    return name


def test_an_experiment_in_a_folder_of_its_own_has_the_drop(received: ProjectCopy) -> None:
    told = received.dvc("exp", "run", "--temp", "--name", "reseeded", "-S", "tiny.split.seed=4", "split@tiny")
    assert "split@tiny" in stages_run(told)
    received.dvc("get", ".", SPLIT.as_posix(), "--rev", "reseeded", "--out", "reseeded.parquet")
    assert pl.read_parquet(received.root / "reseeded.parquet").height == 86
