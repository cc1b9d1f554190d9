"""What the registry asks of git: whether the tree is clean, who works here, and a commit of exactly these files."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from watertight.core.errors import Misuse, Refusal

# Set by git while it runs a hook; they would send every command to that hook's repository.
OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
FILES_TOLD = 5


def git(root: Path, *arguments: str, **environment: str) -> str:
    """What a git command printed, run in ``root``, without the line's end; raises Misuse with git's own words if it failed."""
    done = _ended(root, *arguments, **environment)
    if done.returncode:
        raise Misuse(f"git {arguments[0]}: {(done.stderr or done.stdout).strip()}", expected=f"a git repository around {root}")
    return done.stdout.rstrip("\n")


def succeeds(root: Path, *arguments: str) -> bool:
    """Whether a git command that only asks answers yes."""
    return _ended(root, *arguments).returncode == 0


def head(root: Path) -> str:
    """The commit that is checked out, as 40 hexadecimal digits; raises Misuse where nothing is committed yet."""
    return git(root, "rev-parse", "--verify", "HEAD^{commit}")


def in_commit(root: Path, commit: str, place: str) -> str:
    """What git has at a place below ``root`` in a commit, a file or a folder, by its object's id; empty where nothing is."""
    named = f"{commit}:./{place}"
    return git(root, "rev-parse", "--verify", named) if succeeds(root, "cat-file", "-e", named) else ""


def shallow(root: Path) -> bool:
    """Whether older commits are absent, as in ``git clone --depth 1``."""
    return git(root, "rev-parse", "--is-shallow-repository") == "true"


def person(root: Path) -> str:
    """Who would commit, as ``Name <mail>``; raises Misuse where git does not know."""
    done = _ended(root, "var", "GIT_AUTHOR_IDENT")
    if done.returncode:
        raise Misuse(
            f"git does not know who works here: {done.stderr.strip().splitlines()[-1]}",
            expected="user.name and user.email among git's settings",
            next_step="git config --global user.name NAME && git config --global user.email MAIL",
        )
    name, _, _ = done.stdout.rpartition("> ")
    return f"{name}>"


def demand_branch(root: Path) -> None:
    """Raise Refusal where HEAD is detached: a commit made there is lost with the next ``git switch``, and pushed by nobody."""
    if not succeeds(root, "symbolic-ref", "--quiet", "HEAD"):
        raise Refusal(
            "HEAD is on no branch, so the commit would be on none",
            expected="a branch to commit to",
            next_step="git switch BRANCH",
        )


def unclean(root: Path) -> list[str]:
    """Every file below ``root`` that is edited, staged, deleted or not tracked, by its path from there, but what git ignores."""
    prefix = git(root, "rev-parse", "--show-prefix")
    told = git(root, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--", ".")
    return sorted(line[3:].removeprefix(prefix) for line in told.split("\0") if line)


def demand_clean(root: Path, but: re.Pattern[str] | None = None) -> None:
    """Raise Refusal, with the files, unless all that is below ``root`` is as committed; files that are named ``but`` may not."""
    files = [name for name in unclean(root) if not (but and but.fullmatch(name))]
    if files:
        more = f" and {len(files) - FILES_TOLD} more" if len(files) > FILES_TOLD else ""
        raise Refusal(
            f"the working tree is not what is committed: {', '.join(files[:FILES_TOLD])}{more}",
            expected="every file committed, or ignored by git",
            next_step="git add and git commit, or git stash --include-untracked",
        )


def commit(root: Path, paths: Sequence[Path], message: str) -> str:
    """Commit these files as they are on disk, and nothing else that is staged or edited; the new commit.

    Raises Refusal with git's own words where it does not commit (a hook, no name, nothing new); the index is then as before.
    """
    names = [path.resolve().relative_to(root.resolve()).as_posix() for path in paths]
    new = [name for name in names if not succeeds(root, "ls-files", "--error-unmatch", "--", name)]
    if new:
        git(root, "add", "--", *new)
    done = _ended(root, "commit", "--quiet", "--only", "--message", message, "--", *names)
    if done.returncode:
        if new:
            git(root, "rm", "--quiet", "--cached", "--", *new)
        raise Refusal(
            f"git did not commit: {(done.stderr or done.stdout).strip()}",
            expected=f"a commit of {', '.join(names)}",
            next_step="mend what git, or its hook, asks for; then run the command again",
        )
    return head(root)


def _ended(root: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in OF_A_HOOK} | extra
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
