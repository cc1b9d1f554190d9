from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

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
