"""A command at work: on the project around it, its answer told, its errors without a traceback."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watertight.cli.told import told

if TYPE_CHECKING:
    from watertight.core.errors import WatertightError

Json = Annotated[bool, typer.Option("--json", help="Answer as JSON, for machines.")]
WorkloadName = Annotated[str, typer.Argument(help="A workload of params.yaml.")]


def run(workload: str, stage: str, work: Callable[[Any], Any], as_json: bool) -> None:
    """Run a command on the project, whose stages can be imported, and tell its answer."""
    _tell(workload, stage, lambda: work(_project()), as_json)


def run_at_root(model: str, command: str, work: Callable[[Path], Any], as_json: bool) -> None:
    """Run a command of the registry, which needs the project's root and no declaration, and tell its answer."""
    from watertight.core.root import find_root  # light, but beside the others

    _tell(model, command, lambda: work(find_root()), as_json)


def _tell(name: str, command: str, work: Callable[[], Any], as_json: bool) -> None:
    """Tell an answer, or an error without a traceback, with the exit status of the error."""
    from watertight.core import numerics  # before anything numeric is imported
    from watertight.core.errors import WatertightError

    numerics.pin()
    try:
        answer = work()
    except WatertightError as error:
        if as_json:
            answer = _facts(error) if error.answer is None else error.answer
            typer.echo(json.dumps(answer, ensure_ascii=False, sort_keys=True))
        typer.echo(str(error.located(name, command)), err=True)
        raise typer.Exit(error.exit_code) from error
    typer.echo(json.dumps(answer, ensure_ascii=False, sort_keys=True) if as_json else told(answer))


def _facts(error: WatertightError) -> dict[str, Any]:
    """What an error that has no answer of its own says to a machine."""
    return {"error": error.what, "expected": error.expected, "next": error.next_step, "rows": list(error.rows)}


def _project() -> Any:
    """The project around the working directory; from here on its stages can be imported."""
    from watertight.core.project import find_project  # Polars and pydantic behind it

    project = find_project()
    os.chdir(project.root)
    sys.path.insert(0, str(project.root))
    return project
