"""Two toy workloads as real projects under git and DVC, built once for all stories."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from deaths import DEATHS, Death, killed
from project_copies import REPOSITORY, ProjectCopy, clone, copy, dvc, environment, new_project

TOYS = REPOSITORY / "tests" / "toys"


class Builds(NamedTuple):
    """The toys as built in one go, and in another folder by builds that were killed."""

    built: ProjectCopy
    cold: ProjectCopy
    deaths: dict[str, Death]


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """Both toys, committed, nothing built yet."""
    folder = tmp_path_factory.mktemp("toys")
    return new_project(folder / "project", environment(folder), [TOYS])


@pytest.fixture(scope="session")
def builds(toys: ProjectCopy, tmp_path_factory: pytest.TempPathFactory) -> Builds:
    """Both toys built twice, side by side."""
    folder = tmp_path_factory.mktemp("builds")
    built = clone(toys, folder / "project")
    cold = clone(toys, folder / "cold", WATERTIGHT_CACHE=str(folder / "cache"), DVC_SITE_CACHE_DIR=str(folder / "dvc-site"))
    undisturbed = built.start(*dvc("repro"))
    deaths = {stage: killed(cold, stage) for stage in DEATHS}
    cold.dvc("repro")
    assert undisturbed.wait() == 0, built.log.read_text()
    return Builds(built, cold, deaths)


@pytest.fixture(scope="session")
def built(builds: Builds) -> ProjectCopy:
    """Both toys after one ``dvc repro``; not to be changed, except that a test may commit ``dvc.lock``."""
    return builds.built


@pytest.fixture(scope="session")
def survivor(builds: Builds) -> ProjectCopy:
    """The same in another folder, with a cold embedding cache; the build was killed again and again. Not to be changed."""
    return builds.cold


@pytest.fixture(scope="session")
def deaths(builds: Builds) -> dict[str, Death]:
    """How the builds of ``survivor`` died, by stage."""
    return builds.deaths


@pytest.fixture
def bench(built: ProjectCopy, tmp_path: Path) -> ProjectCopy:
    """A copy of the built toys to try things on, with everything committed."""
    project = copy(built, tmp_path / "project")
    if project.git("status", "--porcelain"):
        project.commit("built")
    return project
