"""Errors as part of the interface: where, what, how many, which rows, what was expected, what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ROWS_SHOWN = 5


class WatertightError(Exception):
    """A condition that the user can understand and act upon.

    ``what`` is one sentence. Everything else is optional and is printed on its own line where given:
    ``workload``, ``stage``, ``column``; ``count`` (rows concerned); ``rows`` (their ids, of which the first five
    are shown); ``expected``; ``next_step``. Subclasses fix ``exit_code``: 1 for a gate that refused, 2 for misuse. ``answer`` is
    what a command says to a machine all the same.
    """

    exit_code = 1
    answer: Mapping[str, object] | None = None

    def __init__(
        self,
        what: str,
        *,
        workload: str | None = None,
        stage: str | None = None,
        column: str | None = None,
        count: int | None = None,
        rows: Sequence[str] = (),
        expected: str | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.workload = workload
        self.stage = stage
        self.column = column
        self.count = len(rows) if count is None and rows else count
        self.rows = tuple(str(row) for row in rows)
        self.expected = expected
        self.next_step = next_step

    def located(self, workload: str, stage: str) -> WatertightError:
        """The same error, told where it happened unless it already knew."""
        self.workload = self.workload or workload
        self.stage = self.stage or stage
        return self

    def __str__(self) -> str:
        place = " · ".join(part for part in (self.workload, self.stage) if part)
        lines = [f"{place}: {self.what}" if place else self.what]
        facts = {
            "column": self.column,
            "rows": _rows_line(self.count, self.rows),
            "expected": self.expected,
            "next": self.next_step,
        }
        return "\n".join(lines + [f"  {name}: {value}" for name, value in facts.items() if value])


class Refusal(WatertightError):
    """The data or the evidence does not satisfy a gate: exit status 1."""

    exit_code = 1


class Misuse(WatertightError):
    """A command, a declaration or an environment is wrong: exit status 2."""

    exit_code = 2


def _rows_line(count: int | None, rows: Sequence[str]) -> str | None:
    if not count and not rows:
        return None
    first = ", ".join(rows[:ROWS_SHOWN])
    more = ", …" if len(rows) > ROWS_SHOWN else ""
    return f"{count} ({first}{more})" if first else f"{count}"
