"""Two toy workloads as real projects under git and DVC, built once for all stories."""

from __future__ import annotations

from pathlib import Path

import pytest
from project_copies import REPOSITORY, ProjectCopy, clone, copy, dvc, environment, new_project

TOYS = REPOSITORY / "tests" / "toys"


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """Both toys, committed, nothing built yet."""
    folder = tmp_path_factory.mktemp("toys")
    return new_project(folder / "project", environment(folder), [TOYS])


@pytest.fixture(scope="session")
def built_twice(toys: ProjectCopy, tmp_path_factory: pytest.TempPathFactory) -> tuple[ProjectCopy, ProjectCopy]:
    """Both toys after ``dvc repro``, in two folders side by side, the second with a cold embedding cache."""
    folder = tmp_path_factory.mktemp("built")
    cold = clone(toys, folder / "cold", WATERTIGHT_CACHE=str(folder / "cache"), DVC_SITE_CACHE_DIR=str(folder / "dvc-site"))
    pair = clone(toys, folder / "project"), cold
    for process in [project.start(*dvc("repro")) for project in pair]:
        assert process.wait() == 0, "\n".join(project.root.with_suffix(".log").read_text() for project in pair)
    return pair


@pytest.fixture(scope="session")
def built(built_twice: tuple[ProjectCopy, ProjectCopy]) -> ProjectCopy:
    """Both toys after ``dvc repro``; not to be changed, except that a test may commit ``dvc.lock``."""
    return built_twice[0]


@pytest.fixture
def bench(built: ProjectCopy, tmp_path: Path) -> ProjectCopy:
    """A copy of the built toys to try things on, with everything committed."""
    project = copy(built, tmp_path / "project")
    if project.git("status", "--porcelain"):
        project.commit("built")
    return project
