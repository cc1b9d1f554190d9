"""A view of labelled texts is held to the same evidence as any history: what it must not know, the guard names."""

from __future__ import annotations

import polars as pl
import pytest
from tiny_project import TRAINING_SET, Refused, TinyProject

SAID = "data/tiny/features/tiny_said.parquet"
KNOWN, RECOUNT = "expect_known_when_asked", "expect_history_to_match_rows"
VIEW = """
from watertight.features.views import labelled_texts_view

said = labelled_texts_view("tiny", entity=author, texts=["text"], labels=LABELS)
tiny = FeatureService(name="tiny", features=[lexical, history[scalars(history)], now, said])
"""


@pytest.fixture
def said(project: TinyProject) -> TinyProject:
    """The tiny project with the view, filled, joined and found without fault."""
    module = project.root / "feature_repo" / "tiny.py"
    module.write_text(module.read_text(encoding="utf-8") + VIEW, encoding="utf-8")
    project.execute("featurize", "join", "guard")
    return project


def test_the_guard_refuses_texts_that_were_not_labelled_yet(said: TinyProject) -> None:
    rows = said.table(TRAINING_SET)
    assert rows.filter(pl.col("tiny_said__mood_count") > 0)["tiny_said__mood_text"].null_count() == 0
    assert rows["tiny_said__mood_mean"].equals(rows["tiny_history__mood_mean"], check_names=False)

    said.tamper(SAID, lambda view: view.with_columns(pl.col("event_timestamp") - pl.duration(microseconds=1)))
    said.execute("join")
    assert said.refused("guard") == Refused({KNOWN, RECOUNT}, {"a00-2", "a01-3"}), "as for the history itself"

    said.tamper(SAID, lambda view: view.with_columns(source_at=pl.lit(0, pl.Int64)))
    said.execute("join")
    assert said.refused("guard") == Refused({RECOUNT}, {"a00-2", "a01-3"}), "whatever the evidence says"
