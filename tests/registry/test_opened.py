"""A folder is loaded without git, DVC or Feast; what was edited or is malformed is refused, and nothing in it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from made_bundle import made_bundle, rows

import watertight
from watertight.core import numerics
from watertight.core.errors import Misuse, Refusal
from watertight.registry.bundle import MANIFEST, Manifest, open_bundle, seal

ROOT = Path(__file__).parents[2]
BLOCKED = ("dvc", "dvc_data", "git", "gto", "feast", "great_expectations", "torch", "sentence_transformers", "mlflow")
ALONE = f"""
import sys

class Blocked:
    def find_spec(self, name, *_):
        if name.split(".")[0] in {BLOCKED}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
import polars, watertight
watertight.load(sys.argv[1]).predict(polars.read_parquet(sys.argv[2])).write_parquet(sys.argv[3])
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_bundle(tmp_path_factory.mktemp("made") / "bundle")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return made_bundle(tmp_path / "bundle")


def test_a_folder_loads_in_a_process_that_has_nothing_else(made: Path, tmp_path: Path) -> None:
    rows().write_parquet(tmp_path / "rows.parquet")
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/nowhere", "HOME": str(tmp_path), **numerics.PINNED}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(made), "rows.parquet", "told.parquet"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told, expected = pl.read_parquet(tmp_path / "told.parquet"), watertight.load(made).predict(rows())
    assert told.columns == expected.columns
    assert told["tone_probabilities"].equals(expected["tone_probabilities"])
    for name in ("mood", "mood_lower", "mood_upper"):
        assert (told[name] - expected[name]).abs().max() < 1e-5, "floats of float32, summed by another BLAS kernel perhaps"


def test_a_string_and_a_path_are_the_same_folder(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made.parent)
    assert watertight.load(str(made)).manifest == watertight.load("bundle").manifest == watertight.load(Path("bundle")).manifest


@pytest.mark.parametrize("harm", ["edited", "missing", "added"])
def test_a_file_that_is_not_as_registered_is_refused_by_name(folder: Path, harm: str) -> None:
    name = "models/mood/network-seed1/model.safetensors"
    if harm == "edited":
        body = bytearray((folder / name).read_bytes())
        body[-1] ^= 1
        (folder / name).write_bytes(body)
    elif harm == "missing":
        (folder / name).unlink()
    else:
        name = "models/mood/network-seed1/code.py"
        (folder / name).write_text("raise SystemExit")
    with pytest.raises(Refusal) as caught:
        watertight.load(folder)
    assert caught.value.what == f"the bundle is not what was registered: {name}"


def test_digests_are_looked_at_before_any_model_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr("watertight.inference.loaded.load", lambda family, place: read.append(place))
    (folder / "card.md").write_text("# better")
    with pytest.raises(Refusal, match=r"not what was registered: card\.md"):
        watertight.load(folder)
    assert read == []


@pytest.mark.parametrize("place", ["card.md", "models/mood/words-seed0"])
def test_a_link_is_refused_though_its_bytes_are_right(folder: Path, tmp_path: Path, place: str) -> None:
    (folder / place).rename(tmp_path / "outside")
    (folder / place).symlink_to(tmp_path / "outside")
    open_bundle(folder)
    with pytest.raises(Refusal) as caught:
        watertight.load(folder)
    assert caught.value.what == f"the bundle has links in it, which may lead out of it: {place}"


def cut(body: bytes) -> bytes:
    return body[: len(body) // 2]


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "models/mood/network-seed0/model.safetensors": cut,
    "models/mood/network-seed0/options.json": cut,
    "models/mood/network-seed1/options.json": lambda body: body.replace(b'"members"', b'"menbers"'),
    "models/mood/words-seed0/vocabulary.json": lambda body: b"[" * 100_000,
    "models/mood/words-seed0/model.safetensors": lambda body: b"\xff" * 64,
    "models/mood/sure-seed0/conformal.safetensors": lambda body: body.replace(b"quantile", b"quintile"),
    "models/tone/sure-seed0/model.txt": cut,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_malformed_file_under_a_right_digest_is_a_refusal(folder: Path, name: str) -> None:
    (folder / name).write_bytes(BROKEN[name]((folder / name).read_bytes()))
    sealed_again(folder)
    with pytest.raises(Refusal) as caught:
        watertight.load(folder)
    place = Path(name).parent.as_posix()
    assert place in caught.value.what or caught.value.what.startswith("the models of 'judge' do not answer")
    assert caught.value.next_step == "pull the bundle again"


def sealed_again(folder: Path, **changes: object) -> None:
    told: Manifest = open_manifest(folder).model_copy(update=changes)
    seal(folder, told)


def open_manifest(folder: Path) -> Manifest:
    return Manifest.model_validate_json((folder / MANIFEST).read_text())


def test_a_family_is_of_this_library_and_never_a_path_to_code(folder: Path) -> None:
    told = open_manifest(folder)
    harmful = told.models[0].model_copy(update={"family": "os.system"})
    sealed_again(folder, models=(harmful, *told.models[1:]))
    with pytest.raises(Refusal, match=r"cannot be read as family 'os.system': no family is called 'os.system'"):
        watertight.load(folder)


def test_models_that_disagree_about_a_column_are_refused(folder: Path) -> None:
    told = open_manifest(folder)
    other = [model.model_copy(update={"widths": {"a": 2}}) if model.target == "tone" else model for model in told.models]
    sealed_again(folder, models=tuple(other))
    with pytest.raises(Refusal, match="models of the bundle disagree about a"):
        watertight.load(folder)


def test_no_bundle_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="there is no bundle"):
        watertight.load(tmp_path)


def test_the_library_alone_imports_nothing(tmp_path: Path) -> None:
    code = "import sys, watertight; watertight.load; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"watertight"} <= set(told)
    assert {"polars", "numpy", "pydantic"}.isdisjoint(told)
