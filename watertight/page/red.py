"""Red conditions: what a reader must see before any figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from watertight.page.commands import ROWS, TRAINING_SET, shows_file, shows_rows, shows_slice
from watertight.page.facts import Judged, Run, slice_name

Level = Literal["red", "amber"]
FIRST = 5
BARRED = "barred"


@dataclass(frozen=True)
class Condition:
    """One condition that holds. ``level``: amber for what only warns, or was not asked. ``count``: rows; null where unknown.

    ``rule`` is what was expected, ``reason`` what was found, ``rows`` the first row ids, ``columns`` what else breaks it by
    name, ``figures`` what was measured, ``command`` shows the rows, or else the verdict.
    """

    level: Level
    status: str
    where: str
    rule: str
    count: int | None
    reason: str
    rows: tuple[str, ...]
    command: str
    columns: tuple[str, ...] = ()
    figures: str = ""


@dataclass(frozen=True)
class Conditions:
    """What is red or amber, red first, and how many conditions of each kind were looked at."""

    found: tuple[Condition, ...]
    looked_at: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many conditions were looked at."""
        return sum(self.looked_at.values())

    @property
    def red(self) -> int:
        """How many are red, those not counted that bar only a cell which is not registered."""
        return sum(condition.level == "red" for condition in self.found) - self.barred

    @property
    def barred(self) -> int:
        """How many are red that bar only a cell which is not registered."""
        return sum(condition.status == BARRED for condition in self.found)

    @property
    def amber(self) -> int:
        """How many are amber."""
        return sum(condition.level == "amber" for condition in self.found)


def conditions(run: Run) -> Conditions:
    """Every check, comparison with the first baseline, and thing that was left out."""
    kinds = {
        "checks of the gates": list(_checks(run)),
        "checks of train cells": list(_models(run)),
        "slices of the registered cell beside the first baseline": list(_comparisons(run)),
        "declared strata, targets and slices": list(_declared(run)),
    }
    found = [condition for kind in kinds.values() for condition in kind if condition]
    found.sort(key=lambda condition: (condition.level != "red", condition.status == BARRED))
    return Conditions(tuple(found), {kind: len(told) for kind, told in kinds.items()})


def _checks(run: Run) -> Iterator[Condition | None]:
    for judged in run.gates:
        for check in judged.verdict["checks"]:
            yield _check(run, judged, check)


def _models(run: Run) -> Iterator[Condition | None]:
    """Checks of the registered cell each by itself; those of other cells, which bar only these, once per cell and rule."""
    barred: dict[tuple[str, str], list[Judged]] = {}
    for judged in run.models:
        for check in judged.verdict["checks"]:
            if judged.cell == run.cell:
                yield _check(run, judged, check)
            elif check["status"] == "fail" and check["severity"] == "critical":
                barred.setdefault((judged.cell, check["type"]), []).append(judged)
            else:
                yield None
    for (cell, kind), told in barred.items():
        yield _barred(cell, kind, told)
        yield from [None] * (len(told) - 1)


def _barred(cell: str, kind: str, told: Sequence[Judged]) -> Condition:
    """A rule that a cell breaks which is not registered: it may be compared, and not be registered."""
    checks = [check for judged in told for check in judged.verdict["checks"] if check["type"] == kind]
    targets = tuple(judged.target for judged in told)
    reason = "; ".join(dict.fromkeys(check["reason"] for check in checks))
    where = f"gate model, cell {cell}, which is not registered"
    return Condition("red", BARRED, where, _rule(checks[0]), None, reason, (), shows_file(told[0].place), targets)


def _check(run: Run, judged: Judged, check: Mapping[str, Any]) -> Condition | None:
    if check["status"] == "pass":
        return None
    level, status = _level(judged.verdict["status"], check)
    table = ROWS if judged.verdict["gate"] == "rows" else TRAINING_SET
    return Condition(
        level,
        status,
        judged.where,
        _rule(check),
        check["count"] or None if check["row_ids"] else None,
        check["reason"],
        tuple(check["row_ids"][:FIRST]),
        shows_rows(run.name, check["row_ids"], table) if check["row_ids"] else shows_file(judged.place),
        tuple(check["columns"]),
        ", ".join(f"{name} {value:.6g}" for name, value in check["figures"].items() if isinstance(value, int | float)),
    )


def _rule(check: Mapping[str, Any]) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in sorted(check["kwargs"].items()))
    return f"{check['type']}({arguments})"


def _level(of_gate: str, check: Mapping[str, Any]) -> tuple[Level, str]:
    """A critical check that failed and did not stop the gate was waived, and the gate says so; or its rows were set aside."""
    waived = of_gate == "waived" and check["severity"] == "critical"
    if check["status"] == "skipped":
        return ("red", "skipped, perhaps waived") if waived else ("amber", "skipped")
    if check["severity"] != "critical":
        return "amber", "failed, a warning"
    if of_gate == "pass":
        return "amber", "failed, its rows are quarantined"
    return "red", "waived" if waived else "failed"


def _comparisons(run: Run) -> Iterator[Condition | None]:
    for target in run.predicted:
        metric, others = run.first_metric(target), run.baselines(target)
        if others and others[0] != run.cell:
            theirs = run.of(target, metric=metric, cell=others[0]).rows_by_key(["slice", "value", "row_set"], named=True)
            for told in run.of(target, metric=metric, cell=run.cell).to_dicts():
                beside = theirs.get((told["slice"], told["value"], told["row_set"]))
                if beside and told["low"] is not None and beside[0]["figure"] is not None:
                    yield _worse(run, told, beside[0]["figure"], others[0])


def _worse(run: Run, told: Mapping[str, Any], baseline: float, named: str) -> Condition | None:
    lower = run.metrics_of(told["target"])[told["metric"]].better == "lower"
    if not (told["low"] > baseline if lower else told["high"] < baseline):
        return None
    target, column, value = told["target"], told["slice"], told["value"]
    return Condition(
        "red",
        "worse than the baseline",
        f"{target}, cell {run.cell}, {slice_name(column, value)}",
        f"{told['metric']} is not clearly {'above' if lower else 'below'} that of {named}, {baseline:.4f}",
        told["rows"],
        f"{told['figure']:.4f} [{told['low']:.4f}, {told['high']:.4f}]",
        _first(run, target, column, value),
        shows_slice(run.name, target, column, value, run.params.evaluate.slices.get(column, ())),
    )


def _declared(run: Run) -> Iterator[Condition | None]:
    left_out = {
        "stratum": (run.params.split.strata, run.split["strata_skipped"], f"data/{run.name}/split/split.json"),
        "target": (
            (*run.predicted, *run.trained["targets_skipped"]),
            run.trained["targets_skipped"],
            f"artifacts/{run.name}/train/train.json",
        ),
        "cell": (
            tuple(run.params.train.cells),
            run.trained["cells_skipped"],
            f"artifacts/{run.name}/train/train.json",
        ),
        "slice": (
            tuple(run.params.evaluate.slices),
            run.evaluation["slices_skipped"],
            f"artifacts/{run.name}/evaluate/evaluation.json",
        ),
    }
    for kind, (names, reasons, place) in left_out.items():
        for name in names:
            reason = reasons.get(name)
            yield _left_out(f"{kind} {name}", reason, place) if reason else None


def _left_out(where: str, reason: str, place: str) -> Condition:
    return Condition("amber", "left out", where, "what is declared is used", None, reason, (), shows_file(place))


def _first(run: Run, target: str, column: str, value: str) -> tuple[str, ...]:
    rows = run.slices.filter(target=target, slice=column, value=value)
    return tuple(rows["row_id"].head(FIRST))
