"""The report on vectors: of training rows alone, the same bytes each time, in a page that needs nothing beside itself."""

from __future__ import annotations

import json
import re
import sys

import polars as pl
import pytest
from tiny_project import TRAINING_SET, TinyProject
from typer.testing import CliRunner

from watertight.cli import app

PAGE = "artifacts/tiny/embeddings.html"
QUESTION = "tiny_question__vector"
VECTORS = ["tiny_both__vector", QUESTION, "tiny_near__product", "tiny_near__difference"]


def told(*arguments: str, status: int = 0) -> str:
    answer = CliRunner().invoke(app, ["embeddings", "tiny", *arguments])
    assert answer.exit_code == status, answer.output
    return answer.stdout if status == 0 else answer.output


@pytest.fixture(autouse=True)
def _path_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])


def test_it_looks_at_labelled_rows_of_train_alone_and_says_the_same_again(near: TinyProject) -> None:
    first = json.loads(told("--json"))
    page = (near.root / PAGE).read_bytes()
    rows = near.table(TRAINING_SET)
    train = rows.filter((pl.col("split") == "train") & pl.col("mood").is_not_null() & ~pl.col("synthetic"))
    counted = {one["feature"]: (one["rows"], one["null"], one["dimension"]) for one in first["features"]}
    asked = train[QUESTION].is_not_null().sum()
    assert asked < train.height < rows.height
    assert counted == {name: (train.height, 0, 384) if "both" in name else (asked, train.height - asked, 384) for name in VECTORS}
    assert (first["target"], first["page"]) == ("mood", str(near.root / PAGE))

    other = ~pl.col("row_id").is_in(train["row_id"].to_list())
    spoilt = {name: pl.when(other).then(pl.lit([9.0], dtype=pl.List(pl.Float32))).otherwise(name) for name in VECTORS}
    mood = pl.when(other & pl.col("mood").is_not_null()).then(2.0).otherwise("mood")
    near.tamper(TRAINING_SET, lambda rows: rows.with_columns(**spoilt, mood=mood))
    assert json.loads(told("--json")) == first
    assert (near.root / PAGE).read_bytes() == page

    text = page.decode()
    assert not re.search(r"https?:|//[a-z]|url\(|@import|src=|<script", text)
    assert text.count("UMAP, by mood</figcaption>") == 3
    assert text.count("No UMAP picture") == 1, "four questions make no map"


def test_another_target_and_place(near: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.embeddings.by_umap", lambda vectors: None)
    place = near.root / "other" / "page.html"
    answer = told("--target", "energy", "--to", str(place))
    assert "energy:" in answer
    assert answer.count("15 nearest") == len(VECTORS)
    assert "principal components, by energy" in place.read_text(encoding="utf-8")
    assert not (near.root / PAGE).exists()


def test_what_cannot_be_shown_is_said(project: TinyProject) -> None:
    assert "'text' is no scalar target\n  expected: mood, energy" in told("--target", "text", status=2)
    assert "the service serves no list of floats" in told(status=2)
    (project.root / TRAINING_SET).unlink()
    assert "there is no training set yet" in told(status=2)
