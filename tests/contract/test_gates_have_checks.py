"""A gate that nobody fills or asks would pass everything: each has checks, and a stage that judges it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from watertight.checks.suite import Suites, declared

STAGES = sorted((Path(__file__).parents[2] / "pipelines").glob("*.py"))


def named(text: str, *functions: str) -> Iterator[str]:
    """The first argument of each call of ``functions``, where it is a text or a name that is bound to texts in the module."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value)
            elif isinstance(first, ast.Name):
                bound = [one for one in ast.walk(tree) if isinstance(one, ast.Assign) and first.id in ast.unparse(one.targets[0])]
                yield from (str(c.value) for one in bound for c in ast.walk(one.value) if isinstance(c, ast.Constant))


@pytest.mark.parametrize("gate", Suites.model_fields)
def test_every_gate_is_judged_by_a_stage(gate: str) -> None:
    assert [file.stem for file in STAGES if gate in named(file.read_text(encoding="utf-8"), "judge")], gate


@pytest.mark.parametrize("gate", Suites.model_fields)
def test_every_gate_has_a_check_in_the_contract_or_a_stage_that_promises_one(gate: str) -> None:
    promising = [file for file in STAGES if "Check(type=" in file.read_text(encoding="utf-8")]
    promised = [file.stem for file in promising if gate in named(file.read_text(encoding="utf-8"), "judge")]
    assert declared(gate, None) or promised, f"nothing is asked at gate {gate!r}"


def test_a_gate_that_nobody_judges_is_seen() -> None:
    text = 'gate, waived = "one", ()\njudge(gate, rows, declared(gate, None))\njudge("two", rows, [])\ndeclared("three", None)'
    assert list(named(text, "judge")) == ["one", "two"]
