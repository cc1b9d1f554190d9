from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watertight.core.errors import Misuse, Refusal, WatertightError
from watertight.registry.bundle import MANIFEST, Bundle, Manifest, Model, open_bundle, seal
from watertight.registry.card import card

PLACES = ["../x", "models/../../x", "/etc", "..", ".", "", "models\\..\\x"]


def model(folder: str, target: str = "valence") -> Model:
    return Model(
        target=target,
        kind="scalar",
        cell="all",
        seed=0,
        family="mean",
        folder=folder,
        columns=("toy__a", "toy__b"),
        widths={"toy__b": 3},
        fitted_on="f00d",
    )


def manifest(**changes: Any) -> Manifest:
    told = {
        "workload": "toy",
        "source": "simulated",
        "cell": "all",
        "runtime": "watertight",
        "encoder": "none",
        "service": "toy",
        "signature": {"views": {"toy": ["a", "b"]}},
        "models": (model("models/valence/all-seed0"), model("models/arousal/all-seed0", "arousal")),
    }
    return Manifest(**{**told, **changes})


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A bundle of two models and a card; one model's folder holds a file with the manifest's own name."""
    folder = tmp_path / "bundle"
    for place, body in {
        "models/valence/all-seed0/model.txt": "valence",
        "models/valence/all-seed0/manifest.json": "{}",
        "models/arousal/all-seed0/model.txt": "arousal",
        "card.md": "# toy",
    }.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(body)
    seal(folder, manifest())
    return folder


def edited(folder: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    told = json.loads((folder / MANIFEST).read_text())
    edit(told)
    (folder / MANIFEST).write_text(json.dumps(told))


def test_a_bundle_comes_back_as_it_was_sealed(sealed: Path) -> None:
    found = open_bundle(sealed)
    assert found.manifest.model_copy(update={"files": {}}) == manifest()
    assert [(model.target, place) for model, place in found.places()] == [
        ("valence", sealed / "models/valence/all-seed0"),
        ("arousal", sealed / "models/arousal/all-seed0"),
    ]


def test_every_file_but_the_manifest_has_its_sha256_in_it(sealed: Path) -> None:
    files = [path for path in sealed.rglob("*") if path.is_file() and path != sealed / MANIFEST]
    assert len(files) == 4
    expected = {path.relative_to(sealed).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert open_bundle(sealed).manifest.files == expected


def test_sealing_twice_gives_the_same_bytes(sealed: Path) -> None:
    before = (sealed / MANIFEST).read_bytes()
    seal(sealed, manifest())
    assert (sealed / MANIFEST).read_bytes() == before
    assert isinstance(open_bundle(sealed), Bundle)


def test_no_bundle_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="there is no bundle"):
        open_bundle(tmp_path)


@pytest.mark.parametrize("name", ["card.md", "models/valence/all-seed0/model.txt", "models/valence/all-seed0/manifest.json"])
@pytest.mark.parametrize("harm", ["edited", "missing"])
def test_an_edited_or_missing_file_is_refused_by_name(sealed: Path, name: str, harm: str) -> None:
    if harm == "edited":
        (sealed / name).write_bytes((sealed / name).read_bytes() + b"\n")
    else:
        (sealed / name).unlink()
    with pytest.raises(Refusal) as caught:
        open_bundle(sealed)
    assert caught.value.what == f"the bundle is not what was registered: {name}"


@pytest.mark.parametrize("name", ["more.txt", "models/valence/all-seed0/.hidden", "models/arousal/all-seed0/manifest.json"])
def test_an_added_file_is_refused_by_name(sealed: Path, name: str) -> None:
    (sealed / name).write_text("{}")
    with pytest.raises(Refusal) as caught:
        open_bundle(sealed)
    assert caught.value.what == f"the bundle is not what was registered: {name}"


def test_all_files_that_changed_are_named_together(sealed: Path) -> None:
    (sealed / "card.md").write_text("# better")
    (sealed / "more.txt").write_text("more")
    with pytest.raises(Refusal, match=r"card\.md, more\.txt"):
        open_bundle(sealed)


def test_an_unknown_key_of_the_manifest_is_refused(sealed: Path) -> None:
    edited(sealed, lambda told: told.update(runtme="python"))
    with pytest.raises(Misuse, match="runtme: unknown key; did you mean 'runtime'"):
        open_bundle(sealed)


def test_an_unknown_key_of_a_model_is_refused(sealed: Path) -> None:
    edited(sealed, lambda told: told["models"][1].update(loader="pickle"))
    with pytest.raises(Misuse, match=r"models\.1\.loader: unknown key"):
        open_bundle(sealed)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00"])
def test_a_broken_manifest_is_told_without_a_traceback(sealed: Path, text: str) -> None:
    (sealed / MANIFEST).write_text(text)
    with pytest.raises(WatertightError, match=r"manifest.json"):
        open_bundle(sealed)


@pytest.mark.parametrize("place", PLACES)
def test_a_model_outside_the_bundle_is_refused(sealed: Path, place: str) -> None:
    edited(sealed, lambda told: told["models"][0].update(folder=place))
    with pytest.raises(Misuse, match=r"models\.0\.folder: .* is no place inside the bundle"):
        open_bundle(sealed)
    with pytest.raises(ValueError, match="is no place inside the bundle"):
        model(place)


@pytest.mark.parametrize("place", PLACES)
def test_a_file_outside_the_bundle_is_refused(sealed: Path, place: str) -> None:
    outside = sealed.parent / "x"
    outside.write_text("outside")
    edited(sealed, lambda told: told["files"].update({place: hashlib.sha256(b"outside").hexdigest()}))
    with pytest.raises(Misuse, match="is no place inside the bundle"):
        open_bundle(sealed)


def test_the_card_tells_models_figures_rows_and_guard() -> None:
    figure = {"target": "valence", "part": "out_of_fold", "value": "", "rows": 40, "groups": 9, "row_set": "abcd"}
    rmse = {**figure, "seed": 0, "slice": "", "metric": "rmse", "figure": 0.51234, "low": 0.41, "high": 0.62}
    undefined = {**rmse, "metric": "r", "figure": None, "low": None, "high": None}
    averaged = {**rmse, "seed": None, "figure": 0.5, "low": None, "high": None}
    facts = {
        "about": "A toy.\n",
        "licence": "",
        "figures": [
            *[{**record, "cell": cell} for cell in ("all", "mean", "secret") for record in (rmse, undefined)],
            {**averaged, "cell": "mean"},
            {**rmse, "slice": "language", "cell": "all", "figure": 0.7},
        ],
        "split": {"train fold 0": {"rows": 20, "groups": 4}},
        "guard": {"pass": 7, "fail": 0, "skipped": 1},
        "baselines": ("mean",),
    }
    told = card(manifest(), facts).splitlines()
    assert told[0] == "# toy"
    assert "| target | cell | rmse | r | rows | row set |" in told
    assert "| valence | all | 0.5123 [0.4100, 0.6200] |  | 40 | abcd |" in told
    assert "| valence | mean | 0.5000 |  | 40 | abcd |" in told, "the mean prediction of several seeds"
    assert not any("0.7000" in line for line in told), "no slices"
    assert not any("secret" in line for line in told), "only the registered cell and the baselines"
    assert "| train fold 0 | 20 | 4 |" in told
    assert "7 pass, 0 fail, 1 skipped" in told
    assert "| valence | scalar | mean | all | 2 | f00d |" in told
