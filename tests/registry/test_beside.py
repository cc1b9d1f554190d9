"""Which answers of a champion a candidate is set beside: those for the same texts, labels and classes, as they were recorded."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from pipelines.looks import record
from pipelines.promotion.beside import champion
from pipelines.promotion.judging import Case
from tests.registry.made_records import made_facts
from tests.story.project_copies import ProjectCopy
from watertight.core.errors import Refusal
from watertight.core.project import Project
from watertight.registry.objects import Objects

MODEL = "judge"
CHAMPION = made_facts(MODEL).numbered("1.0.0", ("the first version",))


class Looks:
    """A project with a cache, in which looks are recorded."""

    def __init__(self, root: Path) -> None:
        self.project = Project(root)
        self.objects = Objects(root)

    def seen(self, answer: float = 1.0, **changes: Any) -> dict[str, Any]:
        """A recorded look of the champion's, with answers that are kept."""
        file = self.project.root / "answers.parquet"
        pl.DataFrame({"target": ["score"], "row_id": ["r1"], "mean": [answer]}).write_parquet(file)
        look = self.look(**changes) | {"predictions": self.objects.keep(file).model_dump(mode="json")}
        file.unlink()
        record(self.project, MODEL, look)
        return look

    def look(self, *, inputs: str = "i", kind: str = "class: a, b", training_set: str = "t", rows: str = "r") -> dict[str, Any]:
        of = {"inputs": inputs, "targets": {"score": kind}, "training_set": training_set}
        figure = {"target": "score", "part": "test_groups", "slice": "", "row_set": rows, "rows": 9}
        return {"bundle": CHAMPION.manifest, "of": of, "figures": [figure]}

    def answer(self, **asked: Any) -> float:
        found = champion(self.project, CHAMPION, self.look(**asked), "prod", self.objects)
        return float(found.predictions["mean"][0])

    def refused(self, **asked: Any) -> str:
        with pytest.raises(Refusal) as caught:
            champion(self.project, CHAMPION, self.look(**asked), "prod", self.objects)
        return str(caught.value)


@pytest.fixture
def here(bare: ProjectCopy) -> Looks:
    return Looks(bare.root)


def test_the_champion_answered_the_same_rows(here: Looks) -> None:
    here.seen(0.25)
    assert here.answer() == 0.25


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"rows": "s"}, "score on test_groups: row set r (9 rows), candidate s (9 rows)"),
        ({"kind": "class: b, a"}, "score is class: b, a, was class: a, b"),
        ({"inputs": "j"}, "their texts, keys or times differ"),
    ],
)
def test_other_labels_classes_or_texts_are_other_rows(here: Looks, other: dict[str, str], told: str) -> None:
    here.seen()
    refusal = here.refused(**other)
    assert told in refusal and "watertight rescore judge#prod" in refusal


def test_of_two_looks_the_one_with_the_candidates_features_counts_whatever_its_name(here: Looks) -> None:
    here.seen(0.1, training_set="old")
    here.seen(0.2, training_set="new")
    assert (here.answer(training_set="new"), here.answer(training_set="old")) == (0.2, 0.1)
    assert "answered these rows differently at 2 looks" in here.refused(training_set="another")


def test_two_looks_that_answered_alike_are_one(here: Looks) -> None:
    here.seen(0.1, training_set="old")
    here.seen(0.1, training_set="new")
    assert here.answer(training_set="another") == 0.1


def test_an_edited_look_is_no_evidence(here: Looks) -> None:
    here.seen()
    [path] = (here.project.root / "models" / MODEL / "looks").glob("*.json")
    told = json.loads(path.read_text())
    told["figures"][0]["rows"] = 8
    path.write_text(json.dumps(told))
    assert "was edited" in here.refused()


def test_answers_that_are_gone_are_asked_for_again(here: Looks, tmp_path: Path) -> None:
    look = here.seen()
    md5 = look["predictions"]["md5"]
    cached = here.project.root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    cached.chmod(0o644)
    cached.unlink()
    (here.project.root / ".dvc" / "config").write_text(
        f"[core]\nremote = shelf\n['remote \"shelf\"']\nurl = {tmp_path / 'shelf'}\n"
    )
    here.objects = Objects(here.project.root)
    refusal = here.refused()
    assert "are gone" in refusal and "watertight rescore judge#prod" in refusal


def test_a_target_that_the_candidate_dropped_is_told(here: Looks) -> None:
    case: Any = SimpleNamespace(held=CHAMPION, candidate=SimpleNamespace(targets=[]))
    assert [(gate.gate, gate.status, gate.target) for gate in Case._dropped(case)] == [
        ("compared", "fail", name) for name in CHAMPION.interface.targets
    ]
