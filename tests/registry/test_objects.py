from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stores.offline.object_store import CREDENTIALS, bucket, endpoint
from tests.story.project_copies import REPOSITORY, ProjectCopy
from watertight.core.errors import Misuse, Refusal
from watertight.registry.objects import Objects
from watertight.registry.records import Stored

FILES = {"manifest.json": "{}", "models/a/model.json": "[1]", "models/b/model.json": "[2]", "models/c/model.json": "[1]"}


def bundle(folder: Path) -> Path:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def in_store(store: Path, name: str) -> Path:
    return store / "files" / "md5" / name[:2] / name[2:]


def spoil(path: Path) -> None:
    """Other bytes, and a mode and a time that say that nothing happened: DVC believes it."""
    then = path.stat()
    path.chmod(0o644)
    path.write_text(path.read_text()[::-1] + "!")
    path.chmod(then.st_mode)
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))


@pytest.fixture
def kept(bare: ProjectCopy) -> tuple[Objects, Stored]:
    objects = Objects(bare.root)
    return objects, objects.keep(bundle(bare.root / "bundle"))


def forget(project: ProjectCopy) -> Objects:
    """The same project as somebody else has it: with an empty cache."""
    shutil.rmtree(project.root / ".dvc" / "cache")
    return Objects(project.root)


def test_a_folder_is_kept_under_the_hash_that_dvc_gives_it(bare: ProjectCopy) -> None:
    stored = Objects(bare.root).keep(bundle(bare.root / "bundle"))
    bare.dvc("add", "--quiet", "bundle")
    told = (bare.root / "bundle.dvc").read_text()
    assert f"md5: {stored.md5}\n" in told
    assert (stored.size, stored.nfiles) == (sum(map(len, FILES.values())), len(FILES))
    file = Objects(bare.root).keep(bare.root / "bundle" / "manifest.json")
    assert file == Stored(md5=md5("{}"), size=2)


def test_what_is_pushed_is_fetched_and_written_byte_for_byte(
    bare: ProjectCopy, kept: tuple[Objects, Stored], tmp_path: Path
) -> None:
    objects, stored = kept
    everything = sorted({stored.md5, *map(md5, FILES.values())})
    assert objects.missing(stored) == everything
    objects.push(stored)
    assert objects.missing(stored) == []
    objects = forget(bare)
    assert objects.missing(stored) == []
    objects.fetch(stored)
    objects.write(stored, tmp_path / "copy")
    assert contents(tmp_path / "copy") == FILES
    assert objects.files(stored) == {name: md5(text) for name, text in FILES.items()}


def test_a_file_travels_as_a_folder_does(bare: ProjectCopy, tmp_path: Path) -> None:
    objects = Objects(bare.root)
    stored = objects.keep(bundle(bare.root / "bundle") / "manifest.json")
    objects.push(stored)
    objects = forget(bare)
    objects.fetch(stored)
    objects.write(stored, tmp_path / "in" / "copy.json")
    assert (tmp_path / "in" / "copy.json").read_text() == "{}"


def test_what_dvc_pushes_is_not_missing_and_dvc_pulls_what_was_pushed(bare: ProjectCopy) -> None:
    bundle(bare.root / "bundle")
    bare.dvc("add", "--quiet", "bundle")
    objects = Objects(bare.root)
    stored = objects.keep(bare.root / "bundle")
    bare.dvc("push", "--quiet")
    assert objects.missing(stored) == []
    shutil.rmtree(bare.root / ".dvc" / "remote")
    objects.push(stored)
    forget(bare)
    shutil.rmtree(bare.root / "bundle")
    bare.dvc("pull", "--quiet")
    assert contents(bare.root / "bundle") == FILES


def test_one_absent_file_of_a_folder_is_told_even_after_dvc_has_seen_the_folder_there(
    bare: ProjectCopy, kept: tuple[Objects, Stored]
) -> None:
    objects, stored = kept
    objects.push(stored)
    in_store(bare.root / ".dvc" / "remote", md5("[2]")).unlink()
    assert objects.missing(stored) == [md5("[2]")]
    objects.push(stored)
    assert objects.missing(stored) == []


def test_of_a_folder_that_nobody_knows_only_its_own_hash_is_missing(bare: ProjectCopy) -> None:
    unknown = Stored(md5="0" * 32 + ".dir", size=1, nfiles=1)
    assert Objects(bare.root).missing(unknown) == [unknown.md5]


