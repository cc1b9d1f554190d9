"""An on-demand view over a row's content is computed from that content, never from nulls."""

from __future__ import annotations

import json

import pytest
from tiny_project import TinyProject

from pipelines.features import Features, features_of_new_rows
from pipelines.predict import _row as row_of
from pipelines.predict import bundle_of, features_online, predict_one

SHOUT = """
from feast import Field
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.transformation.pandas_transformation import PandasTransformation
from feast.types import Float32


def _twice(frame):
    return (2 * frame[["word_count_log"]]).rename(columns={"word_count_log": "twice"}).astype("float32")


shout = OnDemandFeatureView(
    name="tiny_shout",
    sources=[lexical],
    schema=[Field(name="twice", dtype=Float32)],
    feature_transformation=PandasTransformation(_twice, "twice"),
    mode="pandas",
)
tiny = FeatureService(name="tiny", features=[lexical, history[scalars(history)], now, shout])
"""
VALUES = {"text": "A calm evening.", "author": "a0"}
AT = "2025-12-01T00:00:00Z"


def test_such_a_view_is_answered_from_history(project: TinyProject) -> None:
    module = project.root / "feature_repo" / "tiny.py"
    module.write_text(module.read_text(encoding="utf-8") + SHOUT, encoding="utf-8")
    project.execute("join", "guard", "train", "evaluate", "register")
    features = Features(project.work)
    row = row_of(project.work, VALUES, AT)
    assert features_online(features, row) is None
    joined = features_of_new_rows(features, row)
    assert joined["tiny_shout__twice"][0] == pytest.approx(2 * joined["tiny_lexical__word_count_log"][0])
    assert predict_one(project.work, VALUES, AT)["features_from"] == "history"


def test_without_one_the_online_store_answers_and_no_encoder_is_pinned(project: TinyProject) -> None:
    project.execute("register")
    assert predict_one(project.work, VALUES, AT)["features_from"] == "online"
    assert bundle_of(Features(project.work)).manifest.encoder_fingerprint == ""
    features = json.loads((project.root / "data/tiny/features/features.json").read_text(encoding="utf-8"))
    assert features["encoders"] == {}
