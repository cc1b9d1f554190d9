"""What a gate answered: pass, fail or skipped for every check, and whether the stage may go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from watertight.core.errors import Refusal

Status = Literal["pass", "fail", "skipped"]
ROWS_KEPT = 20


@dataclass(frozen=True)
class CheckResult:
    """One check: its type and arguments, how severe a failure is, the answer, and the rows or columns that break it.

    ``figures`` are what it measured, kept whether it passed or not.
    """

    type: str
    kwargs: dict[str, Any]
    severity: str
    status: Status
    count: int = 0
    row_ids: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    quarantine: bool = False
    required: bool = False

    def summary(self) -> dict[str, Any]:
        """The result as JSON: the first 20 row ids and how many rows (or else columns) there are."""
        return {
            "type": self.type,
            "kwargs": self.kwargs,
            "severity": self.severity,
            "status": self.status,
            "count": self.count,
            "row_ids": list(self.row_ids[:ROWS_KEPT]),
            "columns": list(self.columns),
            "figures": dict(self.figures),
            "reason": self.reason,
        }

    def told(self) -> str:
        """One line for a person."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.kwargs.items())
        rows = f": {self.count} row(s), first {', '.join(self.row_ids[:5])}" if self.row_ids else ""
        rows += f": {', '.join(self.columns)}" if self.columns else ""
        reason = f"skipped, {self.reason}" if self.status == "skipped" else self.reason
        return f"{self.type}({arguments}){rows}{f' ({reason})' if reason else ''}"


@dataclass(frozen=True)
class Verdict:
    """All results of a gate over ``rows`` rows; ``waived`` are types of check that do not block this run."""

    gate: str
    rows: int
    results: tuple[CheckResult, ...]
    waived: tuple[str, ...] = ()

    @property
    def blocking(self) -> list[CheckResult]:
        """What stops the stage."""
        return [result for result in self.grave if result.type not in self.waived]

    @property
    def grave(self) -> list[CheckResult]:
        """Critical failures that quarantine does not answer, and skips of required checks, waived or not."""
        failures = [result for result in self.failed if result.severity == "critical" and not result.quarantine]
        return failures + [result for result in self.results if result.status == "skipped" and result.required]

    @property
    def failed(self) -> list[CheckResult]:
        """Every check that failed, warnings too."""
        return [result for result in self.results if result.status == "fail"]

    def summary(self) -> dict[str, Any]:
        """The verdict as JSON."""
        counts = {status: sum(result.status == status for result in self.results) for status in ("pass", "fail", "skipped")}
        judged = counts["pass"] + counts["fail"]
        status = "fail" if self.blocking else "waived" if self.grave else "pass" if judged else "skipped"
        return {
            "gate": self.gate,
            "rows": self.rows,
            "status": status,
            "counts": counts,
            "waived": [result.type for result in self.grave if result.type in self.waived],
            "checks": [result.summary() for result in self.results],
        }

    def demand(self) -> None:
        """Raise Refusal, naming every blocking check and its rows, unless nothing blocks."""
        if self.blocking:
            rows = dict.fromkeys(row for result in self.blocking for row in result.row_ids)
            lines = "\n".join(f"  - {result.told()}" for result in self.blocking)
            raise Refusal(
                f"gate {self.gate!r} refused: {len(self.blocking)} check(s) did not pass\n{lines}",
                rows=list(rows),
                expected="every critical check to pass",
                next_step="look at these rows; nothing downstream was built from them",
            )


def demand_passed(told: Mapping[str, Any], what: str) -> None:
    """Raise Refusal where a gate, as :meth:`Verdict.summary` tells it, did not pass by itself; ``what`` then does not happen."""
    if told["status"] != "pass":
        raise Refusal(
            f"gate {told['gate']!r} did not pass ({told['status']}: {', '.join(dict.fromkeys(told['waived']))}); {what}",
            expected="a run in which every critical check passed",
            next_step="its figures may be compared; for anything more, run again with `waive: []`",
        )
