"""What later stages ask of the verdicts of earlier ones: that they passed, and that they are of these very files."""

from __future__ import annotations

from typing import Any

from watertight.checks.verdict import demand_passed
from watertight.core.digests import file_digest
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Workload
from watertight.core.tables import read_json

TRAINING_SET = ("training_set", "training_set.parquet")
PREDICTIONS = ("train", "predictions.parquet")


def demand_guarded(work: Workload, what: str) -> None:
    """Raise Refusal unless guard passed, nothing waived, and judged the training set that is there now."""
    told = demand_guard_passed(work, what)
    if told["of"] != file_digest(work.data(*TRAINING_SET)):
        raise Refusal(
            f"guard has not judged this training set; {what}",
            expected=f"the training set with sha256 {told['of']}",
            next_step="dvc repro: what guard refuses stays unjudged",
        )


def demand_guard_passed(work: Workload, what: str) -> dict[str, Any]:
    """The verdict of guard; raises Refusal unless it passed, nothing waived, and Misuse where nothing was guarded yet."""
    place = work.artifacts("guard", "verdict.json")
    if not place.is_file():
        raise Misuse("nothing was guarded yet", expected=f"{place}", next_step="dvc repro, or dvc checkout")
    told: dict[str, Any] = read_json(place)
    demand_passed(told, what)
    return told


def demand_judged(work: Workload, what: str) -> None:
    """Raise Refusal unless evaluate judged the predictions that are there now; Misuse where nothing was evaluated yet."""
    place = work.artifacts("evaluate", "evaluation.json")
    if not place.is_file() or not work.artifacts(*PREDICTIONS).is_file():
        raise Misuse("nothing was evaluated yet", expected=f"{place}", next_step="dvc repro, or dvc checkout")
    told = read_json(place)
    if told["of"] != file_digest(work.artifacts(*PREDICTIONS)):
        raise Refusal(
            f"evaluate has not judged these predictions; {what}",
            expected=f"the predictions with sha256 {told['of']}",
            next_step="dvc repro: what evaluate refuses stays unjudged",
        )
