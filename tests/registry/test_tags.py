"""The events as tags, read by the real gto and the real dvc."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from tests.registry.made_records import BY, add_version, at_hour, promoted
from tests.registry.registry_project import RegistryProject, new_registry_project
from watertight.core.errors import Refusal
from watertight.registry.objects import Objects
from watertight.registry.repository import commit, head
from watertight.registry.revisions import stages_of
from watertight.registry.tags import demand_taggable, write_tags

REPOSITORY = Path(__file__).parents[2]
GTO = f"{sys.executable} -m gto.cli"
GRAPH = {
    "stages": {
        "register": {
            "foreach": ["judge"],
            "do": {
                "cmd": "mkdir artifacts/judge/bundle && cp text.txt artifacts/judge/bundle/card.md",
                "deps": ["text.txt"],
                "outs": ["artifacts/${item}/bundle"],
            },
        }
    },
    "artifacts": {"judge": {"type": "model", "path": "artifacts/judge/bundle"}},
}


@pytest.fixture(scope="module")
def kept_tagged(tmp_path_factory: pytest.TempPathFactory) -> RegistryProject:
    """1.0.0, 1.1.0 and 1.0.0 again in prod within one second, each version of a commit of its own, with its bytes."""
    project = new_registry_project(tmp_path_factory.mktemp("tags") / "project")
    (project.root / "dvc.yaml").write_text(yaml.safe_dump(GRAPH))
    (project.root / ".gitignore").write_text("/artifacts\n")
    for version in ("1.0.0", "1.1.0"):
        (project.root / "text.txt").write_text(f"the card of {version}\n")
        project.shell("mkdir -p artifacts/judge && dvc repro --quiet && dvc push --quiet")
        project.git("add", "--all")
        project.git("commit", "--quiet", "--message", f"fit for {version}")
        register(project, version)
    path = project.registry().append("rollback", "1.0.0", stage="prod", at=at_hour(0), by=BY, reason="slow")
    commit(project.root, [path], "roll back")
    return project


def register(project: RegistryProject, version: str) -> None:
    registry, stages = project.registry(), stages_of(project.root, "judge")
    bundle = stages["register"].outs["artifacts/judge/bundle"]
    Objects(project.root).push(bundle)
    add_version(registry, version, revision=head(project.root), bundle=bundle)
    path = promoted(registry, version, 0)
    commit(project.root, [registry.place_of(version), path], f"promote {version}")


@pytest.fixture
def tagged(kept_tagged: RegistryProject, tmp_path: Path) -> RegistryProject:
    shutil.copytree(kept_tagged.root, tmp_path / "project", symlinks=True)
    return RegistryProject(tmp_path / "project")


def test_gto_reads_versions_and_stages(tagged: RegistryProject) -> None:
    written = write_tags(tagged.registry())
    assert written == ["judge@v1.0.0", "judge#prod#1", "judge@v1.1.0", "judge#prod#2", "judge#prod#3"]
    told = json.loads(tagged.shell(f"{GTO} show judge --json"))
    assert {row["version"]: [stage["stage"] for stage in row["stages"]] for row in told} == {"v1.0.0": ["prod"], "v1.1.0": []}
    [held] = [stage for row in told for stage in row["stages"]]
    assert held["author"] == "Ada"


def test_gto_reads_the_last_of_events_of_one_second(tagged: RegistryProject) -> None:
    """GTO orders by whole seconds, and within one by name, where #10 comes before #9."""
    for number in range(4, 11):
        version = "1.0.0" if number % 2 else "1.1.0"
        tagged.registry().append("rollback", version, stage="prod", at=at_hour(0), by=BY, reason="slow")
    write_tags(tagged.registry())
    assert tagged.registry().holders()["prod"].version == "1.1.0"
    assert tagged.shell(f"{GTO} show judge#prod --version").strip() == "v1.1.0"


