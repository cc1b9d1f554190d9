"""The registry's commands as they are typed, on a registry in real git and DVC."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.registry.made_records import at_hour
from tests.registry.registry_project import RegistryProject
from watertight.cli import app


@pytest.fixture
def here(project: RegistryProject, monkeypatch: pytest.MonkeyPatch) -> RegistryProject:
    monkeypatch.chdir(project.root)
    return project


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def told(*arguments: str) -> str:
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def asked(*arguments: str) -> Any:
    return json.loads(told(*arguments, "--json"))


def refused(*arguments: str) -> str:
    done = run(*arguments)
    assert done.exit_code == 1, done.output
    return done.output


def test_models_lists_what_holds_each_stage(here: RegistryProject) -> None:
    here.promote("1.1.0", 4, stage="staging")
    here.promote("1.0.0", 5, model="preference")
    rows = asked("models")
    assert [(row["model"], row["stage"], row["version"]) for row in rows] == [
        ("judge", "prod", "1.0.0"),
        ("judge", "staging", "1.1.0"),
        ("preference", "prod", "1.0.0"),
    ]
    assert (rows[0]["versions"], rows[0]["newest"], rows[0]["since"]) == (2, "1.1.0", at_hour(2).isoformat())
    [figure] = rows[0]["figures"]
    assert (figure["part"], figure["metric"], figure["figure"]) == ("test_groups", "rmse", 2.0)
    text = told("models")
    assert "score rmse 2.0000 [1.9000, 2.1000] test_groups" in text
    assert "days" in text


def test_models_lists_the_versions_of_one(here: RegistryProject) -> None:
    told("deprecate", "judge@1.1.0", "--reason", "wrong labels")
    rows = asked("models", "judge")
    assert [(row["version"], row["stages"], row["deprecated"]) for row in rows] == [
        ("1.1.0", [], True),
        ("1.0.0", ["prod"], False),
    ]
    assert "deprecated" in told("models", "judge").splitlines()[1]


def test_a_project_without_models_says_so(here: RegistryProject) -> None:
    shutil.rmtree(here.root / "models")
    assert told("models") == "no model has a version yet\n"
    assert asked("models") == []
    assert run("history", "judge").exit_code == 2


def test_show_prints_the_card_of_the_bundle(here: RegistryProject) -> None:
    text = told("show", "judge#prod")
    assert text.startswith("judge 1.0.0, holds prod\n")
    assert "# judge 1.0.0, the card" in text
    answer = asked("show", "judge@1.1.0")
    assert (answer["version"], answer["holds"], answer["card"]) == ("1.1.0", [], "# judge 1.1.0, the card\n")


def test_show_prints_the_records_figures_where_the_bundle_cannot_be_had(here: RegistryProject) -> None:
    shutil.rmtree(here.root / ".dvc" / "cache")
    shutil.rmtree(here.root / ".dvc" / "remote")
    text = told("show", "judge")
    assert "no card: " in text
    assert "score test_drops rmse 2.0000 [1.9000, 2.1000] (3638 rows, 1091 groups, row set " in text
    answer = asked("show", "judge")
    assert (answer["card"], bool(answer["no_card"])) == (None, True)


def test_history_tells_who_held_what_and_why(here: RegistryProject) -> None:
    held = asked("history", "judge")["held"]
    assert [(line["version"], line["from"], line["to"]) for line in held] == [
        ("1.0.0", at_hour(0).isoformat(), at_hour(1).isoformat()),
        ("1.1.0", at_hour(1).isoformat(), at_hour(2).isoformat()),
        ("1.0.0", at_hour(2).isoformat(), None),
    ]
    assert held[1]["evidence"]["champion"] == "1.0.0"
    text = told("history", "judge")
    assert "prod: judge 1.0.0, 2026-05-01 11:00:00 UTC to now\n  rollback by Ada <ada@example.org>: slow" in text
    assert "rmse score -0.1200 [-0.1700, -0.0700]: " in text and "(3638 rows, 1091 groups, row set " in text
    assert "skipped slices score language=fr: 12 groups of at least 20" in text and "1 other gates passed" in text


@pytest.mark.parametrize(
    ("at", "versions"),
    [
        ("2026-04-30", []),
        ("2026-05-01", ["1.0.0", "1.1.0", "1.0.0"]),
        ("2026-05-02", ["1.0.0"]),
        ("2026-05-01T10:30", ["1.1.0"]),
        ("2026-05-01T12:30+02:00", ["1.1.0"]),
        ("2026-05-01T11:00", ["1.0.0"]),
    ],
)
def test_history_of_a_day_or_a_moment(here: RegistryProject, at: str, versions: list[str]) -> None:
    assert [line["version"] for line in asked("history", "judge", "--at", at)["held"]] == versions


def test_history_of_no_time_and_of_nothing(here: RegistryProject) -> None:
    assert run("history", "judge", "--at", "3 May").exit_code == 2
    assert told("history", "judge", "--at", "2026-04-30") == "nothing of judge held a stage then\n"


def test_overrides_stand_out(here: RegistryProject) -> None:
    assert "OVERR" not in told("history", "judge")
    reasons = ("gate rmse: +0.0210, at most +0.0000",)
    here.promote("1.2.0", 4, kind="override", overridden=reasons, reason="the demo")
    text = told("history", "judge")
    assert "  OVERRIDE by Ada <ada@example.org>: the demo\n  OVERRIDDEN: gate rmse: +0.0210, at most +0.0000\n" in text


def test_lineage_goes_from_the_drops_to_the_stages(here: RegistryProject) -> None:
    answer, record = asked("lineage", "judge#prod"), here.registry().version("1.0.0")
    assert list(json.loads(told("lineage", "judge", "--json"))) == sorted(answer)
    assert answer["drops"]["train"] == {"rows": 5000}
    assert answer["training set"] == {"data/judge/training_set": record.stages["join"].outs["data/judge/training_set"].md5}
    assert answer["views"]["judge_text"] == record.views["judge_text"]
    assert answer["bundle"]["md5"] == record.bundle.md5
    assert [(event["number"], event["kind"], event["stage"]) for event in answer["events"]] == [
        (1, "promotion", "prod"),
        (3, "rollback", "prod"),
    ]
    assert told("lineage", "judge").index("training set:") < told("lineage", "judge").index("bundle:")


def test_rollback_gives_the_stage_back_and_commits_its_event_alone(here: RegistryProject) -> None:
    here.promote("1.2.0", 4)
    (here.root / "notes.txt").write_text("not committed\n")
    answer = asked("rollback", "judge", "--reason", "it drifts")
    assert (answer["version"], answer["instead of"]) == ("1.0.0", "1.2.0")
    changed = here.git("show", "--name-only", "--format=%s", "HEAD").split("\n\n")
    assert changed == ["roll judge prod back to 1.0.0: it drifts", "models/judge/events/0005.json\n"]
    assert here.registry().holders()["prod"].by == "Ada <ada@example.org>"
    assert here.git("status", "--porcelain") == "?? notes.txt\n"
    assert here.faults() == []


def test_two_rollbacks_go_back_two_versions(here: RegistryProject) -> None:
    for hours, version in enumerate(("1.2.0", "1.3.0"), start=4):
        here.promote(version, hours)
    assert [asked("rollback", "judge", "--reason", "again")["version"] for _ in range(2)] == ["1.2.0", "1.0.0"]
    done = run("rollback", "judge", "--reason", "again")
    assert (done.exit_code, "held nothing else in prod before" in done.output) == (2, True)


def test_a_rollback_passes_over_what_is_deprecated(here: RegistryProject) -> None:
    for hours, version in enumerate(("1.2.0", "1.3.0"), start=4):
        here.promote(version, hours)
    told("deprecate", "judge@1.2.0", "--reason", "wrong labels")
    assert "1.2.0 is deprecated" in refused("rollback", "judge", "--version", "1.2.0", "--reason", "it drifts")
    assert asked("rollback", "judge", "--reason", "it drifts")["version"] == "1.0.0"


def test_a_rollback_to_a_version_and_of_a_stage(here: RegistryProject) -> None:
    here.promote("1.1.0", 4, stage="staging")
    here.promote("1.0.0", 5, stage="staging")
    asked("rollback", "judge", "--to", "staging", "--reason", "it drifts")
    asked("rollback", "judge", "--version", "1.1.0", "--reason", "it was good")
    assert {stage: event.version for stage, event in here.registry().holders().items()} == {"prod": "1.1.0", "staging": "1.1.0"}
    assert "holds prod already" in refused("rollback", "judge", "--version", "1.1.0", "--reason", "again")
    assert run("rollback", "judge", "--to", "porduction", "--reason", "it drifts").exit_code == 2
    assert run("rollback", "judge").exit_code == 2


def test_a_rollback_to_bytes_that_nobody_has_is_refused(here: RegistryProject) -> None:
    here.promote("1.2.0", 4)
    before = here.git("rev-parse", "HEAD")
    for kept in ("cache", "remote"):
        shutil.rmtree(here.root / ".dvc" / kept)
    assert "neither DVC's cache nor the remote" in refused("rollback", "judge", "--reason", "it drifts")
    assert (here.git("rev-parse", "HEAD"), here.git("status", "--porcelain")) == (before, "")


def test_nothing_is_recorded_on_top_of_what_is_not_committed(here: RegistryProject) -> None:
    here.git("reset", "--quiet", "--soft", "HEAD~1")
    assert "0003.json" in refused("rollback", "judge", "--version", "1.1.0", "--reason", "it drifts")
    assert "0003.json" in refused("deprecate", "judge@1.1.0", "--reason", "it drifts")
    here.git("commit", "--quiet", "--message", "again")
    told("rollback", "judge", "--version", "1.1.0", "--reason", "it drifts")


def test_a_commit_that_git_does_not_take_leaves_no_event(here: RegistryProject) -> None:
    hook = here.root / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert "git did not commit" in refused("rollback", "judge", "--version", "1.1.0", "--reason", "it drifts")
    assert here.git("status", "--porcelain") == ""
    hook.unlink()
    told("rollback", "judge", "--version", "1.1.0", "--reason", "it drifts")


def test_nothing_is_recorded_on_no_branch(here: RegistryProject) -> None:
    here.git("switch", "--quiet", "--detach")
    before = here.git("rev-parse", "HEAD")
    for words in (("rollback", "judge", "--version", "1.1.0"), ("deprecate", "judge@1.1.0")):
        assert "HEAD is on no branch" in refused(*words, "--reason", "it drifts")
    assert (here.git("rev-parse", "HEAD"), here.git("status", "--porcelain")) == (before, "")
    here.git("switch", "--quiet", "main")
    told("rollback", "judge", "--version", "1.1.0", "--reason", "it drifts")


def test_what_holds_a_stage_is_not_deprecated(here: RegistryProject) -> None:
    assert "judge 1.0.0 holds prod" in refused("deprecate", "judge@1.0.0", "--reason", "wrong labels")
    assert run("deprecate", "judge#prod", "--reason", "wrong labels").exit_code == 2
    told("deprecate", "judge@1.1.0", "--reason", "wrong labels")
    assert "1.1.0 is deprecated" in refused("deprecate", "judge@1.1.0", "--reason", "wrong labels")
    assert here.git("log", "-1", "--format=%s") == "deprecate judge 1.1.0: wrong labels\n"


def test_verify_exits_1_with_every_fault_and_0_without(here: RegistryProject) -> None:
    assert asked("verify") == {"judge": []}
    assert told("verify", "judge") == "judge: every record is as it was written, every bundle on the remote\n"
    (here.root / "models" / "judge" / "events" / "0002.json").unlink()
    text = refused("verify")
    assert "models/judge/events/0002.json: it is missing" in text
    assert "next: git checkout" in text
    assert [fault["place"] for fault in json.loads(refused("verify", "--json"))["judge"]] == ["models/judge/events/0002.json"]


def test_an_unknown_model_is_told_with_the_nearest(here: RegistryProject) -> None:
    for command in ("show", "history", "lineage", "verify", "models"):
        done = run(command, "jugde")
        assert (done.exit_code, "did you mean 'judge'?" in done.output) == (2, True), command


def test_a_rollback_is_no_way_around_the_gates(here: RegistryProject) -> None:
    here.promote("1.2.0", 4, stage="staging")
    before = here.git("rev-parse", "HEAD")
    text = refused("rollback", "judge", "--version", "1.2.0", "--reason", "I like it")
    revision = here.registry().version("1.2.0").revision
    assert "judge 1.2.0 never held prod" in text
    assert f"next: watertight promote judge --rev {revision[:12]} --to prod" in text
    assert (here.git("rev-parse", "HEAD"), here.git("status", "--porcelain")) == (before, "")
    here.promote("1.2.0", 5)
    here.promote("1.3.0", 6)
    told("rollback", "judge", "--version", "1.2.0", "--reason", "it was good")


def test_where_nothing_was_held_before_the_way_on_is_a_promotion(here: RegistryProject) -> None:
    here.promote("1.2.0", 4, stage="staging")
    done = run("rollback", "judge", "--to", "staging", "--reason", "it drifts")
    assert (done.exit_code, "next: watertight promote judge --rev REVISION --to staging" in done.output) == (2, True)


@pytest.mark.parametrize("reason", ["", " \t"])
def test_nothing_is_taken_back_or_barred_without_a_word(here: RegistryProject, reason: str) -> None:
    for words in (("rollback", "judge", "--version", "1.1.0"), ("deprecate", "judge@1.1.0")):
        done = run(*words, "--reason", reason)
        assert (done.exit_code, "the reason is empty" in done.output) == (2, True)
    assert here.git("status", "--porcelain") == ""


def test_an_error_is_json_too_where_that_is_asked_for(here: RegistryProject) -> None:
    done = run("rollback", "judge", "--version", "1.0.0", "--reason", "again", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout) == {
        "error": "judge 1.0.0 holds prod already",
        "expected": None,
        "next": "watertight history judge",
        "rows": [],
    }
    assert "judge 1.0.0 holds prod already\n  next: watertight history judge" in done.stderr
    done = run("show", "juge", "--json")
    assert (done.exit_code, json.loads(done.stdout)["error"]) == (2, "no model is called 'juge'; did you mean 'judge'?")
    assert run("show", "juge").stdout == ""


def test_a_name_that_is_mistyped_is_not_repeated_as_what_to_do(here: RegistryProject) -> None:
    for mistyped in ("juge", "judge#prodd"):
        last = run("show", mistyped).stderr.splitlines()[-1]
        assert last.startswith("  next: watertight")
        assert mistyped.partition("#")[2] not in last.split() and "juge" not in last


def test_what_cannot_be_tagged_is_told_before_anything_is_recorded(here: RegistryProject) -> None:
    here.git("tag", "judge@v1.1.0", "HEAD~1")
    before = here.git("rev-parse", "HEAD")
    for words in (("rollback", "judge", "--version", "1.1.0"), ("deprecate", "judge@1.1.0")):
        assert "the tag judge@v1.1.0 has no annotation" in refused(*words, "--reason", "it drifts", "--tag")
    assert (here.git("rev-parse", "HEAD"), here.git("status", "--porcelain")) == (before, "")
    here.git("tag", "--delete", "judge@v1.1.0")
    tags = asked("rollback", "judge", "--version", "1.1.0", "--reason", "it drifts", "--tag")["tags"]
    assert tags[-1] == "judge#prod#4"
