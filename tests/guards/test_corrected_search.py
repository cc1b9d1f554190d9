"""A search that is corrected for hubs: ordered as the whole gallery is, by queries of the bundle that its model did not see."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pairs_project
import polars as pl
import pytest
import yaml
from pairs_project import EACH, IMAGES, NAME, archive, copied_to, run
from safetensors.numpy import save_file
from tiny_project import digests
from typer.testing import CliRunner

import watertight
from pipelines.features import Features
from pipelines.materialize import online_store
from pipelines.predict import predict_file
from pipelines.promotion.proofs import _demand_trained
from pipelines.search import search_row, search_vectors
from watertight.cli import app
from watertight.core.errors import Misuse, Refusal
from watertight.core.hubness import rescored
from watertight.core.project import Project, Workload
from watertight.core.ranks import directions
from watertight.core.tables import read_json, read_table
from watertight.registry.bank import QUERIES, read_bank, thinned
from watertight.registry.bundle import MANIFEST, Manifest, open_bundle, seal
from watertight.stores.online import online_features

VIEW, DEEP = f"{NAME}_images", 13
NEIGHBOURS = 10
CORRECTIONS: dict[str, Any] = {
    "csls": {"method": "csls", "bank": "inductive", "neighbours": NEIGHBOURS},
    "sharp": {"method": "qb_norm", "bank": "inductive", "sharpness": 9.0},
    "dual": {"method": "dual_softmax", "bank": "inductive", "sharpness": 9.0},
    "joint": {"method": "csls", "bank": "transductive"},
}


def leaning() -> pairs_project.Arrays:
    """Images that lean the same way, as far as each other, and one that does nothing else: near to all that is predicted."""
    given, chance = pairs_project.arrays(wide=DEEP - 1, deep=DEEP), np.random.default_rng(1)
    meant = directions(chance.normal(size=(IMAGES, DEEP - 1)))
    near = 0.1 * chance.normal(size=(IMAGES * EACH, DEEP - 1)) / np.sqrt(DEEP - 1)
    vectors = np.hstack([np.ones((IMAGES, 1)), meant])
    vectors[0, 1:] = 0
    texts = (meant[given["captions/label"]] + near).astype(np.float32)
    return {**given, "captions/embeddings": texts, "images/embeddings": vectors.astype(np.float32)}


def declare(work: Workload, correction: str | None) -> Workload:
    """The workload with another correction."""
    place = work.project.root / "params.yaml"
    told = yaml.safe_load(place.read_text(encoding="utf-8"))
    told[NAME]["register"] = {"cell": "linear", **({} if correction is None else {"correction": correction})}
    place.write_text(yaml.safe_dump(told), encoding="utf-8")
    return Project(work.project.root).workload(NAME)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workload]:
    """A project that declares no correction of its searches."""
    root = tmp_path_factory.mktemp("leaning") / "project"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("WATERTIGHT_RAW", raising=False)
        linear = {"family": "linear", "views": "all", "options": {"strength": 150}}
        cells = {"cells": {**pairs_project.PARAMS["train"]["cells"], "linear": linear}, "seeds": [0, 1]}
        patch.setitem(pairs_project.PARAMS, "train", {**pairs_project.PARAMS["train"], **cells})
        patch.setitem(pairs_project.PARAMS, "evaluate", {"baselines": ["mean"], "corrections": CORRECTIONS})
        work = pairs_project.lay_out(root, leaning())
        patch.chdir(root)
        run(work, *pairs_project.STAGES)
        yield work


@pytest.fixture
def copied(built: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workload:
    """A copy to change."""
    return copied_to(tmp_path / "project", built, monkeypatch)


def corrected(work: Workload, name: str) -> Workload:
    """Its bundle made anew with a correction."""
    work = declare(work, name)
    run(work, "register")
    return work


def queries(work: Workload, folder: Path) -> np.ndarray:
    """What the bundle predicts for each caption."""
    told = predict_file(work, archive(folder, leaning()), folder / "told.parquet")
    return np.array(told["image_vector"].to_list())


def materialised(work: Workload) -> dict[str, np.ndarray]:
    """The vector of each image as Feast answers it from the online store."""
    features = Features(work)
    images = sorted(read_table(work.data("features", f"{VIEW}.parquet"))["image_id"].unique())
    with features.store(online_store(features)) as store:
        found = online_features(store, [f"{VIEW}:vector"], [{"image_id": image} for image in images])
    return dict(zip(images, map(np.array, found[f"{VIEW}__vector"]), strict=True))


def out_of_fold(work: Workload) -> np.ndarray:
    """What models of the cell predicted for rows that they did not see, one row at a time."""
    told = read_table(work.artifacts("train", "predictions.parquet")).filter(cell="linear")
    rows = told.group_by("row_id", maintain_order=True).agg("vector").sort("row_id")
    return np.array([np.mean(seeds, axis=0) for seeds in rows["vector"].to_list()])


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def by_csls(query: np.ndarray, bank: np.ndarray, vectors: dict[str, np.ndarray]) -> dict[str, float]:
    """Each image's score as the paper writes it, less the query's own term."""
    nearest = {name: sorted(cosine(asked, vector) for asked in bank)[-NEIGHBOURS:] for name, vector in vectors.items()}
    return {name: 2 * cosine(query, vector) - float(np.mean(nearest[name])) for name, vector in vectors.items()}


def ask(work: Workload, folder: Path, top: int = IMAGES) -> list[dict[str, Any]]:
    np.save(folder / "asked.npy", leaning()["captions/embeddings"])
    return search_vectors(work, folder / "asked.npy", top)


def firsts(answers: list[dict[str, Any]]) -> list[str]:
    return [answer["found"][0]["image_id"] for answer in answers]


def test_a_hub_is_found_first_by_cosine_and_not_by_the_correction(copied: Workload, tmp_path: Path) -> None:
    """In the gallery lies where all queries lean to: nearer to most than what was meant."""
    meant = [f"img{label:03d}.jpg" for label in leaning()["captions/label"]]
    plain, found = firsts(ask(copied, tmp_path)), firsts(ask(corrected(copied, "csls"), tmp_path))
    assert plain.count(meant[0]) > 0.8 * len(meant)
    assert found.count(meant[0]) < 0.4 * len(meant)
    right = [sum(map(str.__eq__, meant, names)) / len(meant) for names in (plain, found)]
    assert right[0] < 0.3 and right[1] > 0.6


def test_the_scores_are_those_of_the_paper(copied: Workload, tmp_path: Path) -> None:
    work = corrected(copied, "csls")
    vectors, bank = materialised(work), out_of_fold(work)
    for answer, query in zip(ask(work, tmp_path), queries(work, tmp_path), strict=True):
        wanted = by_csls(query, bank, vectors)
        order = sorted(wanted, key=lambda name: -wanted[name])
        assert [one["image_id"] for one in answer["found"]] == order
        assert [one["rank"] for one in answer["found"]] == list(range(1, IMAGES + 1))
        assert [one["corrected"] for one in answer["found"]] == pytest.approx([wanted[name] for name in order], abs=1e-5)
        near = [cosine(query, vectors[name]) for name in order]
        assert [one["cosine"] for one in answer["found"]] == pytest.approx(near, abs=1e-6)
        assert answer["correction"] == {"name": "csls", **CORRECTIONS["csls"], "queries": len(bank)}


@pytest.mark.parametrize("name", ["csls", "sharp", "dual"])
def test_every_correction_orders_the_first_as_the_whole_gallery(copied: Workload, tmp_path: Path, name: str) -> None:
    work = corrected(copied, name)
    vectors, asked = materialised(work), directions(queries(work, tmp_path))
    gallery = directions(np.array([*vectors.values()]))
    scores = rescored(work.params.evaluate.corrections[name], directions(out_of_fold(work)), gallery)(asked @ gallery.T)
    for answer, own in zip(ask(work, tmp_path, 5), scores, strict=True):
        assert [one["image_id"] for one in answer["found"]] == [[*vectors][place] for place in np.argsort(-own)[:5]]
        assert [one["corrected"] for one in answer["found"]] == pytest.approx(np.sort(own)[::-1][:5], abs=1e-5)


def test_the_rank_of_a_row_s_own_is_by_the_corrected_scores(copied: Workload, tmp_path: Path) -> None:
    work = corrected(copied, "csls")
    rows = read_table(work.data("rows", "rows.parquet")).gather_every(9)
    texts, asked = leaning()["captions/text"].tolist(), queries(work, tmp_path)
    vectors, bank = materialised(work), out_of_fold(work)
    for row in rows.iter_rows(named=True):
        wanted = by_csls(asked[texts.index(row["text"])], bank, vectors)
        [answer] = search_row(work, row["row_id"], 2)
        own = wanted[row["image_id"]]
        assert answer["own"]["rank"] == 1 + sum(score > own + 1e-6 for score in wanted.values())
        assert (answer["own"]["among"], answer["own"]["corrected"]) == (IMAGES, pytest.approx(own, abs=1e-5))
        assert answer["own"]["cosine"] <= 1 and answer["found"][0]["rank"] == 1


def test_the_bank_is_what_was_predicted_out_of_fold_and_belongs_to_the_bundle(copied: Workload, tmp_path: Path) -> None:
    bundle = open_bundle(corrected(copied, "csls").artifacts("bundle"))
    bank = read_bank(bundle)["image"]
    assert bank == pytest.approx(out_of_fold(copied), abs=1e-6)
    table = read_table(copied.data("training_set", "training_set.parquet")).filter(pl.col("split") == "train")
    assert len(bank) == table.height
    assert set(bundle.manifest.files) >= {"correction/bank.safetensors", "card.md"}
    assert "Corrected for hubs by csls (method csls, bank inductive, neighbours 10)." in (bundle.folder / "card.md").read_text()


def test_without_a_declaration_nothing_is_there(copied: Workload, tmp_path: Path) -> None:
    folder = copied.artifacts("bundle")
    before, answers = digests(folder), ask(copied, tmp_path)
    assert "correction" not in (folder / MANIFEST).read_text() and not (folder / "correction").exists()
    assert all(set(answer) == {"query", "found"} for answer in answers)
    assert set(answers[0]["found"][0]) == {"rank", "image_id", "cosine", "shown"}
    assert digests(corrected(copied, "csls").artifacts("bundle")) != before
    work = declare(copied, None)
    run(work, "register")
    assert digests(folder) == before and ask(work, tmp_path) == answers


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("joint", "correction 'joint' is transductive: its bank are the other queries of a part(.|\n)*does not have them"),
        ("cslx", "register.correction: 'cslx' is none of evaluate.corrections: csls, dual, joint, sharp"),
    ],
)
def test_what_cannot_serve_is_refused(copied: Workload, name: str, told: str) -> None:
    with pytest.raises(Misuse, match=told):
        declare(copied, name)


def test_a_bank_that_was_edited_is_refused_as_any_file(copied: Workload, tmp_path: Path) -> None:
    work = corrected(copied, "csls")
    place = work.artifacts("bundle", "correction", "bank.safetensors")
    place.write_bytes(place.read_bytes()[:-1] + b"\x01")
    with pytest.raises(Refusal, match=r"not what was registered: correction/bank\.safetensors"):
        ask(work, tmp_path)
    with pytest.raises(Refusal, match=r"not what was registered: correction/bank\.safetensors"):
        watertight.load(work.artifacts("bundle"))


@pytest.mark.parametrize(
    "held",
    [
        None,
        {"image": np.ones((3, DEEP))},
        {"image": np.ones(DEEP, dtype=np.float32)},
        {"image": np.full((3, DEEP), np.nan, dtype=np.float32)},
        {"image": np.empty((0, DEEP), dtype=np.float32)},
    ],
    ids=["no safetensors", "64 bits", "one axis", "NaN", "empty"],
)
def test_a_sealed_file_that_is_no_bank_is_refused(copied: Workload, held: dict[str, np.ndarray] | None) -> None:
    folder = corrected(copied, "csls").artifacts("bundle")
    place = folder / "correction" / "bank.safetensors"
    place.write_bytes(b"junk") if held is None else save_file(held, place)
    seal(folder, open_manifest(folder))
    with pytest.raises(Refusal, match="the bundle's bank of queries cannot be read"):
        watertight.load(folder)


def open_manifest(folder: Path) -> Any:
    """The manifest of a bundle whose files are not looked at."""
    return Manifest(**read_json(folder / MANIFEST))


def test_a_bundle_whose_correction_is_transductive_is_no_bundle(copied: Workload) -> None:
    place = corrected(copied, "csls").artifacts("bundle") / MANIFEST
    told = read_json(place)
    told["correction"]["declared"]["bank"] = "transductive"
    place.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(Misuse, match="correction 'csls' is transductive"):
        watertight.load(place.parent)


def test_a_pulled_bundle_corrects_a_gallery_without_a_project(
    copied: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = corrected(copied, "csls")
    vectors, asked, answers = materialised(work), queries(work, tmp_path), ask(work, tmp_path)
    shutil.copytree(work.artifacts("bundle"), tmp_path / "pulled")
    shutil.rmtree(work.project.root / "artifacts")
    monkeypatch.chdir(tmp_path)
    gallery = watertight.load(tmp_path / "pulled").corrected(np.array([*vectors.values()]))
    scores = gallery.scores(asked)
    assert scores.shape == (IMAGES * EACH, IMAGES)
    assert [[*vectors][place] for place in scores.argmax(axis=1)] == firsts(answers)
    assert gallery.scores(asked[3])[0] == pytest.approx(scores[3], abs=1e-6), "asked alone as among others"
    assert gallery.cosines(asked)[0, 0] == pytest.approx(cosine(asked[0], next(iter(vectors.values()))), abs=1e-6)


@pytest.mark.parametrize("asked", [[np.nan] * DEEP, [np.inf] * DEEP, [0.0] * DEEP, [1.0] * (DEEP + 1), [[[1.0] * DEEP]]])
def test_a_query_without_a_direction_has_no_answer(copied: Workload, asked: list[Any]) -> None:
    """Else the least of hubs would be the first for it."""
    gallery = watertight.load(corrected(copied, "csls").artifacts("bundle")).corrected(np.eye(DEEP))
    with pytest.raises(Misuse, match="no place beside the gallery"):
        gallery.scores(np.array(asked))
    with pytest.raises(Misuse, match="no place beside the gallery"):
        gallery.scores(np.array([np.ones_like(asked), asked]))


def test_what_is_no_gallery_of_the_bundle_is_misuse(copied: Workload) -> None:
    with pytest.raises(Misuse, match=r"declares no correction for hubs(.|\n)*correction: NAME"):
        watertight.load(copied.artifacts("bundle")).corrected(np.ones((3, DEEP)))
    loaded = watertight.load(corrected(copied, "csls").artifacts("bundle"))
    for strange in (
        np.ones((3, DEEP + 1)),
        np.ones(DEEP),
        np.empty((0, DEEP)),
        np.full((2, DEEP), np.nan),
        np.array([["a"] * DEEP]),
    ):
        with pytest.raises(Misuse, match="is no gallery of 'image'"):
            loaded.corrected(strange)
    with pytest.raises(Misuse, match=r"no queries of target 'words'(.|\n)*one of image"):
        loaded.corrected(np.ones((3, DEEP)), "words")


def test_a_bank_that_the_run_did_not_make_is_not_promoted(copied: Workload) -> None:
    work = corrected(copied, "csls")
    folder = work.artifacts("bundle")
    demand_trained(work)
    save_file({"image": read_bank(open_bundle(folder))["image"][::-1].copy()}, folder / "correction" / "bank.safetensors")
    seal(folder, open_manifest(folder))
    with pytest.raises(Refusal, match=r"the bundle has correction/bank\.safetensors, which the run did not make so"):
        demand_trained(work)


def demand_trained(work: Workload) -> None:
    """As a promotion does, with the files that lie here in place of DVC's."""
    files = SimpleNamespace(files=lambda place: digests(work.project.root / place))
    candidate = SimpleNamespace(work=work, bundle=open_bundle(work.artifacts("bundle")), out=lambda place: place.format(NAME))
    _demand_trained(candidate, files)  # type: ignore[arg-type]


def test_a_bank_has_its_most_at_even_distances() -> None:
    many = np.arange(5000, dtype=np.float64)[:, None]
    places = thinned(many)[:, 0]
    assert (len(places), places[0], thinned(many).dtype) == (QUERIES, 0, np.float32)
    assert set(np.diff(places)) == {2, 3}
    assert thinned(many[:QUERIES]).shape == (QUERIES, 1)


def test_the_command_says_how_it_ranks(copied: Workload, tmp_path: Path) -> None:
    corrected(copied, "csls")
    np.save(tmp_path / "one.npy", leaning()["captions/embeddings"][5])
    told = CliRunner().invoke(app, ["search", NAME, "--vector", str(tmp_path / "one.npy"), "--top", "2"])
    assert told.exit_code == 0, told.stderr
    assert "correction: name csls, method csls, bank inductive, neighbours 10, queries" in told.stdout
    assert ["rank", "image_id", "cosine", "corrected", "shown"] in [line.split() for line in told.stdout.splitlines()]
