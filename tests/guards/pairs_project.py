"""A project on an archive of captions and images of one's own: the repository's query, views and suites, and nothing else."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tiny_project import _declared

from pipelines.stage import execute
from watertight.core.digests import file_digest
from watertight.core.project import Project, Workload

ROOT = Path(__file__).parents[2]
NAME = "alignment"
STAGES = ("ingest", "check", "split", "featurize", "join", "guard", "train", "evaluate", "register", "materialize")
IMAGES, EACH, WIDE, DEEP = 24, 2, 6, 16
PARAMS: dict[str, Any] = {
    "source": {"name": "npz"},
    "split": {"seed": 3, "folds": 3, "test_groups": {"share": 0.2}},
    "featurize": {"encoder": "all-MiniLM-L6-v2"},
    "join": {"service": NAME},
    "train": {"targets": ["image"], "cells": {"mean": {"family": "mean"}, "linear": {"family": "linear", "views": "all"}}},
    "evaluate": {"baselines": ["mean"]},
    "register": {"cell": "linear"},
}
SEEN = ("dog", "horse", "guitar", "bicycle", "cake", "train", "river", "lamp")

Arrays = dict[str, Any]


def arrays(first: int = 0, images: int = IMAGES, wide: int = WIDE, deep: int = DEEP) -> Arrays:
    """Two captions of each of so many images, whose vectors are a map of the captions'."""
    chance, to = np.random.default_rng([7, first]), np.random.default_rng(7).normal(size=(wide, deep))
    of = np.repeat(np.arange(images), EACH)
    meant = chance.normal(size=(images, wide))
    texts = [f"{SEEN[(first + image) % 8]} number {first + image}, told {place % EACH}" for place, image in enumerate(of)]
    return {
        "captions/embeddings": (meant[of] + 0.1 * chance.normal(size=(len(of), wide))).astype(np.float32),
        "captions/text": np.array(texts),
        "captions/label": of,
        "images/embeddings": (meant @ to).astype(np.float32),
        "images/names": np.array([f"img{first + image:03d}.jpg" for image in range(images)]),
    }


def without_vectors(given: Arrays) -> Arrays:
    """The same, of which nobody embedded the texts."""
    return {name: values for name, values in given.items() if name != "captions/embeddings"}


def lay_out(root: Path, given: Arrays) -> Workload:
    """The project at ``root`` with the archive pinned in its contract; its stages are still to be run."""
    for folder in (f"pipelines/sources/{NAME}", "feature_repo", "expectations", f"drops/{NAME}"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "raw").mkdir()
    np.savez(root / "raw" / "pairs.npz", **given)
    (root / "params.yaml").write_text(yaml.safe_dump({"raw_root": "raw", "workloads": [NAME], NAME: PARAMS}), encoding="utf-8")
    pin(root, {"pairs": {"path": "pairs.npz", "sha256": file_digest(root / "raw" / "pairs.npz")}})
    return Project(root).workload(NAME)


def pin(root: Path, files: dict[str, Any]) -> None:
    """Let the contract name these raw files."""
    place = root / "pipelines" / "sources" / NAME / "npz.yaml"
    place.write_text(yaml.safe_dump({**yaml.safe_load(place.read_text(encoding="utf-8")), "files": files}), encoding="utf-8")


def run(work: Workload, *stages: str) -> None:
    """Run stages; raises what they raise."""
    for stage in stages:
        execute(work, stage, *_declared(stage))


def built(root: Path, given: Arrays) -> Iterator[Workload]:
    """The project at ``root``, run from its source to its online store; for a fixture."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("WATERTIGHT_RAW", raising=False)
        work = lay_out(root, given)
        patch.chdir(root)
        run(work, *STAGES)
        yield work


def copied_to(root: Path, work: Workload, monkeypatch: pytest.MonkeyPatch) -> Workload:
    """A copy to change, in which the test then stands."""
    shutil.copytree(work.project.root, root)
    monkeypatch.chdir(root)
    monkeypatch.delenv("WATERTIGHT_RAW", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return Project(root).workload(work.name)


def archive(folder: Path, given: Arrays, name: str = "more.npz") -> Path:
    """A further archive."""
    np.savez(folder / name, **given)
    return folder / name