@pytest.mark.parametrize("links", ["hardlink", "symlink", "reflink"])
def test_a_copy_may_be_edited_and_the_cache_does_not_change(bare: ProjectCopy, tmp_path: Path, links: str) -> None:
    bare.dvc("config", "--quiet", "cache.type", links)
    objects = Objects(bare.root)
    stored = objects.keep(bundle(bare.root / "bundle"))
    objects.write(stored, tmp_path / "copy")
    (bare.root / "bundle" / "manifest.json").write_text("edited where it was made")
    for path in (tmp_path / "copy").rglob("*.json"):
        assert path.stat().st_nlink == 1
        assert not path.is_symlink()
        path.write_text("edited")
    objects.write(stored, tmp_path / "again")
    assert contents(tmp_path / "again") == FILES


def test_nothing_is_written_over(kept: tuple[Objects, Stored], tmp_path: Path) -> None:
    objects, stored = kept
    (tmp_path / "empty").mkdir()
    objects.write(stored, tmp_path / "empty")
    (tmp_path / "file").write_text("mine")
    for place in ("empty", "file"):
        with pytest.raises(Misuse, match="is there already"):
            objects.write(stored, tmp_path / place)
    assert (tmp_path / "file").read_text() == "mine"


def test_what_is_not_there_cannot_be_kept(bare: ProjectCopy) -> None:
    with pytest.raises(Misuse, match="is not there"):
        Objects(bare.root).keep(bare.root / "nothing")


@pytest.mark.parametrize("lost", [md5("[2]"), None], ids=["file", "folder"])
@pytest.mark.parametrize("how", [Path.unlink, spoil], ids=["absent", "corrupted"])
def test_what_the_cache_lacks_or_has_corrupted_is_neither_pushed_nor_written_and_fetching_mends_it(
    bare: ProjectCopy, kept: tuple[Objects, Stored], tmp_path: Path, how: Callable[[Path], None], lost: str | None
) -> None:
    objects, stored = kept
    name, remote = lost or stored.md5, bare.root / ".dvc" / "remote"
    how(in_store(bare.root / ".dvc" / "cache", name))
    with pytest.raises(Refusal, match=name + (", of which 1 corrupted" if how is spoil else "")):
        objects.push(stored)
    assert not remote.exists()
    with pytest.raises(Refusal, match=name):
        objects.write(stored, tmp_path / "copy")
    assert not list(tmp_path.glob("*copy*"))
    with pytest.raises(Refusal, match=f"neither DVC's cache nor the remote .* has {name}"):
        objects.fetch(stored)

    objects.keep(bundle(tmp_path / "once more"))
    objects.push(stored)
    how(in_store(bare.root / ".dvc" / "cache", name))
    objects.fetch(stored)
    objects.write(stored, tmp_path / "copy")
    assert contents(tmp_path / "copy") == FILES


@pytest.mark.parametrize("spoilt", [md5("[2]"), None], ids=["file", "folder"])
def test_what_the_remote_has_corrupted_is_refused_and_does_not_stay_in_the_cache(
    bare: ProjectCopy, kept: tuple[Objects, Stored], spoilt: str | None
) -> None:
    objects, stored = kept
    name = spoilt or stored.md5
    objects.push(stored)
    spoil(in_store(bare.root / ".dvc" / "remote", name))
    with pytest.raises(Refusal, match=name):
        forget(bare).fetch(stored)
    assert not in_store(bare.root / ".dvc" / "cache", name).exists()


def test_a_whole_cache_needs_no_remote(bare: ProjectCopy, tmp_path: Path) -> None:
    bare.dvc("remote", "remove", "--quiet", "storage")
    objects = Objects(bare.root)
    stored = objects.keep(bundle(bare.root / "bundle"))
    objects.fetch(stored)
    objects.write(stored, tmp_path / "copy")
    assert contents(tmp_path / "copy") == FILES
    for ask in (objects.missing, objects.push):
        with pytest.raises(Misuse, match="no default remote") as told:
            ask(stored)
        assert "dvc remote add --default" in str(told.value)


