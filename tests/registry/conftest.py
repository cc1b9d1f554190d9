"""A registry with two promotions and a rollback in it, made once and copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.registry.registry_project import RegistryProject, filled, new_registry_project


@pytest.fixture(scope="session")
def kept_project(tmp_path_factory: pytest.TempPathFactory) -> RegistryProject:
    return filled(new_registry_project(tmp_path_factory.mktemp("registry") / "project"))


@pytest.fixture
def project(kept_project: RegistryProject, tmp_path: Path) -> RegistryProject:
    """1.0.0, then 1.1.0, then 1.0.0 again in prod; everything is committed, every bundle on the remote."""
    shutil.copytree(kept_project.root, tmp_path / "project", symlinks=True)
    return RegistryProject(tmp_path / "project")
