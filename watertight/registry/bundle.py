"""A bundle: models in non-executable formats, the signature that says how to feed them, a digest for every file."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from watertight.core.contract import OUTPUTS
from watertight.core.correction import Correction, servable
from watertight.core.declare import Declaration, parse
from watertight.core.digests import file_digest
from watertight.core.errors import Misuse, Refusal
from watertight.core.tables import read_json, write_json

MANIFEST = "manifest.json"


def _inside(place: str) -> str:
    path = PurePosixPath(place)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\\" in place:
        raise ValueError(f"{place!r} is no place inside the bundle")
    return place


Place = Annotated[str, AfterValidator(_inside)]


class Model(Declaration):
    """One model of a bundle: the target it predicts, its family and folder, and the columns it takes in their order.

    ``texts`` are the rows' texts that it reads, ``over`` the cells whose predictions it takes before its columns, ``widths``
    the length of each list column. ``fitted_on`` is the digest of its witness, ``chosen`` what a search chose.
    """

    target: str
    kind: str
    cell: str
    seed: int
    family: str
    folder: Place
    columns: tuple[str, ...]
    texts: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    widths: dict[str, int]
    fitted_on: str
    chosen: dict[str, Any] = {}

    @property
    def output(self) -> str:
        """The output that is its prediction, by the kind of its target."""
        return OUTPUTS[self.kind]


class HubCorrection(Declaration):
    """How a search by what the bundle predicts is corrected for hubs: ``declared`` under ``name``, which is inductive.

    ``bank`` is the file of queries that tell which vectors are hubs, see ``watertight.registry.bank``.
    """

    name: str
    declared: Correction
    bank: Place = "correction/bank.safetensors"

    @property
    def told(self) -> str:
        """In a line: the name, and what is declared under it."""
        return f"{self.name} ({', '.join(f'{name} {value}' for name, value in self.declared.model_dump().items())})"

    @model_validator(mode="after")
    def _can_serve(self) -> HubCorrection:
        servable(self.name, self.declared)
        return self


class Manifest(Declaration):
    """What a bundle is. ``runtime`` says how it is to be run; ``signature`` is the canonical form of its features.

    ``cell`` is the one whose models answer; the others stand below it. ``encoder_fingerprint`` is the sha256 of the encoder
    that made them; empty where no view uses one. ``correction``: null, and not written, where a search goes by cosine.
    """

    workload: str
    source: str
    cell: str
    runtime: str
    encoder: str
    encoder_fingerprint: str = ""
    service: str
    signature: dict[str, Any]
    models: tuple[Model, ...]
    correction: HubCorrection | None = Field(default=None, exclude_if=operator.not_)
    files: dict[Place, str] = {}


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk whose every file has the digest that its manifest states."""

    folder: Path
    manifest: Manifest

    def places(self) -> list[tuple[Model, Path]]:
        """Each model with its folder."""
        return [(model, self.folder / model.folder) for model in self.manifest.models]


def seal(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, with the sha256 of every other file in ``folder``."""
    files = {name: file_digest(folder / name) for name in _files(folder)}
    write_json(manifest.model_copy(update={"files": files}).model_dump(mode="json"), folder / MANIFEST)


def open_bundle(folder: Path) -> Bundle:
    """A bundle that is complete and unchanged; raises Misuse where there is none, Refusal where a file was edited."""
    path = folder / MANIFEST
    if not path.is_file():
        raise Misuse("there is no bundle", expected=f"{MANIFEST} in {folder}", next_step="dvc repro, or dvc pull")
    manifest = parse(Manifest, read_json(path), MANIFEST)
    changed = [name for name, digest in manifest.files.items() if not _is(folder / name, digest)]
    strange = [name for name in _files(folder) if name not in manifest.files]
    if changed or strange:
        raise Refusal(
            f"the bundle is not what was registered: {', '.join([*changed, *strange])}",
            expected="every file with the sha256 in the manifest, and no other file",
            next_step="dvc checkout, or dvc pull",
        )
    return Bundle(folder, manifest)


def _files(folder: Path) -> list[str]:
    """Every file of a bundle but its manifest, from the bundle's folder on."""
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    return [name for name in names if name != MANIFEST]


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and file_digest(path) == digest
