"""A revision as it is in git: a commit, a branch, a tag or a DVC experiment, laid out in a folder of its own."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from dvc.repo.experiments.exceptions import AmbiguousExpRefInfo
from dvc.repo.experiments.refs import ExpRefInfo
from dvc.repo.experiments.utils import exp_refs, resolve_name
from dvc.scm import SCM

from watertight.core.declare import nearest, read_yaml
from watertight.core.errors import Misuse
from watertight.registry.records import LockedStage, Stored
from watertight.registry.repository import git, succeeds

TREES = "watertight-trees"
LOCK = ".lock"


@dataclass(frozen=True)
class Revision:
    """A commit, as 40 hexadecimal digits, and the name of the DVC experiment that it is, if it is one."""

    commit: str
    experiment: str = ""


def resolve(root: Path, name: str = "HEAD") -> Revision:
    """The commit that ``name`` stands for: what git knows by it, else the DVC experiment of that name.

    Raises Misuse with the nearest name where there is none, and where several experiments have it and none stands on HEAD.
    """
    known = {str(ref): ref for ref in exp_refs(SCM(str(root)))}
    if succeeds(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"):
        commit = git(root, "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
        pointing = git(root, "for-each-ref", f"--points-at={commit}", "--format=%(refname)", "refs/exps").split()
        return Revision(commit, next((known[ref].name for ref in pointing if ref in known), ""))
    found = _experiment(root, name)
    if found is None:
        branches = git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags").split()
        names = [*branches, *(ref.name for ref in known.values())]
        raise Misuse(
            f"no commit, branch or experiment is called {name!r}; {nearest(name, names)}",
            next_step="git branch --all, or dvc exp list --all-commits; dvc exp pull fetches those of others",
        )
    return Revision(git(root, "rev-parse", "--verify", f"{found}^{{commit}}"), found.name)


def _experiment(root: Path, name: str) -> ExpRefInfo | None:
    try:
        return resolve_name(SCM(str(root)), name)[name]
    except AmbiguousExpRefInfo as error:
        raise Misuse(
            f"several experiments are called {name!r}, and none of them stands on HEAD",
            next_step="dvc exp list --all-commits --sha, and name the commit",
        ) from error


@contextmanager
def checkout(root: Path, commit: str) -> Iterator[Path]:
    """The project as it is in a commit, in a folder of its own: a git worktree, detached, without any output of DVC.

    Nothing that is untracked or edited in ``root`` is in it. It is removed at the end; what a process that was killed left
    behind is removed by the next one. Raises Misuse with git's words where the commit cannot be laid out.
    """
    trees = Path(git(root, "rev-parse", "--path-format=absolute", "--git-common-dir")) / TREES
    trees.mkdir(exist_ok=True)
    folder, lock = _own_folder(root, trees)
    try:
        # A hook that DVC installs would check its outputs out as well.
        git(root, "-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", str(folder / "tree"), commit)
        yield folder / "tree" / git(root, "rev-parse", "--show-prefix")
    finally:
        _remove(root, folder)
        lock.close()


def _own_folder(root: Path, trees: Path) -> tuple[Path, TextIO]:
    """A new folder, and its lock, which says that its process lives; those of dead ones are removed first."""
    with (trees / LOCK).open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        for old in filter(Path.is_dir, trees.iterdir()):
            if _is_left(old):
                _remove(root, old)
        folder = Path(tempfile.mkdtemp(dir=trees))
        lock = (folder / LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


def _is_left(folder: Path) -> bool:
    """Whether nobody holds the folder's lock any more."""
    with (folder / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _remove(root: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    git(root, "worktree", "prune")


def stages_of(tree: Path, workload: str) -> dict[str, LockedStage]:
    """The workload's stages as the tree's ``dvc.lock`` binds them, by name without the workload; empty where there are none."""
    path = tree / "dvc.lock"
    stages = read_yaml(path).get("stages", {}) if path.is_file() else {}
    end = f"@{workload}"
    return {name.removesuffix(end): _locked(told) for name, told in stages.items() if name.endswith(end)}


def _locked(told: dict) -> LockedStage:
    return LockedStage(
        cmd=told["cmd"],
        deps={dep["path"]: dep.get("md5", "") for dep in told.get("deps", [])},
        params={name: value for values in told.get("params", {}).values() for name, value in values.items()},
        outs={out["path"]: Stored(md5=out["md5"], size=out["size"], nfiles=out.get("nfiles")) for out in told.get("outs", [])},
    )