def test_a_remote_that_does_not_answer_or_that_this_machine_cannot_use_is_misuse(
    bare: ProjectCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**CREDENTIALS, "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    stored = Objects(bare.root).keep(bundle(bare.root / "bundle"))
    bare.dvc("remote", "modify", "--quiet", "storage", "url", "s3://bucket/place")
    bare.dvc("remote", "modify", "--quiet", "storage", "endpointurl", "http://127.0.0.1:9")
    with pytest.raises(Misuse, match=r"s3://bucket/place does not answer: .*127\.0\.0\.1:9"):
        Objects(bare.root).missing(stored)
    bare.dvc("remote", "remove", "--quiet", "storage")
    bare.dvc("remote", "add", "--quiet", "--default", "storage", "gs://bucket/place")
    with pytest.raises(Misuse, match="dvc-gs"):
        Objects(bare.root).push(stored)


def test_a_push_that_fails_half_way_leaves_no_folder_on_the_remote_and_the_next_one_ends_it(bare: ProjectCopy) -> None:
    (bundle(bare.root / "bundle") / "large").write_bytes(bytes(4 * 2**20))
    objects = Objects(bare.root)
    stored = objects.keep(bare.root / "bundle")
    script = (
        "import sys; from pathlib import Path; from watertight.registry.objects import Objects, Stored;"
        "Objects(Path.cwd()).push(Stored.model_validate_json(sys.argv[1]))"
    )
    limited = ["bash", "-c", 'ulimit -f 2048; exec "$@"', "bash", sys.executable, "-c", script, stored.model_dump_json()]
    environment = {**bare.environment, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(limited, cwd=bare.root, env=environment, capture_output=True, text=True, check=False)
    assert "does not answer" in done.stderr, done.stderr
    assert "File too large" in done.stderr
    assert stored.md5 in objects.missing(stored)
    objects.push(stored)
    assert objects.missing(stored) == []


@pytest.mark.parametrize("place", ["../outside", "/etc/outside", "a/../../outside"])
def test_a_folder_that_names_files_outside_of_it_is_not_written(bare: ProjectCopy, tmp_path: Path, place: str) -> None:
    objects = Objects(bare.root)
    objects.keep(bundle(bare.root / "bundle"))
    listing = json.dumps([{"md5": md5("{}"), "relpath": place}])
    hostile = Stored(md5=f"{md5(listing)}.dir", size=2, nfiles=1)
    path = in_store(bare.root / ".dvc" / "cache", hostile.md5)
    path.parent.mkdir(exist_ok=True)
    path.write_text(listing)
    with pytest.raises(Refusal, match="names files outside of it"):
        objects.write(hostile, tmp_path / "in" / "copy")
    assert not list(tmp_path.rglob("outside"))


def test_a_folder_that_dvc_does_not_know_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="no project of DVC"):
        Objects(tmp_path)


def test_the_product_pushes_into_its_own_folder_which_git_ignores_until_a_team_names_another_place(
    tmp_path: Path, own_environment: dict[str, str]
) -> None:
    project = ProjectCopy(tmp_path / "product", own_environment)
    for name in (".gitignore", ".dvc/config", ".dvc/.gitignore"):
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, project.root / name)
    project.git("init", "--quiet")
    project.commit("the product's settings")
    stored = Objects(project.root).keep(bundle(project.root / "artifacts" / "toy" / "bundle"))
    Objects(project.root).push(stored)
    project.dvc("push", "--quiet")
    assert in_store(project.root / ".dvc" / "remote", stored.md5).is_file()
    assert project.git("status", "--porcelain") == ""

    project.dvc("remote", "modify", "--quiet", "storage", "url", str(tmp_path / "for all"))
    assert len(Objects(project.root).missing(stored)) == 4
    Objects(project.root).push(stored)
    assert in_store(tmp_path / "for all", stored.md5).is_file()


def test_an_s3_remote_carries_a_bundle_into_a_shallow_clone(bare: ProjectCopy, tmp_path: Path) -> None:
    url = f"s3://{bucket()}/{tmp_path.name}"
    bare.dvc("remote", "modify", "--quiet", "storage", "url", url)
    bare.dvc("remote", "modify", "--quiet", "storage", "endpointurl", endpoint())
    bare.commit("a remote for all")
    objects = Objects(bare.root)
    stored = objects.keep(bundle(bare.root / "bundle"))
    assert len(objects.missing(stored)) == 4
    objects.push(stored)
    assert objects.missing(stored) == []

    bare.git("clone", "--quiet", "--depth", "1", f"file://{bare.root}", str(tmp_path / "second"))
    second = Objects(tmp_path / "second")
    assert second.missing(stored) == []
    second.fetch(stored)
    second.write(stored, tmp_path / "copy")
    assert contents(tmp_path / "copy") == FILES
    absent = Stored(md5=md5("never pushed"), size=1)
    with pytest.raises(Refusal, match=f"nor the remote {url} has {absent.md5}"):
        second.fetch(absent)


def test_the_folder_remote_is_asked_about_a_bundle_in_well_under_a_second(bare: ProjectCopy) -> None:
    for number in range(200):
        bundle(bare.root / "bundle" / str(number))
        (bare.root / "bundle" / str(number) / "own.txt").write_text(str(number))
    objects = Objects(bare.root)
    stored = objects.keep(bare.root / "bundle")
    objects.push(stored)
    began = time.process_time()
    assert objects.missing(stored) == []
    assert time.process_time() - began < 0.5
