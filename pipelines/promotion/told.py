"""What a promotion tells a person: the version, why it is one, and each gate's answer on a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_text(answer: Mapping[str, Any]) -> str:
    """The answer of ``promote`` as lines."""
    head = f"{answer['model']} {answer['version']} holds {answer['stage']} ({'; '.join(answer['because'])})"
    beside = f"set beside {answer['champion']}, on the same rows" if answer["champion"] else ""
    lines = [_line(gate) for gate in answer["gates"]]
    tags = f"tags: {', '.join(answer['tags'])}" if answer["tags"] else ""
    pushed = f"commit {answer['commit'][:12]}; git push makes it known"
    return "\n".join(line for line in (head, beside, *lines, tags, pushed) if line)


def _line(gate: Mapping[str, Any]) -> str:
    name = " ".join(part for part in (gate["gate"], gate["target"], gate["part"]) if part)
    return f"  {gate['status']:>7}  {name}: {gate['told']}"
