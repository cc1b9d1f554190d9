"""What later stages ask of the verdicts of earlier ones: that they passed, and that they are of these very files."""

from __future__ import annotations

from collections.abc import Iterable
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


def demand_model_passed(work: Workload, cell: str, what: str) -> None:
    """Raise Refusal, with figures and bounds, unless the gate `model` judged ``cell`` and passed all its targets and seeds."""
    told = read_json(work.artifacts("evaluate", "evaluation.json"))["models"]
    mine = [model for model in told if model["cell"] == cell]
    barred = [model for model in mine if _barred(model)]
    if mine and not barred:
        return
    good = [name for name in _cells(told) if name not in _cells(model for model in told if _barred(model))]
    rows = [row for model in barred for check in _not_passed(model) for row in check["row_ids"]]
    lines = "\n".join(f"  - {_reasons(model)}" for model in barred)
    raise Refusal(
        f"cell {cell!r} did not pass gate 'model'; {what}\n{lines}",
        rows=list(dict.fromkeys(rows)),
        expected="every critical check of gate 'model' to pass for each target of the cell, nothing waived",
        next_step=f"mend the cell and train it again, or name one that passed: {', '.join(good) or 'there is none'}",
    )


def _cells(models: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(model["cell"] for model in models))


def _barred(model: dict[str, Any]) -> bool:
    return bool(model["verdict"]["status"] != "pass")


def _not_passed(model: dict[str, Any]) -> list[dict[str, Any]]:
    """The critical checks that failed, or else those that were skipped though they must not be."""
    critical = [check for check in model["verdict"]["checks"] if check["severity"] == "critical"]
    by_status = {status: [check for check in critical if check["status"] == status] for status in ("fail", "skipped")}
    return by_status["fail"] or by_status["skipped"]


def _reasons(model: dict[str, Any]) -> str:
    """Which checks a cell did not pass for a target: figures and bounds."""
    reasons = "; ".join(f"{check['type']}: {check['reason']}" for check in _not_passed(model))
    return f"target {model['target']!r}, seed {model['seed']} ({model['verdict']['status']}): {reasons}"


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
