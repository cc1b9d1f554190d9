from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.story.project_copies import REPOSITORY, ProjectCopy, clone
from watertight.core.errors import Misuse
from watertight.registry.binding import unbound
from watertight.registry.objects import Objects
from watertight.registry.repository import head, unclean
from watertight.registry.revisions import Revision, checkout, resolve, stages_of

HOLDS_ON = """
import sys
from pathlib import Path
from watertight.registry.revisions import checkout, resolve

root = Path(sys.argv[1])
with checkout(root, resolve(root).commit) as tree:
    print(tree, flush=True)
    sys.stdin.read()
"""


def experiment(project: ProjectCopy, name: str, *settings: str) -> str:
    """Run an experiment, leave the working tree as it was; the experiment's commit."""
    project.dvc("exp", "run", "--quiet", "--name", name, *settings)
    project.git("checkout", "--quiet", "--", ".")
    return project.git("for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/{name}").strip()


def worktrees(project: ProjectCopy) -> int:
    """How many git knows, the project's own among them."""
    return len(project.git("worktree", "list").splitlines())


def left(project: ProjectCopy) -> list[Path]:
    return [path for path in (project.root / ".git" / "watertight-trees").iterdir() if path.is_dir()]


def test_a_commit_a_branch_a_tag_and_an_experiment_are_found_by_their_names(pipelines: ProjectCopy) -> None:
    first = head(pipelines.root)
    pipelines.git("branch", "older")
    pipelines.git("tag", "v1")
    commit = experiment(pipelines, "quick", "-S", "judge.fit.rate=5")
    (pipelines.root / "note").write_text("note")
    pipelines.commit("a note")
    assert resolve(pipelines.root) == Revision(head(pipelines.root))
    assert {resolve(pipelines.root, name) for name in ("older", "v1", first, first[:9], "HEAD~1")} == {Revision(first)}
    assert {resolve(pipelines.root, name) for name in ("quick", commit, commit[:10])} == {Revision(commit, "quick")}


@pytest.mark.parametrize(
    ("name", "nearest"), [("quikc", "did you mean 'quick'"), ("mian", "did you mean 'main'"), ("--all", "known: main, quick")]
)
def test_an_unknown_name_is_answered_with_the_nearest(pipelines: ProjectCopy, name: str, nearest: str) -> None:
    pipelines.git("update-ref", f"refs/exps/ab/{'c' * 38}/quick", "HEAD")
    with pytest.raises(Misuse, match=nearest):
        resolve(pipelines.root, name)


def test_of_two_experiments_with_one_name_that_of_head_is_meant_and_else_none(pipelines: ProjectCopy) -> None:
    def refer(baseline: str) -> None:
        pipelines.git("update-ref", f"refs/exps/{baseline[:2]}/{baseline[2:]}/twice", "HEAD")

    refer("ab" + "c" * 38)
    refer("de" + "f" * 38)
    with pytest.raises(Misuse, match="several experiments"):
        resolve(pipelines.root, "twice")
    refer(head(pipelines.root))
    assert resolve(pipelines.root, "twice").experiment == "twice"


def test_the_tree_is_what_is_committed_whatever_lies_in_the_working_tree_and_is_gone_afterwards(pipelines: ProjectCopy) -> None:
    (pipelines.root / "steps" / "fit.py").write_text("edited")
    (pipelines.root / "steps" / "extra.py").write_text("untracked")
    with checkout(pipelines.root, head(pipelines.root)) as tree:
        files = {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()} - {".git"}
        assert files == set(pipelines.git("ls-files").split())
        assert (tree / "steps" / "fit.py").read_text() != "edited"
        assert unclean(pipelines.root) == ["steps/extra.py", "steps/fit.py"]
    assert not tree.exists()
    assert (worktrees(pipelines), left(pipelines)) == (1, [])


