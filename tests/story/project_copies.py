"""Projects of one's own in temporary folders: the product's files with other workloads in them, under git and DVC."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
NOT_COPIED = ("tests/", "docs/", "benchmarks/", "models/", "dvc.lock")
SECONDS = 600


@dataclass(frozen=True)
class ProjectCopy:
    """A project at ``root``; commands run in it with ``environment``."""

    root: Path
    environment: dict[str, str] = field(repr=False)

    @property
    def log(self) -> Path:
        """What the command that was started last has printed: a file beside the project."""
        return self.root.with_suffix(".log")

    def run(self, *command: str, check: bool = True) -> str:
        """What a command printed on both streams; raises AssertionError with that where it failed."""
        done = self.ended(*command)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def ended(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command that has ended, with what it printed on both streams."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.run(command, cwd=self.root, env=self.environment, text=True, timeout=SECONDS, check=False, **streams)

    def start(self, *command: str, **extra: str) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own; its output goes to ``log``."""
        environment = {**self.environment, **extra}
        with self.log.open("w") as log:
            return subprocess.Popen(command, cwd=self.root, env=environment, stdout=log, stderr=log, start_new_session=True)

    def git(self, *arguments: str) -> str:
        """Run git; see ``run``."""
        return self.run("git", *arguments)

    def dvc(self, *arguments: str) -> str:
        """Run DVC; see ``run``."""
        return self.run(*dvc(*arguments))

    def commit(self, message: str) -> None:
        """Commit everything that git does not ignore."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def lock(self) -> dict[str, Any]:
        """The stages of ``dvc.lock``."""
        return yaml.safe_load((self.root / "dvc.lock").read_text(encoding="utf-8"))["stages"]

    def leftovers(self) -> list[str]:
        """Drafts and retired outputs, which nothing whole leaves behind."""
        found = [path for kind in ("draft", "retired") for path in self.root.rglob(f".*.{kind}")]
        return sorted(path.relative_to(self.root).as_posix() for path in found)


def dvc(*arguments: str) -> tuple[str, ...]:
    """The command line of DVC, run by this very Python."""
    return (sys.executable, "-m", "dvc", *arguments)


def stages_run(output: str) -> list[str]:
    """The names of the stages that DVC says it ran."""
    return re.findall(r"Running stage '([^']+)'", output)


def environment(folder: Path) -> dict[str, str]:
    """This environment, but with this Python first, and no settings of the user's for git and DVC."""
    person = {f"GIT_{role}_{what}": f"story@{what}".lower() for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    dropped = ("PYTHONPATH", "WATERTIGHT_RAW", "PWD")
    return {
        **{name: value for name, value in os.environ.items() if name not in dropped},
        **person,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(folder / "dvc-global"),
        "DVC_SYSTEM_CONFIG_DIR": str(folder / "dvc-system"),
        "DVC_SITE_CACHE_DIR": str(folder / "dvc-site"),
        "DVC_NO_ANALYTICS": "1",
        "OMP_NUM_THREADS": "1",
    }


def copy_product(to: Path) -> None:
    """The repository's product files, tracked and not yet tracked, without any output."""
    list_files = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(list_files, cwd=REPOSITORY, text=True, stdout=subprocess.PIPE, check=True).stdout
    for name in sorted(set(listed.split("\0"))):
        source = REPOSITORY / name
        if name and not name.startswith(NOT_COPIED) and source.is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, to / name)


def new_project(root: Path, environment: dict[str, str], declarations: Sequence[Path]) -> ProjectCopy:
    """A committed project of the product's files with ``declarations`` (folders of the same shape) laid over them."""
    root.mkdir(parents=True)
    copy_product(root)
    for folder in declarations:
        shutil.copytree(folder, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    project = ProjectCopy(root, environment)
    project.git("init", "--quiet", "--initial-branch", "main")
    if not (root / ".dvc" / "config").is_file():
        project.dvc("init", "--quiet")
        project.dvc("config", "core.analytics", "false")
    project.commit("the product with workloads of its own")
    return project


def clone(project: ProjectCopy, root: Path, **extra: str) -> ProjectCopy:
    """What git has of a project, in another folder: no output and no cache comes along."""
    project.git("clone", "--quiet", str(project.root), str(root))
    return ProjectCopy(root, {**project.environment, **extra})


def copy(project: ProjectCopy, root: Path) -> ProjectCopy:
    """The whole folder, with outputs and cache."""
    shutil.copytree(project.root, root, symlinks=True)
    return ProjectCopy(root, project.environment)
