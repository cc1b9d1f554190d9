"""A project that is nothing but a registry: real git, real DVC with a remote in the folder, bundles of a few bytes."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.registry.made_records import BY, add_version, at_hour, promoted
from watertight.registry.history import Registry
from watertight.registry.objects import Objects
from watertight.registry.records import Stored
from watertight.registry.repository import commit, head
from watertight.registry.verified import Fault, verified


@dataclass(frozen=True)
class RegistryProject:
    """A project at ``root``; what is promoted in it is kept, pushed to the DVC remote and committed, as the command does."""

    root: Path

    def git(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, text=True, capture_output=True, check=False)
        assert done.returncode == 0 or not check, f"git {arguments}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def shell(self, commands: str) -> str:
        """Commands as a person would paste them."""
        done = subprocess.run(commands, cwd=self.root, shell=True, text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"{commands}: {done.stdout}{done.stderr}"
        return done.stdout

    def registry(self, model: str = "judge") -> Registry:
        return Registry(self.root, model)

    def promote(self, version: str, hours: float, stage: str = "prod", model: str = "judge", **event: Any) -> None:
        registry = self.registry(model)
        paths = []
        if version not in registry.versions():
            bundle = self.bundle(model, version)
            add_version(registry, version, fit=f"{version} at {hours}", bundle=bundle, revision=head(self.root))
            paths.append(registry.place_of(version))
        paths.append(promoted(registry, version, hours, stage, **event))
        commit(self.root, paths, f"promote {model} {version} to {stage}")

    def bundle(self, model: str, version: str) -> Stored:
        """A bundle with a card, on the remote; what it was made of is gone."""
        folder = self.root / "bundle"
        folder.mkdir()
        (folder / "card.md").write_text(f"# {model} {version}, the card\n")
        objects = Objects(self.root)
        stored = objects.keep(folder)
        objects.push(stored)
        (folder / "card.md").unlink()
        folder.rmdir()
        return stored

    def faults(self, model: str = "judge") -> list[Fault]:
        return verified(self.registry(model), Objects(self.root).missing)


def new_registry_project(root: Path) -> RegistryProject:
    """An empty project, committed."""
    (root / "feature_repo").mkdir(parents=True)
    (root / "feature_repo" / "feature_store.yaml").write_text("project: tiny\n")
    (root / "params.yaml").write_text("workloads: []\n")
    project = RegistryProject(root)
    project.git("init", "--quiet", "--initial-branch", "main")
    settle(project)
    project.shell("dvc init --quiet && dvc config core.analytics false && dvc remote add --quiet --default storage .dvc/remote")
    (root / ".dvc" / "config.local").unlink(missing_ok=True)
    (root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n/remote\n")
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "a project")
    return project


def settle(project: RegistryProject) -> None:
    """Who works here, and how git is to behave wherever the tests run."""
    settings = {"user.name": "Ada", "user.email": "ada@example.org", "commit.gpgsign": "false", "pull.rebase": "false"}
    for name, value in settings.items():
        project.git("config", name, value)


def filled(project: RegistryProject, versions: Sequence[str] = ("1.0.0", "1.1.0")) -> RegistryProject:
    """Versions promoted an hour apart, and the last one taken back."""
    for hours, version in enumerate(versions):
        project.promote(version, hours)
    path = project.registry().append("rollback", versions[-2], stage="prod", at=at_hour(len(versions)), by=BY, reason="slow")
    commit(project.root, [path], "roll judge prod back")
    return project
