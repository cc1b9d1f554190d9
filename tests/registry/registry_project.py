"""A project that is nothing but a registry: real git, real DVC with a remote in the folder, bundles of a few bytes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.registry.made_records import BY, add_version, at_hour, made_evidence, made_stages, promoted
from watertight.core.digests import json_digest
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
            fit = f"{version} at {hours}"
            stages, bundle = made_stages(model, fit), self.kept("card.md", f"# {model} {version}, the card\n")
            training_set = {f"data/{model}/training_set": self.kept("rows", f"the rows of {model}\n")}
            stages["join"] = stages["join"].model_copy(update={"outs": training_set})
            add_version(registry, version, fit=fit, bundle=bundle, stages=stages, revision=head(self.root))
            paths.append(registry.place_of(version))
        look = self.look(registry, version)
        held = registry.holders().get(stage)
        event.setdefault("evidence", made_evidence(held.version if held else "cell mean", look=look.stem))
        paths += [look, promoted(registry, version, hours, stage, **event)]
        commit(self.root, paths, f"promote {model} {version} to {stage}")

    def look(self, registry: Registry, version: str) -> Path:
        """The look that a version was promoted by, its answers on the remote."""
        answers = self.kept("predictions", f"what {registry.model} {version} answered\n")
        told = {"bundle": registry.version(version).manifest, "figures": [], "predictions": answers.model_dump(mode="json")}
        place = registry.folder / "looks" / f"{json_digest(told)[:16]}.json"
        place.parent.mkdir(exist_ok=True)
        place.write_text(json.dumps(told))
        return place

    def kept(self, name: str, text: str) -> Stored:
        """A folder with one file, on the remote; what it was made of is gone."""
        folder = self.root / "made"
        folder.mkdir()
        (folder / name).write_text(text)
        objects = Objects(self.root)
        stored = objects.keep(folder)
        objects.push(stored)
        (folder / name).unlink()
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
