"""The declared views of the workload `judge`, filled from a few rows with the columns that all its sources have."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.features import Features, features_of_new_rows
from watertight.core.project import Project
from watertight.features.embedding import embed
from watertight.features.lexical import LEXICAL_COLUMNS

ROOT = Path(__file__).parents[2]
ENCODER = "all-MiniLM-L6-v2"
PARAMS = f"""
workloads: [judge]
judge:
  source: {{name: made}}
  split: {{seed: 0, folds: 2}}
  featurize: {{encoder: {ENCODER}}}
  join: {{service: judge}}
  train: {{targets: [score], cells: {{mean: {{family: mean}}}}}}
  evaluate: {{baselines: [mean]}}
  register: {{cell: mean}}
"""
BASES = ("text", "response", "prompt", "metric")
ROWS = pl.DataFrame(
    {
        "row_id": ["r0", "r1", "r2"],
        "prompt_id": ["p0", "p0", "p1"],
        "response_id": ["s0", "s0", "s1"],
        "metric_id": ["m0", "m1", "m0"],
        "system_prompt": ["Be brief.", "Be brief.", None],
        "user_prompt": ["What is tea?", "What is tea?", "Wie spät ist es?"],
        "response": ["A hot drink.", "A hot drink.", "Fast Mitternacht."],
        "metric_name": ["safety/harm", "style/brevity", "safety/harm"],
        "asked_at": [datetime(2025, 3, 1, hour, tzinfo=UTC) for hour in range(3)],
    },
    schema_overrides={"asked_at": pl.Datetime("us", "UTC")},
)


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The service's features of the three rows."""
    root = tmp_path_factory.mktemp("judge")
    (root / "feature_repo").mkdir()
    (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
    for name in ("judge.py", "feature_store.yaml"):
        shutil.copy(ROOT / "feature_repo" / name, root / "feature_repo")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        features = Features(Project(root).workload("judge"))
        assert features.join_keys == ["response_id", "prompt_id", "metric_id"]
        return features_of_new_rows(features, ROWS)


def test_the_service_serves_just_what_was_agreed(joined: pl.DataFrame) -> None:
    vectors = [f"judge_{name}__{column}" for name in BASES for column in ("vector", "source_at")]
    words = [f"judge_lexical__{column}" for column in (*LEXICAL_COLUMNS, "source_at")]
    pairs = [f"judge_text_metric__{kind}" for kind in ("product", "difference", "cosine")]
    cosines = ["judge_response_prompt__cosine", "judge_response_metric__cosine"]
    assert joined.columns == ["row_id", *vectors, *words, *pairs, *cosines]
    assert joined.null_count().sum_horizontal().item() == 0


def test_each_vector_is_of_the_text_that_its_view_names(joined: pl.DataFrame) -> None:
    asked = [["Be brief.", "What is tea?"], ["Be brief.", "What is tea?"], ["Wie spät ist es?"]]
    parts = {
        "text": [[*question, answer] for question, answer in zip(asked, ROWS["response"], strict=True)],
        "prompt": asked,
        "response": [[answer] for answer in ROWS["response"]],
        "metric": [[metric] for metric in ROWS["metric_name"]],
    }
    for name in BASES:
        for found, texts in zip(joined[f"judge_{name}__vector"], parts[name], strict=True):
            vectors = np.array(embed(pl.Series(texts), ENCODER)[0].to_list())
            mean = np.average(vectors, axis=0, weights=[len(text) for text in texts])
            expected = mean / np.linalg.norm(mean) if len(texts) > 1 else mean
            np.testing.assert_allclose(found.to_numpy(), expected, atol=1 / 4096, err_msg=name)


def test_cosines_are_of_the_pairs_that_they_are_named_after(joined: pl.DataFrame) -> None:
    matrix = {name: np.array(joined[f"judge_{name}__vector"].to_list()) for name in BASES}
    for left, right in (("text", "metric"), ("response", "prompt"), ("response", "metric")):
        a, b = matrix[left], matrix[right]
        expected = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        assert joined[f"judge_{left}_{right}__cosine"].to_list() == pytest.approx(expected.tolist(), abs=1e-6)
