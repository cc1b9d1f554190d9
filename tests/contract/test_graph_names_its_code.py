"""`dvc.lock` binds a stage's outputs to its code only if `dvc.yaml` names all of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def imported(path: Path) -> set[Path]:
    """The repository's own modules that a module imports anywhere in it."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    places = [ROOT / name.replace(".", "/") for name in names]
    found = {place.with_suffix(".py") for place in places} | {place / "__init__.py" for place in places}
    return {place for place in found if place.is_file()}


def closure(path: Path) -> set[Path]:
    """Every module of the repository that running `path` may import."""
    seen, todo = set(), [path]
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo += imported(module)
    return seen


def dependencies(stage: str) -> list[Path]:
    return [ROOT / dep.replace("${item}", "perception") for dep in STAGES[stage]["do"]["deps"]]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_every_module_that_it_imports(stage: str) -> None:
    named = dependencies(stage)
    modules = {module for module in closure(ROOT / "pipelines" / f"{stage}.py") if module.name != "__init__.py"}
    unnamed = {
        module.relative_to(ROOT).as_posix()
        for module in modules
        if not any(module == place or place in module.parents for place in named)
    }
    assert unnamed == set()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_names_no_code_that_is_not_there(stage: str) -> None:
    code = [place for place in dependencies(stage) if "data" not in place.parts and "artifacts" not in place.parts]
    assert [place for place in code if not place.exists()] == []
