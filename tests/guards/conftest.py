from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import near_project
import pytest
from tiny_project import STAGES, TinyProject

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyProject]:
    """The tiny project, run from its source to its figures, once; nobody writes into it."""
    root = tmp_path_factory.mktemp("tiny") / "project"
    shutil.copytree(Path(__file__).parent / "tiny", root)
    shutil.copytree(
        ROOT / "pipelines", root / "pipelines", dirs_exist_ok=True, ignore=shutil.ignore_patterns("sources", "__pycache__")
    )
    shutil.copy(ROOT / "feature_repo" / "feature_store.yaml", root / "feature_repo")
    project = TinyProject(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        project.execute(*STAGES)
    yield project


@pytest.fixture
def project(built: TinyProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyProject:
    """A copy of the built project to tamper with; the working directory is its root."""
    root = tmp_path / "project"
    shutil.copytree(built.root, root)
    monkeypatch.chdir(root)
    return TinyProject(root)


@pytest.fixture(scope="session")
def built_near(built: TinyProject, tmp_path_factory: pytest.TempPathFactory) -> TinyProject:
    """The tiny project with two vectors a row, from its source to its online store; nobody writes into it."""
    project = near_project.lay_out(built, tmp_path_factory.mktemp("near") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)
        project.execute(*near_project.STAGES)
    return project


@pytest.fixture
def near(built_near: TinyProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyProject:
    """A copy of that to tamper with; the working directory is its root."""
    shutil.copytree(built_near.root, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return TinyProject(tmp_path / "project")


@pytest.fixture(scope="session")
def under_dvc(built: TinyProject, tmp_path_factory: pytest.TempPathFactory) -> TinyProject:
    """The built project in a git repository with DVC; nobody writes into it."""
    root = tmp_path_factory.mktemp("under-dvc") / "project"
    shutil.copytree(built.root, root)
    for command in (["git", "init", "--quiet"], [sys.executable, "-m", "dvc", "init", "--quiet"]):
        subprocess.run(command, cwd=root, check=True, env={**os.environ, "DVC_NO_ANALYTICS": "1"}, timeout=120)
    return TinyProject(root)


@pytest.fixture
def receiving(under_dvc: TinyProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyProject:
    """A copy of the built project under git and DVC that drops are brought to; the working directory is its root."""
    root = tmp_path / "project"
    shutil.copytree(under_dvc.root, root)
    monkeypatch.chdir(root)
    return TinyProject(root)