def test_dvc_gets_what_holds_the_stage(tagged: RegistryProject, tmp_path: Path) -> None:
    write_tags(tagged.registry())
    tagged.shell(f"dvc artifacts get . judge --stage prod --out {tmp_path / 'got'}")
    assert (tmp_path / "got" / "card.md").read_text() == "the card of 1.0.0\n"
    tagged.shell(f"dvc artifacts get . judge --rev v1.1.0 --out {tmp_path / 'other'}")
    assert (tmp_path / "other" / "card.md").read_text() == "the card of 1.1.0\n"


def test_tags_are_written_once_and_the_same_in_another_clone(tagged: RegistryProject, tmp_path: Path) -> None:
    tagged.git("clone", "--quiet", "--no-tags", tagged.root.as_uri(), str(tmp_path / "clone"))
    clone = RegistryProject(tmp_path / "clone")
    assert write_tags(tagged.registry()) == write_tags(clone.registry())
    assert write_tags(tagged.registry()) == []
    assert tagged.git("for-each-ref", "refs/tags") == clone.git("for-each-ref", "refs/tags")


def test_later_events_are_added_and_a_deprecated_version_is_taken_back(tagged: RegistryProject) -> None:
    write_tags(tagged.registry())
    tagged.registry().append("deprecation", "1.1.0", at=at_hour(0), by=BY, reason="wrong labels")
    assert write_tags(tagged.registry()) == ["judge@v1.1.0!"]
    told = json.loads(tagged.shell(f"{GTO} show judge --json"))
    assert [row["version"] for row in told] == ["v1.0.0"]


def test_gto_goes_on_where_our_tags_end(tagged: RegistryProject) -> None:
    write_tags(tagged.registry())
    tagged.shell(f"{GTO} assign judge --version v1.1.0 --stage dev")
    assert "judge#dev#4" in tagged.git("tag").split()


def test_a_tag_of_that_name_elsewhere_is_refused(tagged: RegistryProject) -> None:
    tagged.git("tag", "--annotate", "--message", "by hand", "judge@v1.1.0", "HEAD")
    with pytest.raises(Refusal, match=r"the tag judge@v1\.1\.0 is on commit"):
        write_tags(tagged.registry())
    tagged.git("tag", "--delete", "judge@v1.1.0")
    assert "judge@v1.1.0" in write_tags(tagged.registry())


def test_a_commit_that_is_not_here_is_told(tagged: RegistryProject, tmp_path: Path) -> None:
    tagged.git("clone", "--quiet", "--depth", "1", tagged.root.as_uri(), str(tmp_path / "clone"))
    clone = RegistryProject(tmp_path / "clone")
    with pytest.raises(Refusal, match="is not here, so it cannot be tagged"):
        write_tags(clone.registry())
    clone.git("fetch", "--quiet", "--unshallow")
    assert len(write_tags(clone.registry())) == 5


def test_what_will_stand_against_a_tag_is_told_before(tagged: RegistryProject) -> None:
    """Of the version, whether it is recorded yet or not, and of the stage that it is to get."""
    registry = tagged.registry()
    held = registry.version("1.1.0")
    new = held.model_copy(update={"version": "1.2.0", "revision": head(tagged.root)})
    demand_taggable(registry, new, "prod")
    for name in ("judge@v1.2.0", "judge#prod#4"):
        tagged.git("tag", "--annotate", "--message", "by hand", name, "HEAD~1")
        with pytest.raises(Refusal, match=f"the tag {name} is on commit"):
            demand_taggable(registry, new, "prod")
        tagged.git("tag", "--delete", name)
    gone = new.model_copy(update={"revision": "1" * 40})
    with pytest.raises(Refusal, match=r"of judge 1\.2\.0 is not here, so it cannot be tagged"):
        demand_taggable(registry, gone, "prod")
    write_tags(registry)
    demand_taggable(registry, held, "prod")


def test_every_workload_is_an_artifact_for_tools_that_read_tags() -> None:
    graph = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    places = {name: told["path"] for name, told in graph["artifacts"].items()}
    assert places == {name: f"artifacts/{name}/bundle" for name in params["workloads"]}
