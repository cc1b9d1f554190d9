"""Projects of the registry, made once; each test has a copy of its own, and an environment without the user's settings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.registry.registry_project import RegistryProject, filled, new_registry_project
from tests.registry.tiny_pipelines import bare_project, tiny_pipelines
from tests.story.project_copies import ProjectCopy, copy, environment


@pytest.fixture(scope="session")
def kept_project(tmp_path_factory: pytest.TempPathFactory) -> RegistryProject:
    return filled(new_registry_project(tmp_path_factory.mktemp("registry") / "project"))


@pytest.fixture
def project(kept_project: RegistryProject, tmp_path: Path) -> RegistryProject:
    """1.0.0, then 1.1.0, then 1.0.0 again in prod; everything is committed, every bundle on the remote."""
    shutil.copytree(kept_project.root, tmp_path / "project", symlinks=True)
    return RegistryProject(tmp_path / "project")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """The project that copies are made of; nothing writes to it."""
    folder = tmp_path_factory.mktemp("tiny")
    return tiny_pipelines(folder / "project", environment(folder))


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A project of git and DVC with nothing in it, for the same use."""
    folder = tmp_path_factory.mktemp("bare")
    return bare_project(folder / "project", environment(folder))


@pytest.fixture
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a story's commands run with, for this process too."""
    settings = environment(tmp_path)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings


@pytest.fixture
def pipelines(built: ProjectCopy, tmp_path: Path, own_environment: dict[str, str]) -> ProjectCopy:
    """The built project, with its cache."""
    return ProjectCopy(copy(built, tmp_path / "project").root, own_environment)


@pytest.fixture
def bare(initialised: ProjectCopy, tmp_path: Path, own_environment: dict[str, str]) -> ProjectCopy:
    """A project of git and DVC with nothing in it."""
    return ProjectCopy(copy(initialised, tmp_path / "project").root, own_environment)
