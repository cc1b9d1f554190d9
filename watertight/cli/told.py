"""An answer as text for a terminal: facts line by line, records as a table."""

from __future__ import annotations

from typing import Any


def told(answer: Any, indent: str = "") -> str:
    """Text as it is, a list of records as a table, facts a line each, what is nested below its name."""
    if isinstance(answer, list):
        return table(answer)
    if not isinstance(answer, dict):
        return f"{indent}{answer}"
    lines = []
    for name, value in answer.items():
        nested = isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))
        lines.append(f"{indent}{name}:\n{told(value, indent + '  ')}" if nested else f"{indent}{name}: {_fact(value)}")
    return "\n".join(lines)


def _fact(value: Any) -> Any:
    return f"{value:.4f}" if isinstance(value, float) else value


def table(rows: list[dict[str, Any]]) -> str:
    """Rows with the same keys as aligned columns; numbers to four decimals, right-aligned."""
    names = list(rows[0]) if rows else []
    cells = [names, *[[_cell(row[name]) for name in names] for row in rows]]
    widths = [max(len(line[place]) for line in cells) for place in range(len(names))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def _cell(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "" if value is None else str(value)
