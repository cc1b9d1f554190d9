"""A query may look things up in further files: pinned and fetched as raw files are, and never a drop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from pipelines.fetch import fetch_source
from pipelines.ingest import ingest
from pipelines.stage import execute
from watertight.core.contract import SourceContract
from watertight.core.digests import file_digest
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Project, Workload
from watertight.core.tables import read_json, read_table

QUERY = """
SELECT id AS row_id, shop, city, text, written AS asked_at, written AS labelled_at, stars
FROM raw JOIN shops USING (shop)
"""
ORDERS = "id,shop,text,written,stars\n" + "".join(f"o{n},s{n % 2},text {n},2024-01-0{n}T10:00:00Z,{n}\n" for n in range(1, 6))
SHOPS = "shop,city\ns0,Bremen\ns1,Lübeck\ns2,Stade\n"
PARAMS: dict[str, Any] = {
    "raw_root": "raw",
    "workloads": ["shops"],
    "shops": {
        "source": {"name": "orders"},
        "split": {"seed": 1, "folds": 2},
        "join": {"service": "shops"},
        "train": {"targets": ["stars"], "cells": {"mean": {"family": "mean"}}},
        "register": {"cell": "mean"},
    },
}


def contract(raw: Path) -> dict[str, Any]:
    return {
        "about": "Orders, and in another file the cities of the shops.",
        "group": "shop",
        "keys": ["shop"],
        "text": ["text"],
        "targets": {"stars": {"kind": "scalar", "range": [1, 5]}},
        "columns": {"city": "string"},
        "required": ["id", "shop", "text", "written", "stars"],
        "files": {"orders": {"path": "orders.csv", "sha256": file_digest(raw / "orders.csv")}},
        "lookups": {"shops": {"path": "shops.csv", "sha256": file_digest(raw / "shops.csv")}},
    }


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workload:
    monkeypatch.delenv("WATERTIGHT_RAW", raising=False)
    source = tmp_path / "pipelines" / "sources" / "shops"
    for folder in (source, tmp_path / "raw", tmp_path / "drops" / "shops"):
        folder.mkdir(parents=True)
    for name, text in {"orders.csv": ORDERS, "shops.csv": SHOPS}.items():
        (tmp_path / "raw" / name).write_text(text, encoding="utf-8")
    (source / "orders.sql").write_text(QUERY, encoding="utf-8")
    (source / "orders.yaml").write_text(yaml.safe_dump(contract(tmp_path / "raw")), encoding="utf-8")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(PARAMS), encoding="utf-8")
    (tmp_path / "drops" / "shops" / "ledger.json").write_text("{}\n", encoding="utf-8")
    return Project(tmp_path).workload("shops")


def ingested(work: Workload) -> None:
    execute(work, "ingest", ingest, "data/{workload}/rows")


def test_the_query_reads_the_lookup_beside_the_drop_and_only_the_drop_is_one(work: Workload) -> None:
    ingested(work)
    rows = read_table(work.data("rows", "rows.parquet"))
    assert rows.select("shop", "city").unique().sort("shop").rows() == [("s0", "Bremen"), ("s1", "Lübeck")]
    assert read_json(work.data("rows", "rows.json"))["drops"] == {"orders": 5}


def test_a_lookup_that_is_not_there(work: Workload) -> None:
    (work.project.raw_root / "shops.csv").unlink()
    with pytest.raises(Misuse) as told:
        ingested(work)
    assert "the raw file shops is not there" in str(told.value)
    assert "expected: shops.csv under" in str(told.value)
    assert "next: watertight fetch shops/orders" in str(told.value)


def test_a_lookup_with_other_bytes_than_the_pinned_ones(work: Workload) -> None:
    (work.project.raw_root / "shops.csv").write_text(SHOPS.replace("Bremen", "Verden"), encoding="utf-8")
    with pytest.raises(Refusal, match="the raw file shops is not the one that the contract pins"):
        ingested(work)


def test_fetch_brings_lookups_too(work: Workload) -> None:
    place = work.project.raw_root / "shops.csv"
    elsewhere = place.rename(work.project.root / "elsewhere.csv")
    told = contract_file(work)
    told["lookups"]["shops"]["url"] = elsewhere.as_uri()
    (work.source_folder / "orders.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    assert fetch_source(work.project, "shops", "orders") == {"orders": "there already", "shops": "fetched"}
    assert place.read_text(encoding="utf-8") == SHOPS


def contract_file(work: Workload) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((work.source_folder / "orders.yaml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", ["raw", "orders"])
def test_a_lookup_is_called_neither_as_the_table_of_the_drop_nor_as_a_drop(work: Workload, name: str) -> None:
    told = contract_file(work)
    told["lookups"] = {name: told["lookups"]["shops"]}
    with pytest.raises(ValidationError, match=f"lookups {name}: "):
        SourceContract.model_validate(told)
