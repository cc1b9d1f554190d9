from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.story.project_copies import ProjectCopy
from watertight.core.errors import Misuse
from watertight.registry.binding import unbound
from watertight.registry.objects import Objects
from watertight.registry.revisions import checkout, resolve, stages_of


def faults(project: ProjectCopy, name: str = "HEAD", stage: str = "fit") -> list[str]:
    with checkout(project.root, resolve(project.root, name).commit) as tree:
        return unbound(tree, "judge", stage, Objects(project.root))


def edited(project: ProjectCopy, place: str, old: str, new: str) -> None:
    path = project.root / place
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    project.commit("edited")


def test_what_was_built_is_bound_by_code_params_data_and_the_part_that_only_dvc_has(pipelines: ProjectCopy) -> None:
    assert faults(pipelines) == []
    shutil.rmtree(pipelines.root / "data")
    (pipelines.root / "drops" / "judge" / "part.txt").unlink()
    assert faults(pipelines) == []


def test_code_that_was_edited_without_a_run_is_named_for_each_stage_that_read_it(pipelines: ProjectCopy) -> None:
    edited(pipelines, "steps/fit.py", "work = ", "job = work = ")
    told = faults(pipelines)
    assert [line.split(" is ")[0] for line in told] == ["ingest@judge: steps", "fit@judge: steps"]
    assert [line.split(": ")[0] for line in faults(pipelines, stage="ingest")] == ["ingest@judge"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("rate: 1", "rate: 1.5", "fit@judge: the param judge.fit has another value than the stage was run with"),
        ("fit: {rate: 1}", "fitted: {rate: 1}", "fit@judge: the param judge.fit has another value than the stage was run with"),
    ],
)
def test_a_param_that_was_changed_without_a_run_is_named(pipelines: ProjectCopy, old: str, new: str, expected: str) -> None:
    edited(pipelines, "params.yaml", old, new)
    assert faults(pipelines) == [expected]


def test_another_workloads_params_bind_nothing_here(pipelines: ProjectCopy) -> None:
    edited(pipelines, "params.yaml", "rate: 2", "rate: 3")
    assert faults(pipelines) == []


def test_a_param_and_a_dep_that_dvc_yaml_has_and_dvc_lock_has_not_are_named(pipelines: ProjectCopy) -> None:
    edited(pipelines, "dvc.yaml", '"${item}.fit"]', '"${item}.fit", "${item}.ingest"]')
    edited(pipelines, "dvc.yaml", '"data/${item}/rows/rows.txt"]', '"data/${item}/rows/rows.txt", "drops/${item}"]')
    assert faults(pipelines) == [
        "fit@judge: drops/judge, which it reads, is not in dvc.lock",
        "fit@judge: the param judge.ingest is not in dvc.lock",
    ]


def test_another_command_and_an_output_without_a_hash_are_named(pipelines: ProjectCopy) -> None:
    edited(pipelines, "dvc.yaml", "steps.fit ${item}", "steps.fit ${item} --quick")
    edited(pipelines, "dvc.yaml", 'outs: ["data/${item}/bundle"]', 'outs: ["data/${item}/bundle", "data/${item}/more"]')
    assert faults(pipelines) == [
        "fit@judge: dvc.lock has another command than dvc.yaml",
        "fit@judge: its output data/judge/more is not in dvc.lock",
    ]


def test_code_and_params_that_dvc_yaml_does_not_list_any_more_are_named_until_they_are_committed_so(
    pipelines: ProjectCopy,
) -> None:
    """DVC would never look at them again: they could be edited at will."""
    edited(pipelines, "dvc.yaml", 'deps: [steps, "data/${item}/rows/rows.txt"]', 'deps: ["data/${item}/rows/rows.txt"]')
    edited(pipelines, "dvc.yaml", '${item}.fit"]', '${item}.ingest"]')
    left = "which dvc.yaml does not list any more; dvc commit if that is meant"
    assert faults(pipelines) == [
        "fit@judge: the param judge.ingest is not in dvc.lock",
        f"fit@judge: dvc.lock has steps, {left}",
        f"fit@judge: dvc.lock has judge.fit, {left}",
    ]
    pipelines.dvc("commit", "--quiet", "--force")
    pipelines.commit("meant")
    assert faults(pipelines) == []


