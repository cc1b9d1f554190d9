"""A version is loaded by its name: fetched once by its hash, from here or from the remote, and checked each time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import polars as pl
import pytest
from made_bundle import made_bundle, rows
from made_project import MODEL, cloned, made_project

import watertight
from watertight.core.digests import json_digest
from watertight.core.errors import Misuse, Refusal
from watertight.registry.bundle import MANIFEST
from watertight.registry.history import Registry

NO_DVC = """
import sys

class Blocked:
    def find_spec(self, name, *_):
        if name.split(".")[0] in ("dvc", "git", "gto"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
import watertight
print(watertight.load("judge", stage="prod").manifest.workload)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_project(tmp_path_factory.mktemp("made") / "project")


@pytest.fixture
def project(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shallow clone, in which we are; the cache of bundles is its own and empty."""
    monkeypatch.setenv("WATERTIGHT_CACHE", str(tmp_path / "cache"))
    root = cloned(built, tmp_path / "clone")
    monkeypatch.chdir(root / "feature_repo")
    return root


def place(root: Path, version: str) -> Path:
    return root.parent / "cache" / "bundles" / Registry(root, MODEL).version(version).bundle.md5


def answers(version: str | None = None, stage: str | None = None, selector: str = MODEL) -> pl.DataFrame:
    return watertight.load(selector, version=version, stage=stage).predict(rows())


def test_every_way_to_name_a_version_gives_its_own_predictions(project: Path, tmp_path: Path) -> None:
    first, second = (watertight.load(made_bundle(tmp_path / str(shift), shift)).predict(rows()) for shift in (0.0, 1.0))
    assert not first.equals(second)
    assert answers().equals(second), "prod's"
    assert answers(stage="prod").equals(second) and answers(selector="judge#prod").equals(second)
    assert answers(version="1.0.0").equals(first) and answers(selector="judge@1.0.0").equals(first)
    assert answers(version="1.1.0").equals(second)
    assert sorted(path.name for path in (tmp_path / "cache" / "bundles").iterdir()) == sorted(
        place(project, version).name for version in ("1.0.0", "1.1.0")
    ), "no drafts"


def test_after_a_rollback_the_stage_is_the_older_version(project: Path) -> None:
    from made_records import promoted

    promoted(Registry(project, MODEL), "1.0.0", 5, kind="rollback", reason="worse at night")
    assert answers(stage="prod").equals(answers(version="1.0.0"))


def test_what_is_here_already_needs_neither_dvc_nor_the_remote(project: Path) -> None:
    answers()
    shutil.rmtree(project / ".dvc")
    answers()
    told = subprocess.run([sys.executable, "-c", NO_DVC], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout == "judge\n"


@pytest.mark.parametrize("harm", ["edited", "sealed anew", "linked"])
def test_a_bundle_that_was_edited_in_the_cache_is_refused_each_time(project: Path, harm: str) -> None:
    answers()
    found = place(project, "1.1.0")
    if harm == "edited":
        (found / "card.md").write_text("# better\n")
    elif harm == "linked":
        (found / "card.md").rename(project / "card.md")
        (found / "card.md").symlink_to(project / "card.md")
    else:
        shutil.rmtree(found)
        made_bundle(found, 7.0)
    for _ in range(2):
        with pytest.raises(Refusal) as caught:
            answers()
        assert caught.value.next_step == f"remove {found}, which is a copy, and try again"
    shutil.rmtree(found)
    answers()


def test_bytes_that_nobody_has_are_refused_and_leave_nothing(project: Path, tmp_path: Path) -> None:
    shutil.rmtree(project / ".dvc" / "cache", ignore_errors=True)
    (project / ".dvc" / "config").write_text(f"[core]\n    remote = r\n['remote \"r\"']\n    url = {tmp_path / 'empty'}\n")
    with pytest.raises(Refusal, match="has"):
        answers()
    assert list((tmp_path / "cache").rglob("*")) == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"source": "jugde"}, "no model is called 'jugde'; did you mean 'judge'"),
        ({"source": "judge", "version": "1.0.1"}, "no version '1.0.1'; did you mean '1.0.0'"),
        ({"source": "judge", "stage": "prd"}, "no version of judge holds 'prd'; did you mean 'prod'"),
        ({"source": "judge@1.0.0", "stage": "prod"}, "'judge@1.0.0' is to be prod and 1.0.0"),
        ({"source": "judge", "stage": "prod", "version": "1.0.0"}, "'judge' is to be 1.0.0 and prod"),
        ({"source": "no/such/folder"}, "there is no bundle"),
    ],
)
def test_a_name_that_is_not_is_misuse(project: Path, asked: dict[str, str], told: str) -> None:
    with pytest.raises(Misuse) as caught:
        watertight.load(**asked)
    assert told in str(caught.value)


def test_outside_of_a_project_there_are_no_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Misuse, match="is not in a Watertight project"):
        watertight.load("judge", stage="prod")


def test_a_folder_of_that_name_is_meant_unless_a_stage_is(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_bundle(project / MODEL, 5.0)
    monkeypatch.chdir(project)
    here = answers()
    assert here.equals(watertight.load(project / MODEL).predict(rows()))
    assert not here.equals(answers(stage="prod"))


def _digest(root: str) -> str:
    return json_digest(answers().to_dicts())


def test_processes_that_bring_it_at_once_all_get_it(project: Path, tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as processes:
        told = set(processes.map(_digest, [str(project)] * 3))
    assert len(told) == 1
    assert [path.name for path in (tmp_path / "cache" / "bundles").iterdir()] == [place(project, "1.1.0").name]
    assert (place(project, "1.1.0") / MANIFEST).is_file()
