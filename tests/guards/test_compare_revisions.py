"""Sides that are versions, commits and experiments, with real git and DVC: their outputs come from DVC by their hashes."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_project import TinyProject

from pipelines.comparison.answer import compared
from pipelines.comparison.asked import asked, names_of
from tests.registry.made_records import made_facts, promoted
from tests.story.project_copies import ProjectCopy, copy, environment
from watertight.core.errors import Misuse
from watertight.core.project import Project
from watertight.registry.history import Registry
from watertight.registry.objects import Objects
from watertight.registry.revisions import checkout, resolve, stages_of

STRENGTH = "train.cells.past.options.strength"
READS = {
    "ingest": ["pipelines/sources/tiny"],
    "join": ["data/tiny/rows", "feature_repo/tiny.py"],
    "guard": ["data/tiny/training_set"],
    "train": ["data/tiny/training_set", "artifacts/tiny/guard"],
    "evaluate": ["data/tiny/training_set", "artifacts/tiny/train"],
}
WRITES = {
    "ingest": ["data/tiny/rows"],
    "join": ["data/tiny/training_set"],
    "guard": ["artifacts/tiny/guard"],
    "train": ["artifacts/tiny/train"],
    "evaluate": ["artifacts/tiny/evaluate", "artifacts/tiny/plots"],
}
PARAMS = {"train": ["${item}.train"], "evaluate": ["${item}.evaluate"]}


def _graph() -> dict[str, Any]:
    """The stages that a comparison rests on."""
    stages: dict[str, Any] = {
        stage: {
            "foreach": "${workloads}",
            "do": {
                "cmd": f"{sys.executable} -m pipelines.{stage} ${{item}}",
                "deps": READS[stage],
                "params": PARAMS.get(stage, []),
                "outs": WRITES[stage],
            },
        }
        for stage in READS
    }
    stages["evaluate"]["do"]["metrics"] = ["artifacts/tiny/metrics.json"]
    return {"stages": stages}


@pytest.fixture(scope="session")
def experimented(built: TinyProject, tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """The tiny project committed on ``main`` with its outputs in DVC's cache, and an experiment ``loose`` with another param."""
    folder = tmp_path_factory.mktemp("experimented")
    root = Path(shutil.copytree(built.root, folder / "project", ignore=shutil.ignore_patterns("__pycache__")))
    settings = {**environment(folder), "PYTHONPATH": str(Path(__file__).parents[2])}
    project = ProjectCopy(root, settings)
    (root / "dvc.yaml").write_text(yaml.safe_dump(_graph(), sort_keys=False))
    (root / ".gitignore").write_text("/data\n/artifacts\n__pycache__\n")
    project.git("init", "--quiet", "--initial-branch", "main")
    project.dvc("init", "--quiet")
    project.dvc("commit", "--force", "--quiet")
    project.commit("the tiny project")
    project.dvc("exp", "run", "--name", "loose", "-S", f"tiny.{STRENGTH}=3")
    project.git("reset", "--hard", "--quiet")
    return project