def test_data_outside_of_the_project_is_bound_by_its_hash(pipelines: ProjectCopy, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.txt").write_text("data")
    edited(pipelines, "dvc.yaml", 'deps: [steps, "data', f'deps: [{tmp_path}/elsewhere.txt, steps, "data')
    pipelines.dvc("repro", "--quiet")
    pipelines.commit("run")
    assert faults(pipelines) == []
    (tmp_path / "elsewhere.txt").write_text("other data")
    assert [line.split(" is ")[0] for line in faults(pipelines)] == [f"fit@judge: {tmp_path}/elsewhere.txt"]


def test_data_that_was_edited_or_let_in_without_a_run_is_named(pipelines: ProjectCopy) -> None:
    edited(pipelines, "drops/judge/ledger.json", "{}", "[]")
    assert [line.split(" is ")[0] for line in faults(pipelines)] == ["ingest@judge: drops/judge"]


def test_a_part_of_a_drop_that_has_another_hash_is_found_though_git_has_no_byte_of_it(pipelines: ProjectCopy) -> None:
    (pipelines.root / "drops" / "judge" / "part.txt").write_text("other rows\n")
    pipelines.dvc("add", "--quiet", "drops/judge/part.txt")
    pipelines.commit("another part")
    assert [line.split(" is ")[0] for line in faults(pipelines)] == ["ingest@judge: drops/judge"]


def test_an_output_whose_hash_was_changed_by_hand_is_not_what_the_next_stage_read(pipelines: ProjectCopy) -> None:
    """Not even where it is that of another folder which is in the cache."""
    lock = stages_of(pipelines.root, "judge"), stages_of(pipelines.root, "other")
    ours, theirs = (stages["ingest"].outs[f"data/{name}/rows"].md5 for stages, name in zip(lock, ("judge", "other")))
    edited(pipelines, "dvc.lock", ours, theirs)
    assert [line.split(" is ")[0] for line in faults(pipelines)] == ["fit@judge: data/judge/rows/rows.txt"]


def test_a_stage_without_a_lock_is_named(pipelines: ProjectCopy) -> None:
    text = (pipelines.root / "dvc.lock").read_text()
    (pipelines.root / "dvc.lock").write_text(re.sub(r"  ingest@judge:\n(    .*\n|  - .*\n)*", "", text))
    pipelines.commit("a stage is missing")
    assert "ingest" not in stages_of(pipelines.root, "judge")
    assert faults(pipelines)[0] == "ingest@judge: the stage is not in dvc.lock"
    assert any(line.startswith("fit@judge: data/judge/rows/rows.txt is not there") for line in faults(pipelines))


def run_with_an_ignored_file(project: ProjectCopy) -> None:
    (project.root / ".git" / "info" / "exclude").write_text("extra.py\n")
    project.dvc("exp", "run", "--quiet", "--name", "secret", "-S", "judge.fit.rate=7")


def saved_with_an_untracked_file(project: ProjectCopy) -> None:
    project.dvc("repro", "--quiet")
    project.dvc("exp", "save", "--quiet", "--name", "secret")


@pytest.mark.parametrize("made", [run_with_an_ignored_file, saved_with_an_untracked_file])
def test_an_experiment_that_ran_with_a_file_that_git_does_not_have_is_refused_by_its_name(
    pipelines: ProjectCopy, made: Callable[[ProjectCopy], None]
) -> None:
    extra = pipelines.root / "steps" / "extra.py"
    extra.write_text("EXTRA = 'a secret'\n")
    made(pipelines)
    pipelines.git("checkout", "--quiet", "--", ".")
    told = faults(pipelines, "secret")
    assert [line.split(": ")[0] for line in told] == ["ingest@judge", "fit@judge"]
    assert all(line.endswith(": it was run with steps/extra.py as in the working tree, not as in git") for line in told)

    extra.write_text("EXTRA = 'another'\n")
    counted = "(4 files when it was run, 3 in git)"
    assert all(line.endswith(f"{counted}; not in git: steps/extra.py") for line in faults(pipelines, "secret"))
    extra.unlink()
    assert all(line.endswith(counted) for line in faults(pipelines, "secret"))


def test_an_untracked_file_that_dvc_took_into_the_experiment_is_in_git_and_bound(pipelines: ProjectCopy) -> None:
    (pipelines.root / "steps" / "extra.py").write_text("EXTRA = 'told'\n")
    pipelines.dvc("exp", "run", "--quiet", "--name", "told", "-S", "judge.fit.rate=7")
    (pipelines.root / "steps" / "extra.py").unlink()
    assert faults(pipelines, "told") == []


def test_an_experiment_of_what_git_has_is_bound_also_when_the_working_tree_is_edited_since(pipelines: ProjectCopy) -> None:
    pipelines.dvc("exp", "run", "--quiet", "--name", "quick", "-S", "judge.fit.rate=7")
    pipelines.git("checkout", "--quiet", "--", ".")
    (pipelines.root / "steps" / "fit.py").write_text("edited since\n")
    (pipelines.root / "steps" / "extra.py").write_text("EXTRA = 'new'\n")
    assert faults(pipelines, "quick") == []


def test_no_such_stage_and_a_graph_that_cannot_be_read_are_misuse(pipelines: ProjectCopy) -> None:
    with pytest.raises(Misuse, match="fitt@judge"):
        faults(pipelines, stage="fitt")
    edited(pipelines, "dvc.yaml", "foreach", "for_each")
    with pytest.raises(Misuse, match="cannot read the graph"):
        faults(pipelines)


def test_a_working_tree_can_be_looked_at_too(pipelines: ProjectCopy) -> None:
    assert unbound(pipelines.root, "judge", "fit", Objects(pipelines.root)) == []
    Path(pipelines.root, "params.yaml").write_text((pipelines.root / "params.yaml").read_text().replace("rate: 1", "rate: 9"))
    assert len(unbound(pipelines.root, "judge", "fit", Objects(pipelines.root))) == 1
