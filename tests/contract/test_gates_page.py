"""`docs/gates.md` names every check that there is, as the code describes it."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import watertight.checks
from watertight.checks.base import TableCheck

PAGE = (Path(__file__).parents[2] / "docs" / "gates.md").read_text(encoding="utf-8")


def kinds(parent: type[TableCheck]) -> set[type[TableCheck]]:
    return {kind for child in parent.__subclasses__() for kind in ({child} | kinds(child))}


def test_the_page_names_every_check() -> None:
    for module in pkgutil.iter_modules(watertight.checks.__path__):
        importlib.import_module(f"watertight.checks.{module.name}")
    product = [kind for kind in kinds(TableCheck) if kind.__module__.startswith("watertight.checks.")]
    names = {kind.expectation_type for kind in product if kind.__name__.startswith("Expect")}
    assert "expect_groups_in_one_fold" in names
    assert sorted(name for name in names if f"| `{name}` |" not in PAGE) == [], "python benchmarks/gates.py --checks"
