from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.story.project_copies import ProjectCopy, clone
from watertight.core.errors import Misuse, Refusal
from watertight.registry.repository import commit, demand_branch, demand_clean, head, person, shallow, unclean


def test_every_file_that_is_not_as_committed_is_named_and_nothing_that_git_ignores(bare: ProjectCopy) -> None:
    root = bare.root
    for name in ("edited", "staged", "deleted", "renamed"):
        (root / name).write_text(name)
    bare.commit("files")
    assert unclean(root) == []
    demand_clean(root)

    (root / "edited").write_text("now")
    (root / "staged").write_text("now")
    bare.git("add", "staged")
    (root / "deleted").unlink()
    bare.git("mv", "renamed", "ein Ümlaut\t")
    (root / "new").mkdir()
    (root / "new" / "file").write_text("new")
    (root / ".dvc" / "remote").mkdir()
    (root / ".dvc" / "remote" / "ignored").write_text("new")
    assert unclean(root) == ["deleted", "edited", "ein Ümlaut\t", "new/file", "renamed", "staged"]
    with pytest.raises(Refusal, match=r"deleted, edited, ein Ümlaut\t, new/file, renamed and 1 more"):
        demand_clean(root)


def test_a_project_below_the_repository_looks_only_at_itself(bare: ProjectCopy) -> None:
    below = bare.root / "below"
    below.mkdir()
    (below / "file").write_text("new")
    (bare.root / "beside").write_text("new")
    assert unclean(below) == ["file"]
    commit(below, [below / "file"], "the project's")
    assert unclean(below) == []
    assert unclean(bare.root) == ["beside"]


def test_a_commit_holds_exactly_its_files_and_leaves_what_else_is_staged_or_edited(bare: ProjectCopy) -> None:
    root = bare.root
    for name in ("known", "edited", "staged"):
        (root / name).write_text("before")
    bare.commit("files")
    for name in ("known", "edited", "staged", "new", "beside"):
        (root / name).write_text("after")
    bare.git("add", "staged")
    made = commit(root, [root / "new", root / "known"], "promote judge 1.1.0 to prod")
    assert made == head(root) == bare.git("rev-parse", "HEAD").strip()
    assert bare.git("show", "--name-only", "--format=%s", made).split("\n") == [
        "promote judge 1.1.0 to prod",
        "",
        "known",
        "new",
        "",
    ]
    assert bare.git("status", "--porcelain").splitlines() == [" M edited", "M  staged", "?? beside"]


def test_a_commit_that_a_hook_refuses_leaves_the_index_as_it_was(bare: ProjectCopy) -> None:
    hook = bare.root / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\necho not on a Friday >&2\nexit 1\n")
    hook.chmod(0o755)
    (bare.root / "new").write_text("new")
    (bare.root / "staged").write_text("new")
    bare.git("add", "staged")
    before = head(bare.root), bare.git("status", "--porcelain")
    with pytest.raises(Refusal, match="not on a Friday") as told:
        commit(bare.root, [bare.root / "new"], "promote")
    assert told.value.next_step == "mend what git, or its hook, asks for; then run the command again"
    assert (head(bare.root), bare.git("status", "--porcelain")) == before
    hook.unlink()
    commit(bare.root, [bare.root / "new"], "promote")
    assert unclean(bare.root) == ["staged"]


def test_a_commit_without_anything_new_is_refused(bare: ProjectCopy) -> None:
    with pytest.raises(Refusal, match="did not commit"):
        commit(bare.root, [bare.root / ".gitignore"], "nothing")


def test_the_person_is_the_one_that_git_would_name(bare: ProjectCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    assert person(bare.root) == "story@name <story@email>"
    for role in ("AUTHOR", "COMMITTER"):
        for what in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{what}")
    bare.git("config", "user.useConfigOnly", "true")
    with pytest.raises(Misuse, match="git does not know who works here") as told:
        person(bare.root)
    assert "user.name and user.email" in str(told.value.expected)
    bare.git("config", "user.name", "Zoë van der > Berg")
    bare.git("config", "user.email", "zoe@example.org")
    assert person(bare.root).endswith("<zoe@example.org>")


def test_a_shallow_clone_is_known_as_one(bare: ProjectCopy, tmp_path: Path) -> None:
    (bare.root / "second").write_text("second")
    bare.commit("second")
    bare.git("clone", "--quiet", "--depth", "1", f"file://{bare.root}", str(tmp_path / "shallow"))
    assert shallow(tmp_path / "shallow")
    assert not shallow(clone(bare, tmp_path / "whole").root)


def test_a_folder_without_git_or_without_a_commit_is_misuse(tmp_path: Path, own_environment: dict[str, str]) -> None:
    with pytest.raises(Misuse, match="not a git repository"):
        unclean(tmp_path)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    with pytest.raises(Misuse, match="git rev-parse"):
        head(tmp_path)


def test_within_a_hook_of_another_repository_the_right_one_is_asked(
    bare: ProjectCopy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = clone(bare, tmp_path / "other")
    (bare.root / "new").write_text("new")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git" / "index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    assert unclean(bare.root) == ["new"]


def test_a_commit_needs_a_branch_that_it_will_be_on(bare: ProjectCopy) -> None:
    demand_branch(bare.root)
    bare.git("switch", "--quiet", "--detach")
    with pytest.raises(Refusal, match="HEAD is on no branch") as told:
        demand_branch(bare.root)
    assert told.value.next_step == "git switch BRANCH"
