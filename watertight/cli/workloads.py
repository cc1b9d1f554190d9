"""Making and building workloads: declarations from a sample, raw files, the graph."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from watertight.cli.running import Json, run


def fetch(
    source: Annotated[str, typer.Argument(help="WORKLOAD/SOURCE, a contract of pipelines/sources/.")],
    as_json: Json = False,
) -> None:
    """Download a source's raw files to the raw root; each must have the sha256 that its contract pins."""

    def work(project: Any) -> Any:
        from pipelines.fetch import fetch_source  # only where it is needed

        workload, _, name = source.partition("/")
        return fetch_source(project, workload, name)

    run(source, "fetch", work, as_json)


def new(
    name: Annotated[str, typer.Argument(help="What the workload is to be called, such as tickets.")],
    sample: Annotated[
        Path, typer.Option("--from", resolve_path=True, help="A file of rows: CSV, TSV, JSON(L), Parquet; .gz too.")
    ],
    target: Annotated[list[str], typer.Option(help="The column to predict; may be given again.")],
    group: Annotated[str, typer.Option(help="The column whose rows stay on one side of every split, such as a person.")],
    time: Annotated[str, typer.Option(help="The column of the moment at which a row is asked.")],
    text: Annotated[list[str] | None, typer.Option(help="A column of texts, may be given again; default: guessed.")] = None,
    row_id: Annotated[str | None, typer.Option(help="The column that names a row; default: guessed.")] = None,
    labelled_at: Annotated[str | None, typer.Option(help="The column of when a label was known; default: guessed.")] = None,
    as_json: Json = False,
) -> None:
    """Write the declarations of a workload from a sample of its rows; what was guessed is marked for review."""

    def work(project: Any) -> Any:
        from pipelines.new.wanted import Wanted
        from pipelines.new.workload import as_text, new_workload  # Polars behind it

        wanted = Wanted(sample, tuple(target), group, time, tuple(text or ()), row_id, labelled_at)
        answer = new_workload(project, name, wanted)
        return answer if as_json else as_text(answer)

    run(name, "new", work, as_json)


def repro(
    targets: Annotated[
        list[str] | None, typer.Argument(help="Stages, with all that they read; default: all of dvc.yaml.")
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Stages at once; default: the number of cores.")] = None,
    as_json: Json = False,
) -> None:
    """Run what changed, independent stages side by side; leaves the outputs and the dvc.lock of `dvc repro`."""
    from watertight.core.errors import WatertightError
    from watertight.repro.run import reproduce  # DVC behind it; threads are not pinned here, a stage does so for itself

    try:
        outcomes = reproduce(targets or [], jobs or os.cpu_count() or 1)
    except WatertightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from error
    if as_json:
        told = [{"stage": outcome.stage, "status": outcome.status, "seconds": outcome.seconds} for outcome in outcomes]
        typer.echo(json.dumps(told, ensure_ascii=False))
    raise typer.Exit(next((outcome.exit_code for outcome in outcomes if outcome.exit_code), 0))