@pytest.fixture
def project(experimented: ProjectCopy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectCopy:
    """A copy of its own, whose working tree has the params and the lock of ``main`` again and the outputs of ``loose``."""
    own = copy(experimented, tmp_path / "project")
    for name, value in own.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(own.root)
    return own


def answer(project: ProjectCopy, *words: str) -> dict[str, Any]:
    with asked(Project(project.root), words) as found:
        return compared(found.work, found.one, found.other, found.notes)


@pytest.fixture
def registered(project: ProjectCopy) -> Iterator[ProjectCopy]:
    """Version 1.0.0 is of ``main``, 1.1.0 of ``loose``, which holds prod."""
    registry = Registry(project.root, "tiny")
    for hour, (version, name) in enumerate((("1.0.0", "main"), ("1.1.0", "loose"))):
        revision = resolve(project.root, name)
        with checkout(project.root, revision.commit) as tree:
            section = yaml.safe_load((tree / "params.yaml").read_text())["tiny"]
            stages = stages_of(tree, "tiny")
        facts = made_facts("tiny", revision=revision.commit, cell="past", params=section, stages=stages)
        registry.write_version(facts.numbered(version, ("a test",)))
        promoted(registry, version, hour)
    yield project


def test_an_experiment_beside_its_branch_differs_by_its_param_and_its_figures(project: ProjectCopy) -> None:
    told = answer(project, "tiny", "loose", "main")
    assert told["params"] == [{"key": STRENGTH, "old": 100, "new": 3}]
    assert [told[part] for part in ("cell", "features", "data", "refused", "notes")] == [[], {}, {}, [], []]
    shown = {name: json.loads(project.dvc("exp", "diff", "main", "loose", "--json"))[name] for name in ("metrics", "params")}
    [metrics] = shown["metrics"].values()
    assert [row["target"] for row in told["figures"]] == ["mood", "energy"]
    for row in told["figures"]:
        assert row["rmse"]["figure"] == pytest.approx(metrics[f"{row['target']}.rmse"]["diff"], abs=1e-5)
        assert row["rmse"]["low"] is not None, "what dvc does not tell"
    assert (told["one"]["cell"], told["one"]["revision"]) == ("past", resolve(project.root, "loose").commit)
    assert not list(project.root.rglob("watertight-sides-*"))


def test_a_revision_beside_itself_differs_in_nothing(project: ProjectCopy) -> None:
    told = answer(project, "tiny", "main", "HEAD")
    assert [told[part] for part in ("params", "cell", "features", "data", "refused", "notes")] == [[], [], {}, {}, [], []]
    assert {row["rmse"]["figure"] for row in told["figures"]} == {0.0}


def test_two_versions_are_compared_by_number_and_by_stage(registered: ProjectCopy) -> None:
    told = answer(registered, "tiny#prod", "tiny@1.0.0")
    assert [told[side]["name"] for side in ("one", "other")] == ["tiny@1.1.0", "tiny@1.0.0"]
    assert told["params"] == [{"key": STRENGTH, "old": 100, "new": 3}]
    assert told["figures"] == answer(registered, "tiny", "loose", "main")["figures"]
    assert answer(registered, "tiny", "@1.1.0", "main")["figures"] == told["figures"]
    assert answer(registered, "tiny", "tiny@1.0.0")["one"]["name"] == "tiny@1.1.0", "prod, where nothing else is said"


def test_the_working_tree_is_told_to_be_stale_where_its_outputs_or_params_are(project: ProjectCopy) -> None:
    told = answer(project, "tiny", "workspace", "main")
    assert told["figures"] == answer(project, "tiny", "loose", "main")["figures"]
    edited = ["artifacts/tiny/train/predictions.parquet", "artifacts/tiny/evaluate/evaluation.json"]
    assert told["notes"] == [
        f"workspace: not what dvc.lock says: {', '.join([*edited, 'artifacts/tiny/evaluate/figures.parquet'])}"
    ]
    project.dvc("checkout", "--quiet", "--force")
    assert answer(project, "tiny", "workspace", "main")["notes"] == []
    params = project.root / "params.yaml"
    params.write_text(params.read_text().replace("strength: 100}}", "strength: 7}}"))
    told = answer(project, "tiny", "workspace", "main")
    assert told["params"] == [{"key": STRENGTH, "old": 100, "new": 7}]
    assert told["notes"] == [
        "workspace: its outputs are not those of its own params, code and data: "
        "train@tiny: the param tiny.train has another value than the stage was run with"
    ]


def test_a_commit_whose_stages_were_not_run_is_told_so(project: ProjectCopy) -> None:
    params = project.root / "params.yaml"
    params.write_text(params.read_text().replace("strength: 100}}", "strength: 7}}"))
    project.commit("not run")
    [note] = answer(project, "tiny", "HEAD", "HEAD~1")["notes"]
    assert note.startswith("HEAD: its outputs are not those of its own params, code and data: train@tiny: the param tiny.train")


def test_a_cell_goes_before_a_branch_of_its_name_and_that_is_told(project: ProjectCopy) -> None:
    project.git("branch", "mean")
    told = answer(project, "tiny", "mean", "main")
    assert (told["one"], told["other"]["cell"]) == ({"name": "mean", "cell": "mean", "revision": ""}, "past")
    commit = resolve(project.root, "main").commit
    assert told["notes"] == [f"'mean' is a cell and a revision; the cell was taken (the revision is {commit[:12]})"]


def test_what_the_cache_lacks_comes_from_the_remote_and_nothing_that_is_not_read(registered: ProjectCopy, tmp_path: Path) -> None:
    before = answer(registered, "tiny#prod", "tiny@1.0.0")
    registered.dvc("remote", "add", "--quiet", "--default", "storage", str(tmp_path / "remote"))
    stages = [
        stage for version in ("1.0.0", "1.1.0") for stage in Registry(registered.root, "tiny").version(version).stages.values()
    ]
    Objects(registered.root).push(*(stored for stage in stages for stored in stage.outs.values()))
    cache = registered.root / ".dvc" / "cache" / "files"
    shutil.rmtree(cache)
    assert answer(registered, "tiny#prod", "tiny@1.0.0") == before
    outs = Registry(registered.root, "tiny").version("1.0.0").stages["train"].outs
    files = Objects(registered.root).files(outs["artifacts/tiny/train"])
    kept = {place for place, md5 in files.items() if (cache / "md5" / md5[:2] / md5[2:]).is_file()}
    assert kept == {"predictions.parquet"}


def test_what_was_never_pushed_is_told_and_the_rest_stands(registered: ProjectCopy) -> None:
    objects = Objects(registered.root)
    outs = Registry(registered.root, "tiny").version("1.0.0").stages["train"].outs
    lost = objects.files(outs["artifacts/tiny/train"])["predictions.parquet"]
    (registered.root / ".dvc" / "cache" / "files" / "md5" / lost[:2] / lost[2:]).unlink()
    told = answer(registered, "tiny#prod", "tiny@1.0.0")
    [line] = told["refused"]
    assert (line["part"], told["figures"]) == ("figures", [])
    assert line["what"].startswith(
        "tiny@1.0.0 has no artifacts/tiny/train/predictions.parquet: it is not in DVC's cache, and DVC has"
    )
    assert told["params"] == [{"key": STRENGTH, "old": 100, "new": 3}]


def test_an_old_training_set_that_is_gone_leaves_the_params(registered: ProjectCopy) -> None:
    outs = Registry(registered.root, "tiny").version("1.0.0").stages["join"].outs
    gone = outs["data/tiny/training_set"].md5
    (registered.root / ".dvc" / "cache" / "files" / "md5" / gone[:2] / gone[2:]).unlink()
    told = answer(registered, "tiny", "workspace", "@1.0.0")
    assert {line["part"] for line in told["refused"]} == {"figures", "features", "data"}
    assert all("tiny@1.0.0 has no data/tiny/training_set/" in line["what"] for line in told["refused"])
    assert told["other"]["revision"] == resolve(registered.root, "main").commit


def test_the_command_tells_all_that_and_ends_with_1_where_something_is_refused(registered: ProjectCopy) -> None:
    command = (sys.executable, "-c", "from watertight.cli import app; app()", "compare")
    done = registered.ended(*command, "tiny@1.1.0", "tiny@1.0.0")
    assert done.returncode == 0, done.stdout
    assert "tiny@1.1.0 (past) less tiny@1.0.0 (past)" in done.stdout
    assert STRENGTH in done.stdout
    (registered.root / "artifacts" / "tiny" / "evaluate" / "evaluation.json").unlink()
    done = registered.ended(*command, "tiny", "workspace", "loose", "--json")
    assert (done.returncode, json.loads(done.stdout)["refused"][0]["part"]) == (1, "figures")


@pytest.mark.parametrize("words", [("tiny@1.0.0", "other#prod"), ("tiny@1.0.0",), ("tiny", "past"), ("a", "b", "c", "d")])
def test_words_that_name_no_two_sides_are_misuse(words: tuple[str, ...]) -> None:
    with pytest.raises(Misuse, match="names no two sides of one model"):
        names_of(words)


def test_a_name_that_is_nothing_is_answered_with_what_is_near(project: ProjectCopy) -> None:
    with pytest.raises(Misuse, match=r"'losse'; did you mean 'loose'\?; nor is a cell"):
        answer(project, "tiny", "losse", "main")
