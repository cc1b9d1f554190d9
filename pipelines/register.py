"""register: the final models of the declared cell, and of those it stands over, become a bundle with a model card."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.gates import PREDICTIONS, demand_guarded, demand_judged, demand_model_passed
from pipelines.stage import run
from watertight.checks.verdict import demand_passed
from watertight.core.ensembles import averaged
from watertight.core.errors import Misuse
from watertight.core.project import Workload
from watertight.core.tables import read_json, read_table
from watertight.registry.bank import as_bytes, thinned
from watertight.registry.bundle import HubCorrection, Manifest, Model, seal
from watertight.registry.card import card

RUNTIME = "watertight"
NOT_REGISTERED = "its models are not registered"


def register(work: Workload, out: Path) -> None:
    """The bundle: models, card, and a manifest with the sha256 of every file.

    Raises Refusal where a gate was waived, or judged other files than these, or where the gate `model` bars the cell.
    """
    _demand_proven(work)
    manifest = manifest_of(work)
    demand_model_passed(work, manifest.cell, NOT_REGISTERED)
    for model in manifest.models:
        shutil.copytree(work.artifacts("train", model.folder), out / model.folder)
    if manifest.correction:
        (out / manifest.correction.bank).parent.mkdir()
        (out / manifest.correction.bank).write_bytes(bank_of(work, manifest))
    (out / "card.md").write_text(card_of(work, manifest), encoding="utf-8")
    seal(out, manifest)


def manifest_of(work: Workload) -> Manifest:
    """What the bundle of the declared cell is, but for the digests of its files; raises Misuse where the cell has no models."""
    joined = read_json(work.data("training_set", "training_set.json"))
    cell = work.params.register_.cell
    every = tuple(Model(**told) for told in read_json(work.artifacts("train", "train.json"))["cells"])
    models = tuple(model for model in every if model.cell in _below(cell, every))
    if not any(model.cell == cell for model in models):
        raise Misuse(f"cell {cell!r} has no models", expected="a cell that trains at least one target of this source")
    encoder, digest = next(iter(joined["encoders"].items()), (work.params.featurize.encoder, ""))
    return Manifest(
        workload=work.name,
        source=work.params.source.name,
        cell=cell,
        runtime=RUNTIME,
        encoder=encoder,
        encoder_fingerprint=digest,
        service=work.params.join.service,
        signature=joined["signature"],
        models=models,
        correction=_correction(work, models),
    )


def bank_of(work: Workload, manifest: Manifest) -> bytes:
    """The file of the bank: what models of the registered cell predicted of vectors out of fold, the mean of its seeds."""
    told = read_table(work.artifacts(*PREDICTIONS)).filter(cell=manifest.cell)
    vectors = dict.fromkeys(model.target for model in manifest.models if _predicts_vectors(model, manifest.cell))
    return as_bytes({target: thinned(_mean_of_seeds(told.filter(target=target))) for target in vectors})


def card_of(work: Workload, manifest: Manifest) -> str:
    """The model card of the bundle."""
    return card(manifest, _facts(work))


def _below(cell: str, models: tuple[Model, ...]) -> set[str]:
    """The cell and every cell that it stands over, directly or not."""
    members = {member for model in models if model.cell == cell for member in model.over}
    return {cell, *(found for member in members for found in _below(member, models))}


def _correction(work: Workload, models: tuple[Model, ...]) -> HubCorrection | None:
    """What a search is corrected by; raises Misuse where one is declared and no vector is predicted to search by."""
    name, cell = work.params.register_.correction, work.params.register_.cell
    if name is None:
        return None
    if not any(_predicts_vectors(model, cell) for model in models):
        raise Misuse(
            f"register.correction is {name!r}, and cell {cell!r} predicts no vector",
            expected="a cell whose vectors are searched by, or no correction",
            next_step="remove correction from params.yaml, or register another cell",
        )
    return HubCorrection(name=name, declared=work.params.evaluate.corrections[name])


def _predicts_vectors(model: Model, cell: str) -> bool:
    return model.cell == cell and model.output == "vector"


def _mean_of_seeds(told: pl.DataFrame) -> npt.NDArray[np.floating]:
    """(rows, dimension), in the order of row_id."""
    seeds = [seed.sort("row_id")["vector"] for seed in told.partition_by("seed", maintain_order=True)]
    return averaged([{"vector": seed.list.to_array(seed.list.len()[0]).to_numpy()} for seed in seeds])["vector"]


def _demand_proven(work: Workload) -> None:
    demand_guarded(work, NOT_REGISTERED)
    demand_judged(work, NOT_REGISTERED)
    judged = read_json(work.artifacts("evaluate", "evaluation.json"))["verdicts"]
    for told in (read_json(work.data("split", "split.json")), *judged):
        demand_passed(told, NOT_REGISTERED)


def _facts(work: Workload) -> dict[str, Any]:
    figures: pl.DataFrame = read_table(work.artifacts("evaluate", "figures.parquet"))
    return {
        "about": work.contract.about,
        "licence": work.contract.licence,
        "figures": figures.rows(named=True),
        "split": read_json(work.data("split", "split.json"))["parts"],
        "guard": read_json(work.artifacts("guard", "verdict.json"))["counts"],
        "baselines": work.params.evaluate.baselines,
    }


if __name__ == "__main__":
    run("register", register, "artifacts/{workload}/bundle")
