"""The tiny project with a question per author, vectors of both texts, and a view of how near they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml
from tiny_project import TinyProject

STAGES = ("ingest", "check", "split", "featurize", "join", "guard", "train", "evaluate", "register", "materialize")
VIEWS = """
from watertight.features.interaction_view import interaction_view
from watertight.features.views import embedding_view

both = embedding_view("tiny", name="both", entity=note, texts={"note_id": ["question", "text"]})
question = embedding_view("tiny", name="question", entity=author, texts={"author_id": "question"})
near = interaction_view("tiny", name="near", left=both, right=question)
tiny = FeatureService(name="tiny", features=[lexical, history[scalars(history)], now, both, question, near])
"""
SOURCE = '''

def _asked(rows: pl.DataFrame) -> pl.DataFrame:
    """A question per author; the last one was asked nothing."""
    number = pl.col("author_id").str.slice(1).cast(pl.Int64)
    question = pl.format("How was the {}?", pl.col("author_id").replace_strict(PLACES))
    return rows.with_columns(question=pl.when(number < 11).then(question))


PLACES = {f"a{author:02}": ("walk", "exam", "dinner with your mother", "night")[author % 4] for author in range(12)}
_notes = simulate


def simulate() -> pl.DataFrame:
    return _asked(_notes())
'''


def lay_out(built: TinyProject, root: Path) -> TinyProject:
    """A copy of the tiny project with these declarations; its stages are still to be run."""
    shutil.copytree(built.root, root)
    append(root / "feature_repo" / "tiny.py", VIEWS)
    append(root / "pipelines" / "sources" / "tiny" / "made.py", SOURCE)
    contract = root / "pipelines" / "sources" / "tiny" / "made.yaml"
    contract.write_text(contract.read_text(encoding="utf-8").replace("text: [text]", "text: [text, question]"), encoding="utf-8")
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params["tiny"]["train"] |= {"cells": {"near": {"family": "linear", "views": ["tiny_near"]}, "mean": {"family": "mean"}}}
    params["tiny"] |= {"featurize": {"encoder": "all-MiniLM-L6-v2"}, "register": {"cell": "near"}}
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return TinyProject(root)


def append(path: Path, text: str) -> None:
    """Add to a file."""
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
