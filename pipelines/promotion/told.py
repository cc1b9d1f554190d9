"""What a promotion tells a person: the version, why it is one, and each gate's answer on a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watertight.registry.gate_text import gate_lines
from watertight.registry.records import GateResult


def as_text(answer: Mapping[str, Any]) -> str:
    """The answer of ``promote`` as lines."""
    head = f"{answer['model']} {answer['version']} holds {answer['stage']} ({'; '.join(answer['because'])})"
    beside = f"set beside {answer['champion']}, on the same rows" if answer["champion"] else ""
    lines = gate_lines([GateResult(**gate) for gate in answer["gates"]])
    tags = f"tags: {', '.join(answer['tags'])}" if answer["tags"] else ""
    named = answer["experiment"]
    kept = f"dvc exp branch {named} BRANCH, and push it: git push does not push an experiment's commit" if named else ""
    pushed = f"commit {answer['commit'][:12]}; git push makes it known"
    return "\n".join(line for line in (head, beside, *lines, tags, pushed, kept) if line)