def test_an_error_inside_removes_the_tree_too_and_an_unknown_commit_leaves_none(pipelines: ProjectCopy) -> None:
    def fails() -> None:
        with checkout(pipelines.root, head(pipelines.root)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    with pytest.raises(Misuse, match="git"), checkout(pipelines.root, "f" * 40):
        pass
    assert (worktrees(pipelines), left(pipelines)) == (1, [])


def test_a_hook_that_checks_outputs_out_is_not_run(pipelines: ProjectCopy, tmp_path: Path) -> None:
    hook = pipelines.root / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    with checkout(pipelines.root, head(pipelines.root)):
        assert not (tmp_path / "ran").exists()
    pipelines.git("checkout", "--quiet", "--detach")
    assert (tmp_path / "ran").exists()


def test_a_project_below_the_repository_is_found_in_the_tree(bare: ProjectCopy) -> None:
    (bare.root / "below").mkdir()
    (bare.root / "below" / "params.yaml").write_text("{}")
    bare.commit("below")
    with checkout(bare.root / "below", head(bare.root)) as tree:
        assert (tree / "params.yaml").read_text() == "{}"


def holding_on(project: ProjectCopy) -> tuple[subprocess.Popen[str], Path]:
    """A process that has a tree, and its tree."""
    command = [sys.executable, "-c", HOLDS_ON, str(project.root)]
    environment = {**project.environment, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_a_living_one_has_is_not(pipelines: ProjectCopy) -> None:
    (killed, lost), (living, kept) = holding_on(pipelines), holding_on(pipelines)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert lost.is_dir()
    with checkout(pipelines.root, head(pipelines.root)) as tree:
        assert (lost.exists(), kept.is_dir(), tree.is_dir()) == (False, True, True)
        assert worktrees(pipelines) == 3
    living.communicate("")
    assert living.returncode == 0
    assert (worktrees(pipelines), left(pipelines)) == (1, [])


def test_the_stages_are_what_dvc_lock_says_of_the_workload(pipelines: ProjectCopy) -> None:
    lock = pipelines.lock()["fit@judge"]
    stages = stages_of(pipelines.root, "judge")
    assert list(stages) == ["ingest", "fit"]
    fit = stages["fit"]
    assert fit.cmd == "python -m steps.fit judge"
    assert fit.params == {"judge.fit": {"rate": 1}}
    assert fit.deps == {dep["path"]: dep["md5"] for dep in lock["deps"]}
    (bundle,) = lock["outs"]
    assert fit.outs["data/judge/bundle"].model_dump() == {name: bundle[name] for name in ("md5", "size", "nfiles")}
    assert stages_of(pipelines.root, "nobody") == stages_of(pipelines.root / "steps", "judge") == {}


def test_an_experiments_outputs_are_those_of_its_own_lock(pipelines: ProjectCopy, tmp_path: Path) -> None:
    commit = experiment(pipelines, "quick", "-S", "judge.fit.rate=5")
    objects = Objects(pipelines.root)
    with checkout(pipelines.root, commit) as tree:
        stored = stages_of(tree, "judge")["fit"].outs["data/judge/bundle"]
        objects.write(stored, tree / "data" / "judge" / "bundle")
        assert "rate: 5" in (tree / "data" / "judge" / "bundle" / "model.txt").read_text()
    assert stored != stages_of(pipelines.root, "judge")["fit"].outs["data/judge/bundle"]


def shallow_clone(project: ProjectCopy, to: Path) -> ProjectCopy:
    (project.root / "note").write_text("note")
    project.commit("one more commit, which a shallow clone has alone")
    project.git("clone", "--quiet", "--depth", "1", f"file://{project.root}", str(to))
    return ProjectCopy(to, project.environment)


def whole_clone(project: ProjectCopy, to: Path) -> ProjectCopy:
    return clone(project, to)


@pytest.mark.parametrize("cloned", [shallow_clone, whole_clone])
def test_a_clone_fetches_what_a_lock_names_and_can_say_whether_it_is_bound(
    pipelines: ProjectCopy, tmp_path: Path, cloned: Callable[[ProjectCopy, Path], ProjectCopy]
) -> None:
    pipelines.dvc("remote", "modify", "--quiet", "storage", "url", str(tmp_path / "remote"))
    pipelines.commit("a remote for all")
    stages = stages_of(pipelines.root, "judge")
    Objects(pipelines.root).push(*stages["ingest"].outs.values(), *stages["fit"].outs.values())
    second = cloned(pipelines, tmp_path / "second")
    objects = Objects(second.root)
    with checkout(second.root, resolve(second.root).commit) as tree:
        assert unbound(tree, "judge", "fit", objects) == []
        (bundle,) = stages_of(tree, "judge")["fit"].outs.values()
    objects.fetch(bundle)
    objects.write(bundle, tmp_path / "bundle")
    for name in ("model.txt", "more/note.txt"):
        assert (tmp_path / "bundle" / name).read_bytes() == (pipelines.root / "data" / "judge" / "bundle" / name).read_bytes()
