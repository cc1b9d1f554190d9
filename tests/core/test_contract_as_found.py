"""The contract as ingest found it, read as its file is now: within one process one stage writes it and the next one reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Project, Workload
from watertight.core.tables import write_json

CONTRACT: dict[str, Any] = {
    "about": "toy",
    "group": "image_id",
    "keys": ["image_id"],
    "text": ["text"],
    "targets": {"image": {"kind": "vector"}},
}
PARAMS: dict[str, Any] = {
    "source": {"name": "made"},
    "split": {"seed": 1, "folds": 3},
    "join": {"service": "toy"},
    "train": {"targets": ["image"], "cells": {"mean": {"family": "mean"}}},
    "register": {"cell": "mean"},
}


@pytest.fixture
def work(tmp_path: Path) -> Workload:
    source = tmp_path / "pipelines" / "sources" / "toy" / "made.yaml"
    source.parent.mkdir(parents=True)
    source.write_text(yaml.safe_dump(CONTRACT), encoding="utf-8")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"workloads": ["toy"], "toy": PARAMS}), encoding="utf-8")
    return Project(tmp_path).workload("toy")


def found(work: Workload, dimension: int, **more: Any) -> None:
    place = work.data("rows", "contract.json")
    place.parent.mkdir(parents=True, exist_ok=True)
    write_json({**CONTRACT, "targets": {"image": {"kind": "vector", "dimension": dimension}}, **more}, place)


def test_it_is_what_the_file_says_now(work: Workload) -> None:
    assert work.contract.targets["image"].dimension is None, "before ingest"
    for dimension in (4, 5, 4):
        found(work, dimension)
        assert [work.contract.targets["image"].dimension for _ in range(2)] == [dimension, dimension]
    found(work, 4, about="another source")
    assert work.contract == work.declared_contract


def test_one_that_is_damaged_later_is_not_answered_from_memory(work: Workload) -> None:
    found(work, 4)
    assert work.contract.targets["image"].dimension == 4
    place = work.data("rows", "contract.json")
    whole = place.read_text(encoding="utf-8")
    place.write_text(whole[:-9], encoding="utf-8")
    for _ in range(2):
        with pytest.raises(Refusal, match=r"contract\.json is not JSON"):
            _ = work.contract
    found(work, 4, colour="red")
    for _ in range(2):
        with pytest.raises(Misuse, match=r"contract\.json has 1 error\(s\)(.|\n)*colour: unknown key"):
            _ = work.contract
    place.write_text(whole, encoding="utf-8")
    assert work.contract.targets["image"].dimension == 4
