"""A view of two vectors in the whole graph: as the join makes it so does every other path, and the guard judges it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from near_project import append
from tiny_project import TRAINING_SET, TinyProject

from pipelines.features import Features, features_of_new_rows
from pipelines.predict import _row as row_of
from pipelines.predict import predict_file, predict_one
from pipelines.serving_gate import SAMPLE
from watertight.core.errors import Misuse
from watertight.core.interactions import InteractionSpec, recomputed
from watertight.core.tables import read_json
from watertight.learners.matrix import feature_matrix

NEAR = ("tiny_near__product", "tiny_near__difference", "tiny_near__cosine")
BASES = ("tiny_both__vector", "tiny_question__vector")
VALUES = {"text": "A calm evening.", "question": "How was the walk?", "author": "a0"}
AT = "2025-12-01T00:00:00Z"


def _bits(table: pl.DataFrame, column: str, width: int = 384) -> np.ndarray:
    widths = {} if table[column].dtype.is_float() else {column: width}
    return feature_matrix(table, [column], widths).values


def test_what_the_join_answers_can_be_computed_again_from_its_vectors(built_near: TinyProject) -> None:
    table = built_near.table(TRAINING_SET)
    signature = read_json(built_near.root / "data/tiny/training_set/training_set.json")["signature"]
    specs = {name: InteractionSpec(**spec) for name, spec in signature["interactions"].items()}
    again = recomputed({name: _bits(table, name) for name in BASES}, specs)
    assert tuple(again) == NEAR
    for name, values in again.items():
        assert np.array_equal(_bits(table, name), values, equal_nan=True), name
    asked = table["author_id"] != "a11"
    assert table.select(pl.col(NEAR).is_not_null()).to_dict(as_series=False) == dict.fromkeys(NEAR, asked.to_list())


def test_the_online_store_answers_the_same(built_near: TinyProject) -> None:
    verdict = built_near.verdict("artifacts/tiny/online/verdict.json")
    [equal] = [check for check in verdict["checks"] if check["type"] == "expect_online_equal_offline"]
    assert equal["status"] == "pass"
    assert built_near.table(TRAINING_SET).height < SAMPLE, "every row was in the sample"


def test_a_row_and_a_file_of_rows_are_predicted_alike(near: TinyProject) -> None:
    alone = predict_one(near.work, VALUES, AT)
    assert alone["features_from"] == "history"
    file = near.root / "asked.csv"
    first = {"row_id": "x", "note_id": "x", "author_id": "a0", "asked_at": AT, "text": VALUES["text"]}
    second = {**first, "row_id": "y", "note_id": "y", "author_id": "a5", "question": None}
    pl.DataFrame([{**first, "question": VALUES["question"]}, second]).write_csv(file)
    told = predict_file(near.work, file, near.root / "told.parquet")
    assert told["mood"][0] == alone["predictions"]["mood"]
    assert told["mood"].is_not_null().all(), "without a question too"


def test_a_new_rows_interactions_are_those_of_its_own_vectors(near: TinyProject) -> None:
    features = Features(near.work)
    joined = features_of_new_rows(features, row_of(near.work, VALUES, AT))
    again = recomputed({name: _bits(joined, name) for name in BASES}, features.definitions.interactions())
    assert all(np.array_equal(_bits(joined, name), values) for name, values in again.items())
    assert 0 < joined["tiny_near__cosine"][0] < 1


def test_a_vector_that_tells_the_target_is_refused(near: TinyProject) -> None:
    """Ridge on the 384 numbers finds one that is the target."""
    leak = pl.concat_list(pl.col("mood").fill_null(0).cast(pl.Float32), pl.lit(1, dtype=pl.Float32))
    near.tamper(TRAINING_SET, lambda rows: rows.with_columns(leak.alias(NEAR[0])))
    assert near.refused("guard").checks == {"expect_no_target_leak"}


@pytest.mark.parametrize(
    ("column", "planted", "check"),
    [
        (NEAR[0], pl.lit(None, dtype=pl.List(pl.Float32)), "expect_null_share_below"),
        (NEAR[1], pl.lit([0.0, 0.0], dtype=pl.List(pl.Float32)), "expect_no_constant_feature"),
        (NEAR[2], (pl.int_range(pl.len()) * 2**41).cast(pl.Float32), "expect_no_identifier_feature"),
    ],
)
def test_the_guard_tells_of_an_interaction_as_of_any_feature(
    near: TinyProject, column: str, planted: pl.Expr, check: str
) -> None:
    near.tamper(TRAINING_SET, lambda rows: rows.with_columns(planted.alias(column)))
    near.execute("guard")
    told = {found["type"]: found for found in near.verdict("artifacts/tiny/guard/verdict.json")["checks"]}
    assert told[check]["status"] == "fail"
    assert column in told[check]["columns"]


def test_a_service_that_leaves_out_a_view_behind_an_interaction_is_refused(near: TinyProject) -> None:
    served = 'tiny = FeatureService(name="tiny", features=[lexical, history, both, near])\n'
    append(near.root / "feature_repo" / "tiny.py", served)
    near.execute("join")
    with pytest.raises(Misuse, match="nothing can be proven of view 'tiny_question'"):
        near.execute("guard")
