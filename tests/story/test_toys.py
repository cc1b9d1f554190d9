"""Two workloads of other shapes, a choice between two and a vector, by declaration alone: what they are and predict."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from project_copies import REPOSITORY, ProjectCopy, copy
from typer.testing import CliRunner

from pipelines.features import Features
from watertight.cli import app
from watertight.core.contract import ADDED, SourceContract
from watertight.core.declare import parse
from watertight.core.errors import Misuse
from watertight.core.project import Workload, find_project
from watertight.core.tables import read_table

KIND, UNKIND = "It is good, helpful, clear and so on.", "It is bad, awful, wrong and so on."


@pytest.fixture(scope="module")
def here(built: ProjectCopy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProjectCopy]:
    """A copy of the built toys, as the working directory."""
    project = copy(built, tmp_path_factory.mktemp("toys") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)
        patch.delenv("WATERTIGHT_RAW", raising=False)
        patch.setattr(sys, "path", [*sys.path])
        yield project


def _work(name: str) -> Workload:
    return find_project().workload(name)


def _predict(*arguments: str) -> dict:
    answer = CliRunner().invoke(app, ["predict", *arguments, "--json"])
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def _preferred(a: str, b: str) -> list[float]:
    answer = _predict("toy_pair", "--text-a", a, "--text-b", b, "--at", "2025-06-01")
    return answer["predictions"]["preferred_probabilities"]


def test_one_view_is_served_under_two_names_each_with_a_key_of_its_own(here: ProjectCopy) -> None:
    features = Features(_work("toy_pair"))
    assert list(features.definitions.views) == ["toy_pair_lexical"]
    assert features.definitions.views["toy_pair_lexical"].projection.name_alias is None
    assert {view.name: view.key for view in features.served("content")} == {"toy_pair_a": "answer_a", "toy_pair_b": "answer_b"}
    assert features.join_keys == ["answer_a", "answer_b"]


def test_an_answer_has_the_same_features_on_either_side_and_in_every_pair(here: ProjectCopy) -> None:
    table = read_table(_work("toy_pair").data("training_set", "training_set.parquet"))
    sides = [
        table.select(answer=f"answer_{side}", text=f"text_{side}").hstack(
            table.select(pl.col(f"^toy_pair_{side}__.*$").name.map(lambda name: name.partition("__")[2]))
        )
        for side in ("a", "b")
    ]
    answers = pl.concat(sides)
    assert answers.height == 2 * table.height == 360
    assert answers.unique().height == answers["answer"].n_unique() == 180
    both = set(table["answer_a"]) & set(table["answer_b"])
    assert len(both) > 50


def test_every_view_of_an_answer_rests_on_its_first_writing(here: ProjectCopy) -> None:
    table = read_table(_work("toy_pair").data("training_set", "training_set.parquet"))
    written = pl.concat([table.select(answer=f"answer_{side}", at="asked_at") for side in "ab"])
    first = dict(written.group_by("answer").agg(pl.col("at").min()).iter_rows())
    for side in "ab":
        known = [first[answer].timestamp() * 1e6 for answer in table[f"answer_{side}"]]
        assert table[f"toy_pair_{side}__source_at"].to_list() == known


def test_pairs_that_nobody_judged_travel_along_without_a_prediction(here: ProjectCopy) -> None:
    work = _work("toy_pair")
    table = read_table(work.data("training_set", "training_set.parquet"))
    predictions = read_table(work.artifacts("train", "predictions.parquet"))
    unjudged = table.filter(pl.col("split") == "unlabelled")["row_id"]
    assert len(unjudged) == 12
    assert not unjudged.is_in(predictions["row_id"].to_list()).any()


def test_the_kinder_answer_is_preferred_on_whichever_side_it_stands(here: ProjectCopy) -> None:
    first, second = _preferred(KIND, UNKIND), _preferred(UNKIND, KIND)
    assert first[0] > 0.9
    assert second[1] > 0.9
    assert sum(first) == pytest.approx(1)


def test_a_file_of_pairs_is_answered_with_lists_as_text_in_csv(here: ProjectCopy, tmp_path: Path) -> None:
    rows = read_table(_work("toy_pair").data("rows", "rows.parquet")).head(5)
    columns = ["row_id", "prompt_id", "asked_at", "answer_a", "answer_b", "text_a", "text_b"]
    rows.select(columns).with_columns(pl.col("asked_at").dt.to_string("iso:strict")).write_csv(tmp_path / "asked.csv")
    for kind in ("csv", "parquet"):
        told = _predict("toy_pair", "--from", str(tmp_path / "asked.csv"), "--to", str(tmp_path / f"told.{kind}"))
        assert told["rows"] == 5
    from_csv, from_parquet = pl.read_csv(tmp_path / "told.csv"), pl.read_parquet(tmp_path / "told.parquet")
    assert from_csv["row_id"].to_list() == rows["row_id"].to_list()
    lists = [json.loads(text) for text in from_csv["preferred_probabilities"]]
    assert lists == from_parquet["preferred_probabilities"].to_list()


def test_a_captions_vector_is_that_of_what_it_tells(here: ProjectCopy) -> None:
    rows = read_table(_work("toy_vector").data("rows", "rows.parquet"))
    like = rows.filter(pl.col("text") == "a dog on the beach")["image"][0].to_numpy()
    answer = _predict("toy_vector", "--text", "a dog on the beach", "--at", "2025-06-01")
    vector = np.array(answer["predictions"]["image_vector"])
    assert vector.shape == (8,)
    assert vector @ like / np.linalg.norm(vector) / np.linalg.norm(like) > 0.95


def test_a_text_finds_the_images_that_a_product_with_every_vector_finds(here: ProjectCopy) -> None:
    images = read_table(_work("toy_vector").data("features", "toy_vector_gallery.parquet"))
    text = "a photograph of a dog on the beach"
    vector = np.array(_predict("toy_vector", "--text", text)["predictions"]["image_vector"])
    known = np.array(images["vector"].to_list())
    cosines = known @ vector / np.linalg.norm(known, axis=1) / np.linalg.norm(vector)
    wanted = images.with_columns(cosine=cosines).sort("cosine", descending=True)
    told = CliRunner().invoke(app, ["search", "toy_vector", text, "--top", "48", "--json"])
    [answer] = json.loads(told.stdout)
    assert [one["image_id"] for one in answer["found"]] == wanted["image_id"].to_list()
    assert [one["cosine"] for one in answer["found"]] == pytest.approx(wanted["cosine"].to_list(), abs=1e-6)
    assert "dog on the beach" in answer["found"][0]["shown"]


@pytest.mark.parametrize("name", ADDED)
def test_a_source_may_not_call_a_column_as_stages_do(name: str) -> None:
    """A target called ``vector`` would otherwise be scored against itself: its own column, not the prediction's."""
    declared = {"about": "", "group": "g", "keys": ["g"], "targets": {name: {"kind": "vector", "dimension": 8}}}
    with pytest.raises(Misuse, match=f"{name}: stages add columns of this name"):
        parse(SourceContract, declared, "contract")


def test_the_toys_are_declarations_alone() -> None:
    """Beside declarations and an empty ledger there is only a simulator each: no stage, no view, no model."""
    files = [path for path in (REPOSITORY / "tests" / "toys").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    names = sorted(path.relative_to(REPOSITORY / "tests" / "toys").as_posix() for path in files)
    expected = ["params.yaml"]
    for toy in ("toy_pair", "toy_vector"):
        sources = [f"pipelines/sources/{toy}/simulated.{kind}" for kind in ("py", "yaml")]
        expected += [f"drops/{toy}/ledger.json", f"expectations/{toy}.yaml", f"feature_repo/{toy}.py", *sources]
    assert names == sorted(expected)
