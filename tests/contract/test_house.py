"""The house rules that a machine can hold: import direction, small functions, docstrings, nothing that executes data."""

from __future__ import annotations

import ast
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("features", "stores", "checks", "learners", "registry", "evaluation", "page")
SLOW_TO_IMPORT = ("feast", "great_expectations", "torch", "sentence_transformers", "lightgbm", "umap")
MAY_BE_IMPORTED_LATE = {*SLOW_TO_IMPORT, "transformers", "sklearn", "scipy", "optuna", "crepes", "mlflow", "sqlalchemy"}
OURS_IMPORTED_LATE = {
    ("watertight.load", "watertight.inference.loading"),
    ("watertight.inference.kept._bring", "watertight.registry.objects"),
}
"""Modules of ours that stand for slow libraries: the models' own, which `import watertight` and with it the command line start
without, and DVC, which a bundle that is here already needs no more."""
EXECUTABLE_FORMATS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
FORBIDDEN_CALLS = {"eval", "exec", "torch.load", "joblib.dump", "joblib.load", "pickle.load", "pickle.loads"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules() -> dict[str, ast.Module]:
    """Every product module by its dotted name."""
    files = [file for folder in ("watertight", "pipelines", "feature_repo") for file in (ROOT / folder).rglob("*.py")]
    return {_dotted(file): ast.parse(file.read_text(encoding="utf-8")) for file in sorted(files)}


def _dotted(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST) -> set[str]:
    """The modules that are imported anywhere in a tree; a name taken from a package counts as its module if it is one."""
    found = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            whole = {f"{node.module}.{name.name}" for name in node.names}
            found |= {name if name in modules() else str(node.module) for name in whole}
    return found


def functions() -> Iterator[tuple[str, Function]]:
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{module}.{node.name}", node


def length(function: Function) -> int:
    """Lines of a function, its docstring not counted."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    told = ast.get_docstring(function) is not None
    return lines - ((first.end_lineno or 0) - first.lineno + 1 if told else 0)


def nodes(kind: type[ast.AST] | tuple[type[ast.AST], ...]) -> Iterator[tuple[str, ast.AST]]:
    """Every node of a kind with the place where it stands."""
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, kind):
                yield f"{module}:{node.lineno}", node  # type: ignore[attr-defined]


def under(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_the_whole_product_is_looked_at() -> None:
    assert {"watertight.core.time", "watertight.cli", "pipelines.train", "feature_repo.perception"} <= set(modules())


def test_core_imports_no_other_part() -> None:
    strange = {
        (module, other)
        for module, tree in modules().items()
        for other in imported(tree)
        if under(module, "watertight.core")
        and under(other, "watertight", "pipelines", "feature_repo")
        and not under(other, "watertight.core")
    }
    assert not strange


@pytest.mark.parametrize("part", PARTS)
def test_no_part_imports_a_sibling(part: str) -> None:
    siblings = [f"watertight.{other}" for other in PARTS if other != part]
    strange = {
        (module, other)
        for module, tree in modules().items()
        for other in imported(tree)
        if under(module, f"watertight.{part}") and under(other, "watertight.cli", *siblings)
    }
    assert not strange


def test_the_library_knows_neither_pipelines_nor_workloads() -> None:
    strange = {
        (module, other)
        for module, tree in modules().items()
        for other in imported(tree)
        if under(module, "watertight") and not under(module, "watertight.cli") and under(other, "pipelines", "feature_repo")
    }
    assert not strange


def test_imports_make_no_cycle() -> None:
    graph = {module: imported(tree) & set(modules()) - {module} for module, tree in modules().items()}
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("watertight.core.errors") < order.index("pipelines.train")


def test_only_slow_libraries_are_imported_inside_functions() -> None:
    strange = {
        (name, other)
        for name, function in functions()
        for other in imported(function)
        if not name.startswith("watertight.cli.") and other.split(".")[0] not in MAY_BE_IMPORTED_LATE
        if (name, other) not in OURS_IMPORTED_LATE
    }
    assert not strange


def test_no_function_is_over_fifty_lines_and_most_are_under_ten() -> None:
    lengths = {name: length(function) for name, function in functions()}
    assert {name: lines for name, lines in lengths.items() if lines > 50} == {}
    assert statistics.median(lengths.values()) <= 10


def test_every_public_thing_says_what_it_is() -> None:
    silent = []
    for module, tree in modules().items():
        if ast.get_docstring(tree) is None:
            silent.append(module)
        owners = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))]
        for owner in owners:
            things = [node for node in owner.body if isinstance(node, Function | ast.ClassDef)]
            silent += [f"{module}.{node.name}" for node in things if node.name[0] != "_" and not ast.get_docstring(node)]
    assert silent == []


def test_nothing_reads_or_writes_a_format_that_executes() -> None:
    strange = {
        (module, other)
        for module, tree in modules().items()
        for other in imported(tree)
        if other.split(".")[0] in EXECUTABLE_FORMATS
    }
    assert not strange


def test_nothing_evaluates_data_as_code() -> None:
    calls = [(place, ast.unparse(node.func)) for place, node in nodes(ast.Call) if isinstance(node, ast.Call)]
    assert [(place, name) for place, name in calls if name in FORBIDDEN_CALLS] == []
    unsafe = [place for place, node in nodes(ast.keyword) if ast.unparse(node) in ("allow_pickle=True", "Loader=yaml.Loader")]
    assert unsafe == []


def test_no_bare_except_and_no_assert() -> None:
    handlers = [place for place, node in nodes(ast.ExceptHandler) if isinstance(node, ast.ExceptHandler) and not node.type]
    assert handlers == []
    assert [place for place, _ in nodes(ast.Assert)] == []


def test_annotations_are_not_evaluated_at_import() -> None:
    """Or a slow library would have to be imported for the sake of a type."""
    lacking = [
        module
        for module, tree in modules().items()
        if any(isinstance(node, Function) for node in tree.body) and "annotations" not in _future_imports(tree)
    ]
    assert lacking == []


def _future_imports(tree: ast.Module) -> set[str]:
    nodes = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    return {name.name for node in nodes for name in node.names}


def test_command_line_and_core_start_without_the_slow_libraries() -> None:
    core = [module for module in modules() if under(module, "watertight.core")]
    for wanted in (["watertight.cli"], core):
        code = f"import sys, {', '.join(wanted)}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
        loaded = _python("-c", code).split()
        assert "watertight" in loaded
        assert set(loaded) & set(SLOW_TO_IMPORT) == set()


BARE = """
import typer
app = typer.Typer()
app.command()(lambda: None)
app()
"""


def test_help_costs_a_tenth_of_a_second_beyond_typers_own() -> None:
    """Of processor time, the best of five, beside a bare application of Typer: the machine's own pace tells nothing."""
    ours, bare = (min(_seconds_of_help(code) for _ in range(5)) for code in ("from watertight.cli import app; app()", BARE))
    assert ours - bare < 0.1


def _seconds_of_help(code: str) -> float:
    before = _children_seconds()
    assert "--help" in _python("-c", code, "--help")
    return _children_seconds() - before


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _python(*arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, env=environment, cwd=ROOT, timeout=60
    )
    return done.stdout
