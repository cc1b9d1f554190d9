"""Red conditions: what a reader must see before any figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from watertight.page.commands import shows_file, shows_rows, shows_slice
from watertight.page.facts import Run, slice_name

Level = Literal["red", "amber"]
FIRST = 5


@dataclass(frozen=True)
class Condition:
    """One condition that holds. ``level``: amber for what only warns, or was not asked. ``count``: rows; null where unknown.

    ``rule`` is what was expected, ``reason`` what was found, ``rows`` the first row ids, ``command`` shows the rows.
    """

    level: Level
    status: str
    where: str
    rule: str
    count: int | None
    reason: str
    rows: tuple[str, ...]
    command: str


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
        """How many are red."""
        return sum(condition.level == "red" for condition in self.found)

    @property
    def amber(self) -> int:
        """How many are amber."""
        return len(self.found) - self.red


def conditions(run: Run) -> Conditions:
    """Every check, interval coverage, comparison with the first baseline, and thing that was left out."""
    kinds = {
        "checks of the gates": list(_checks(run)),
        "coverages of intervals": list(_coverages(run)),
        "slices of the registered cell beside the first baseline": list(_comparisons(run)),
        "declared strata, targets and slices": list(_declared(run)),
    }
    found = [condition for kind in kinds.values() for condition in kind if condition]
    found.sort(key=lambda condition: condition.level != "red")
    return Conditions(tuple(found), {kind: len(told) for kind, told in kinds.items()})


def _checks(run: Run) -> Iterator[Condition | None]:
    places = [f"data/{run.name}/split/split.json", f"artifacts/{run.name}/guard/verdict.json"]
    evaluated = f"artifacts/{run.name}/evaluate/evaluation.json"
    for number, verdict in enumerate(run.verdicts):
        for check in verdict["checks"]:
            yield _check(run, verdict, check, places[number] if number < len(places) else evaluated)


def _check(run: Run, verdict: Mapping[str, Any], check: Mapping[str, Any], place: str) -> Condition | None:
    if check["status"] == "pass":
        return None
    level, status = _level(verdict["status"], check)
    arguments = ", ".join(f"{name}={value!r}" for name, value in sorted(check["kwargs"].items()))
    return Condition(
        level,
        status,
        f"gate {verdict['gate']}",
        f"{check['type']}({arguments})",
        check["count"] or None,
        check["reason"],
        tuple(check["row_ids"][:FIRST]),
        shows_rows(run.name, check["row_ids"]) if check["row_ids"] else shows_file(place),
    )


def _level(of_gate: str, check: Mapping[str, Any]) -> tuple[Level, str]:
    """A critical check that failed and did not stop the gate was waived; a gate that a waiver let pass says so."""
    waived = of_gate == "waived" and check["severity"] == "critical"
    if check["status"] == "skipped":
        return ("red", "skipped, perhaps waived") if waived else ("amber", "skipped")
    if check["severity"] != "critical":
        return "amber", "failed, a warning"
    return "red", "waived" if waived else "failed"


def _coverages(run: Run) -> Iterator[Condition | None]:
    edges = run.params.evaluate.slices
    for told in of_cells(run.evaluation["intervals_cover"]):
        column, value = told["slice"], told["value"]
        yield (
            None
            if told["within"]
            else Condition(
                "red",
                "coverage",
                f"{told['target']}, cell {told['cell']}, {slice_name(column, value)}",
                f"intervals of level {told['level']:g} cover {told['low_bound']:.3f} to {told['high_bound']:.3f} of the rows",
                told["rows"],
                f"they cover {told['coverage']:.3f}",
                _first(run, told["target"], column, value),
                shows_slice(run.name, told["target"], column, value, edges.get(column, ())),
            )
        )


def of_cells(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of records per target, cell and seed those that stand for a cell: of its only seed, or of the mean of its seeds."""
    seeds: dict[tuple[str, str], set[int | None]] = {}
    for told in records:
        seeds.setdefault((told["target"], told["cell"]), set()).add(told["seed"])
    return [told for told in records if told["seed"] is None or len(seeds[told["target"], told["cell"]]) == 1]


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
