"""What the gates of a promotion answered, a line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watertight.registry.headlines import interval
from watertight.registry.records import GateResult


def gate_lines(gates: Sequence[GateResult]) -> Iterator[str]:
    """Each gate: what it answered, the difference with its interval where it has one, its own words, and the rows it is of."""
    for gate in gates:
        yield f"    {gate.status:8}{_name(gate)}{_difference(gate)}: {gate.told}{_rows(gate)}"


def telling(gates: Sequence[GateResult]) -> Iterator[str]:
    """The lines of what was compared or did not pass, and how many others passed."""
    told = [gate for gate in gates if gate.paired or gate.status != "pass"]
    yield from gate_lines(told)
    if len(told) < len(gates):
        yield f"    {len(gates) - len(told)} other gates passed"


def _name(gate: GateResult) -> str:
    return " ".join(part for part in (gate.gate, gate.target, gate.part) if part)


def _difference(gate: GateResult) -> str:
    return f" {interval(gate.model_dump(include={'figure', 'low', 'high'}))}" if gate.paired and gate.figure is not None else ""


def _rows(gate: GateResult) -> str:
    return f" ({gate.rows} rows, {gate.groups} groups, row set {gate.row_set})" if gate.row_set else ""
