"""Promotion under real git and DVC: fitted, promoted, refused, replaced, rolled back, and pulled by somebody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from project_copies import ProjectCopy, copy
from promotions import (
    MODEL,
    TRAINING_SET,
    answered,
    asked,
    begun,
    believed,
    declined,
    forged,
    looks,
    made,
    more,
    params,
    predictions,
    reasons,
    recorded,
    refused,
    registering,
    shallow,
    watertight,
    write,
)

from pipelines.promotion.rescore import rescore
from watertight.core.digests import file_digest
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Project
from watertight.registry.repository import person


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """Not to be changed."""
    return begun(tmp_path_factory.mktemp("promotion"))


def test_from_the_first_version_to_a_rollback(story: ProjectCopy) -> None:
    project, rows = copy(story, story.root.parent / "told"), story.root / TRAINING_SET
    first = answered(project, "promote", MODEL)
    assert (first["version"], first["stage"], first["champion"]) == ("1.0.0", "prod", "cell mean")
    assert project.git("status", "--porcelain") == "", "one commit holds version, event and look"
    theirs = predictions(project, "prod", rows)

    registering(project, "shrunk")
    made(project, "a worse model")
    told = refused(project, "promote", MODEL)
    assert "fail    log_loss preferred" in told and "beside 1.0.0" in told
    [figure] = [gate for gate in declined(project) if gate["gate"] == "log_loss"]
    assert figure["figure"] > 0 and figure["low"] is not None and figure["row_set"]

    registering(project, "linear")
    made(project, "both sides of a pair")
    second = answered(project, "promote", MODEL)
    assert (second["version"], second["champion"]) == ("1.1.0", "1.0.0")
    assert any("toy_pair_b" in reason or "cell" in reason for reason in second["because"])
    assert not predictions(project, "prod", rows).equals(theirs)

    history = watertight(project, "history", MODEL).stdout
    assert "1.0.0" in history and "1.1.0" in history and "[" in history, "each with its interval"

    answered(project, "rollback", MODEL, "--reason", "the callers were not ready")
    assert predictions(project, "prod", rows).equals(theirs), "1.0.0's very predictions"
    assert "the callers were not ready" in watertight(project, "history", MODEL).stdout
    assert answered(project, "verify") is not None

    [row] = answered(project, "models")
    assert (row["model"], row["version"], row["stage"], row["versions"]) == (MODEL, "1.0.0", "prod", 2)
    assert [each["version"] for each in answered(project, "models", MODEL)] == ["1.1.0", "1.0.0"]
    assert answered(project, "show", f"{MODEL}@1.1.0")["card"].startswith(f"# {MODEL}")
    assert answered(project, "lineage", f"{MODEL}#prod")["drops"]["simulated"]["rows"] == 780

    other = shallow(project)
    assert predictions(other, "prod", rows).equals(theirs)
    pulled = other.root.parent / "pulled"
    answered(other, "pull", f"{MODEL}#prod", "--to", str(pulled))
    assert predictions(other, str(pulled), rows).equals(theirs)


def test_only_what_is_committed_is_promoted(story: ProjectCopy, tmp_path: Path) -> None:
    project = copy(story, tmp_path / "project")
    (project.root / "notes.txt").write_text("beside the code")
    with pytest.raises(Refusal, match=r"notes\.txt"):
        asked(project)


def test_verdicts_count_only_for_the_code_params_and_data_that_they_are_of(story: ProjectCopy, tmp_path: Path) -> None:
    project = copy(story, tmp_path / "project")
    source = project.root / "pipelines" / "sources" / MODEL / "simulated.py"
    source.write_text(source.read_text() + "\n# edited after the run\n")
    declared = params(project)
    declared[MODEL]["train"]["seeds"] = [1]
    write(project, declared)
    project.commit("edited, and not run again")
    told = reasons(project)
    assert set(told) == {"bound"}
    assert f"ingest@{MODEL}: pipelines/sources/{MODEL}" in told["bound"] and f"{MODEL}.train" in told["bound"]
    assert looks(project) == [], "nothing unproven is shown the test sets"
    assert set(reasons(project, reason="we trust it")) == {"bound"}, "what nobody could reproduce is never promoted"


def test_a_verdict_must_be_there_and_green(story: ProjectCopy, tmp_path: Path) -> None:
    project = copy(story, tmp_path / "project")
    verdict = f"artifacts/{MODEL}/guard/verdict.json"
    forged(project, verdict, lambda told: told.update(status="waived", waived=["expect_groups_in_one_fold"]))
    assert "expect_groups_in_one_fold" in reasons(project)["verdicts"]
    forged(project, verdict, lambda told: told.update(status="pass", waived=[], of="0" * 64))
    assert "has not judged this training set" in reasons(project)["verdicts"]
    lock = yaml.safe_load((project.root / "dvc.lock").read_text())
    del lock["stages"][f"guard@{MODEL}"]
    (project.root / "dvc.lock").write_text(yaml.safe_dump(lock))
    project.commit("no guard")
    assert f"artifacts/{MODEL}/guard" in refusal(project)


def refusal(project: ProjectCopy) -> str:
    with pytest.raises(Refusal) as caught:
        asked(project)
    return str(caught.value)


def test_a_bundle_must_be_whole_and_pushed(story: ProjectCopy, tmp_path: Path) -> None:
    project = copy(story, tmp_path / "project")
    project.dvc("remote", "add", "--force", "--default", "empty", str(tmp_path / "empty"))
    project.commit("another remote")
    assert "not on the remote; --push" in reasons(project)["bundle"]
    assert "bundle" in reasons(project, reason="it will be pushed"), "nobody could load it"
    project.dvc("push")
    [model] = (project.root / "artifacts" / MODEL / "bundle" / "models").rglob("*.safetensors")
    model.chmod(0o644)
    model.write_bytes(model.read_bytes() + b"!")
    believed(project)
    assert "not what was registered" in reasons(project)["bundle"]


def test_a_bundle_is_of_the_models_that_were_trained(story: ProjectCopy, tmp_path: Path) -> None:
    project = copy(story, tmp_path / "project")
    folder = project.root / "artifacts" / MODEL / "bundle"
    [model] = (folder / "models").rglob("*.safetensors")
    manifest = json.loads((folder / "manifest.json").read_text())
    for path in (model, folder / "manifest.json"):
        path.chmod(0o644)
    model.write_bytes(model.read_bytes() + b" ")
    manifest["files"][model.relative_to(folder).as_posix()] = file_digest(model)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    believed(project)
    assert "which the run did not make so" in reasons(project)["bundle"], "sealed anew, and still not what was evaluated"


def test_a_manifest_is_what_the_run_says_of_its_models(story: ProjectCopy, tmp_path: Path) -> None:
    project = copy(story, tmp_path / "project")
    place = f"artifacts/{MODEL}/bundle/manifest.json"
    forged(project, place, lambda told: told["models"][0]["columns"].reverse())
    assert "manifest.json, which the run did not make so" in reasons(project)["bundle"]


def test_a_candidate_is_judged_by_the_checks_of_the_working_tree(story: ProjectCopy, tmp_path: Path) -> None:
    project = copy(story, tmp_path / "project")
    project.git("switch", "--quiet", "--create", "lenient")
    expectations = project.root / "expectations" / f"{MODEL}.yaml"
    expectations.write_text(expectations.read_text() + "# laxer\n")
    believed(project)
    project.git("switch", "--quiet", "main")
    assert f"another expectations/{MODEL}.yaml" in reasons(project, rev="lenient")["verdicts"]


def test_looks_are_evidence_and_stay_as_they_were_recorded(story: ProjectCopy, tmp_path: Path) -> None:
    project = copy(story, tmp_path / "project")
    asked(project)
    [look] = looks(project)
    path = project.root / "models" / MODEL / "looks" / look
    path.write_text(path.read_text().replace('"figure": 0.', '"figure": 1.', 1))
    with pytest.raises(Refusal, match="a look at the test sets was edited"):
        asked(project, to="staging")
    project.commit("an edited look")
    registering(project, "linear")
    made(project, "both sides of a pair")
    assert f"the look {look} was edited" in reasons(project)["rows"]


def test_other_test_rows_are_scored_again_before_anything_is_compared(story: ProjectCopy, tmp_path: Path) -> None:
    project = copy(story, tmp_path / "project")
    asked(project)
    watertight(project, "ingest", str(more(tmp_path / "more.csv")), "--workload", MODEL)
    registering(project, "linear")
    made(project, "both sides of a pair, and new prompts")
    told = reasons(project)
    assert "preferred on test_groups" in told["rows"] and f"watertight rescore {MODEL}#prod" in told["rows"]
    again = rescore(Project(project.root), MODEL, None, "prod")
    assert again["version"] == "1.0.0"
    assert asked(project)["champion"] == "1.0.0"

    declared = params(project)
    declared[MODEL]["split"]["seed"] = 6
    write(project, declared)
    made(project, "another split")
    with pytest.raises(Refusal, match="fitted on rows, or groups, that are test rows today") as caught:
        rescore(Project(project.root), MODEL, None, "prod")
    assert len(caught.value.rows) > 0


def test_a_stage_is_one_that_is_declared(story: ProjectCopy, tmp_path: Path) -> None:
    project = copy(story, tmp_path / "project")
    with pytest.raises(Misuse, match="did you mean 'prod'"):
        asked(project, to="prdo")
    assert asked(project, to="staging")["version"] == "1.0.0"
    assert asked(project, to="prod")["version"] == "1.0.0", "the same bundle is the same version"
    assert recorded(project) == ["events/0001.json", "events/0002.json", "versions/1.0.0.json"]
    with pytest.raises(Misuse, match="holds prod already"):
        asked(project, to="prod")


def test_a_version_must_be_better_in_something(story: ProjectCopy, tmp_path: Path) -> None:
    project = copy(story, tmp_path / "project")
    declared = params(project)
    del declared[MODEL]["gates"]
    write(project, declared)
    project.commit("no gates")
    assert "gates: log_loss: {better_by: 0.0}" in reasons(project)["compared"]
    assert looks(project) == []


def test_an_override_says_who_and_what(story: ProjectCopy, tmp_path: Path) -> None:
    project = copy(story, tmp_path / "project")
    registering(project, "one_side", size_mb={"at_most": 0.001})
    project.commit("a bundle must be tiny")
    assert set(reasons(project)) == {"size_mb"}
    assert asked(project, reason="there is room")["version"] == "1.0.0"
    event = json.loads((project.root / "models" / MODEL / "events" / "0001.json").read_text())
    assert event["kind"] == "override" and event["reason"] == "there is room" and "size_mb" in event["overridden"][0]
    assert event["by"] == person(project.root)


def test_an_experiment_is_promoted_by_name_but_cannot_loosen_a_gate(story: ProjectCopy, tmp_path: Path) -> None:
    project = copy(story, tmp_path / "project")
    asked(project)
    change = [f"{MODEL}.register.cell=linear", f"{MODEL}.gates.size_mb.at_most=0.001", f"{MODEL}.evaluate.baselines=[]"]
    project.dvc("exp", "run", "--quiet", "--name", "both-sides", *(part for one in change for part in ("-S", one)))
    project.git("restore", ".")
    assert "--push" in reasons(project, rev="both-sides")["bundle"]
    told = asked(project, rev="both-sides", push=True)
    assert (told["version"], told["champion"]) == ("1.1.0", "1.0.0"), "gates are those of the branch"
    assert json.loads((project.root / "models" / MODEL / "versions" / "1.1.0.json").read_text())["experiment"] == "both-sides"
