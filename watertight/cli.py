"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="watertight",
    help="Features, models and evidence in which nothing leaks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Answer as JSON, for machines.")]
WorkloadName = Annotated[str, typer.Argument(help="A workload of params.yaml.")]


@app.callback()
def root() -> None:
    """Features, models and evidence in which nothing leaks."""


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def predict(
    context: typer.Context,
    workload: WorkloadName,
    at: Annotated[str | None, typer.Option(help="The moment asked about, ISO 8601; default: now.")] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from", resolve_path=True, help="A file of rows in the source's own format.")
    ] = None,
    to_file: Annotated[
        Path | None, typer.Option("--to", resolve_path=True, help="Where to write: .csv, .parquet or .jsonl.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Predict one row (--text "…" --author a0001 [--at …]) or a file of rows (--from FILE --to FILE).

    The options of one row are the workload's own texts and entity keys, the keys with or without their "_id".
    """

    def work(project: Any) -> Any:
        from pipelines import predict as stage  # seconds to import
        from watertight.core.errors import Misuse

        found = project.workload(workload)
        if from_file or to_file:
            if not (from_file and to_file) or at or context.args:
                raise Misuse("a file is predicted as it stands", expected="--from FILE --to FILE and nothing else")
            table = stage.predict_file(found, from_file, to_file)
            return {"rows": table.height, "refused": table["refused"].is_not_null().sum(), "to": str(to_file)}
        return stage.predict_one(found, _pairs(context.args), at)

    _run(workload, "predict", work, as_json)


DropFile = Annotated[Path, typer.Argument(resolve_path=True, help="A file of rows in the source's own format.")]
OfWorkload = Annotated[str, typer.Option("--workload", "-w", help="A workload of params.yaml.")]
CreatedAt = Annotated[
    str | None, typer.Option(help="When labels that give no created_at were known, ISO 8601: for late labels and corrections.")
]


@app.command()
def check(file: DropFile, workload: OfWorkload, created_at: CreatedAt = None, as_json: Json = False) -> None:
    """Say what a new drop would bring, and every reason against it; nothing is touched."""

    def work(project: Any) -> Any:
        from pipelines.drops import as_text, check_drop  # Feast behind it

        answer = check_drop(project.workload(workload), file, created_at)
        return answer if as_json else as_text(answer)

    _run(workload, "check", work, as_json)


@app.command()
def ingest(file: DropFile, workload: OfWorkload, created_at: CreatedAt = None, as_json: Json = False) -> None:
    """Let a new drop in: good rows join the history, bad ones wait in quarantine; or refuse it whole."""

    def work(project: Any) -> Any:
        from pipelines.drops import as_text, ingest_drop  # Feast behind it

        answer = ingest_drop(project.workload(workload), file, created_at)
        return answer if as_json else as_text(answer)

    _run(workload, "ingest", work, as_json)


@app.command()
def quarantine(
    workload: WorkloadName,
    to_file: Annotated[
        Path | None, typer.Option("--to", resolve_path=True, help="Hand the rows out to be mended: .csv, .parquet or .jsonl.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the rows of drops that wait to be mended, each with its reason; once mended, ingest takes them."""

    def work(project: Any) -> Any:
        from pipelines.quarantine import hand_out, listed  # Polars behind it

        found = project.workload(workload)
        return {"rows": hand_out(found, to_file), "to": str(to_file)} if to_file else listed(found)

    _run(workload, "quarantine", work, as_json)


@app.command()
def profile(workload: WorkloadName, as_json: Json = False) -> None:
    """Freeze what is known now as the reference that later drops are compared with."""

    def work(project: Any) -> Any:
        from pipelines.drops import freeze_profile  # Polars behind it

        return freeze_profile(project.workload(workload))

    _run(workload, "profile", work, as_json)


@app.command()
def metrics(workload: WorkloadName, as_json: Json = False) -> None:
    """Print the out-of-fold figures of every cell, each with the row set that it is of."""

    def work(project: Any) -> Any:
        from pipelines.figures import as_text, figures_of  # Polars behind it

        rows = figures_of(project.workload(workload))
        return rows if as_json else as_text(rows, "target", "rows", "groups", "row_set")

    _run(workload, "metrics", work, as_json)


@app.command()
def embeddings(
    workload: WorkloadName,
    target: Annotated[str | None, typer.Option(help="A scalar target; default: the first that is trained.")] = None,
    to_file: Annotated[
        Path | None, typer.Option("--to", resolve_path=True, help="The page; default: artifacts/WORKLOAD/embeddings.html.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw the vectors of the training rows beside a target, and say what their nearest neighbours know of it."""

    def work(project: Any) -> Any:
        from pipelines.embeddings import as_text, embeddings  # seconds to import

        answer = embeddings(project.workload(workload), target, to_file)
        return answer if as_json else as_text(answer)

    _run(workload, "embeddings", work, as_json)


@app.command()
def compare(
    workload: WorkloadName,
    cell: Annotated[str, typer.Argument(help="A cell of params.yaml.")],
    other: Annotated[str, typer.Argument(help="The cell it is set beside.")],
    as_json: Json = False,
) -> None:
    """Print CELL less OTHER on the same out-of-fold rows, with paired intervals clustered by group."""

    def work(project: Any) -> Any:
        from pipelines.compare import compare as compared  # Polars behind it
        from pipelines.figures import as_text

        rows = compared(project.workload(workload), cell, other)
        return rows if as_json else as_text(rows, "rows", "groups")

    _run(workload, "compare", work, as_json)


@app.command()
def score(
    workload: WorkloadName,
    test: Annotated[bool, typer.Option("--test", help="Say that you mean to look at the test sets.")] = False,
    every_cell: Annotated[bool, typer.Option("--every-cell", help="Score every trained cell, not the bundle alone.")] = False,
    as_of: Annotated[
        str | None, typer.Option(help="A drop: score the test sets as they were when it had come; default: as they are.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Score the registered bundle on the test sets, and record the look in models/WORKLOAD/looks/."""

    def work(project: Any) -> Any:
        from pipelines.figures import look_as_text
        from pipelines.score import score_test  # seconds to import
        from watertight.core.errors import Misuse

        if not test:
            raise Misuse("the test sets are looked at only on purpose, and every look is recorded", next_step="add --test")
        look = score_test(project.workload(workload), every_cell, as_of)
        return look if as_json else look_as_text(look)

    _run(workload, "score", work, as_json)


@app.command()
def fetch(
    source: Annotated[str, typer.Argument(help="WORKLOAD/SOURCE, a contract of pipelines/sources/.")],
    as_json: Json = False,
) -> None:
    """Download a source's raw files to the raw root; each must have the sha256 that its contract pins."""

    def work(project: Any) -> Any:
        from pipelines.fetch import fetch_source  # only where it is needed

        workload, _, name = source.partition("/")
        return fetch_source(project, workload, name)

    _run(source, "fetch", work, as_json)


@app.command()
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

    _run(name, "new", work, as_json)


@app.command()
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


def _project() -> Any:
    """The project around the working directory; from here on its stages can be imported."""
    from watertight.core.project import find_project  # Polars and pydantic behind it

    project = find_project()
    os.chdir(project.root)
    sys.path.insert(0, str(project.root))
    return project


def _pairs(arguments: list[str]) -> dict[str, str]:
    from watertight.core.errors import Misuse  # light, but beside the others

    apart = list(_apart(arguments))
    names, values = apart[::2], apart[1::2]
    if len(names) != len(values) or any(not name.startswith("--") for name in names):
        raise Misuse(f"cannot read {' '.join(arguments)!r}", expected='--name value pairs, such as --text "…" --author a0001')
    return {name[2:].replace("-", "_"): value for name, value in zip(names, values, strict=True)}


def _apart(arguments: list[str]) -> Iterator[str]:
    """Names and values in turn; ``--name=value`` is both. A value, which follows its name, is left as it is."""
    rest = iter(arguments)
    for name in rest:
        if name.startswith("--") and "=" in name:
            yield from name.split("=", 1)
        else:
            yield name
            yield from islice(rest, 1)


def _run(workload: str, stage: str, work: Callable[[Any], Any], as_json: bool) -> None:
    """Run a command on the project; tell its answer, or its error without a traceback, with the exit status of the error."""
    from watertight.core import numerics  # before anything numeric is imported
    from watertight.core.errors import WatertightError

    numerics.pin()
    try:
        answer = work(_project())
    except WatertightError as error:
        typer.echo(str(error.located(workload, stage)), err=True)
        raise typer.Exit(error.exit_code) from error
    typer.echo(json.dumps(answer, ensure_ascii=False, sort_keys=True) if as_json else _told(answer))


def _told(answer: Any, indent: str = "") -> str:
    if isinstance(answer, list):
        return _table(answer)
    if not isinstance(answer, dict):
        return f"{indent}{answer}"
    lines = []
    for name, value in answer.items():
        nested = isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))
        told = f"{value:.4f}" if isinstance(value, float) else value
        lines.append(f"{indent}{name}:\n{_told(value, indent + '  ')}" if nested else f"{indent}{name}: {told}")
    return "\n".join(lines)


def _table(rows: list[dict[str, Any]]) -> str:
    """Rows with the same keys as aligned columns; numbers to four decimals, right-aligned."""
    names = list(rows[0]) if rows else []
    cells = [names, *[[_cell(row[name]) for name in names] for row in rows]]
    widths = [max(len(line[place]) for line in cells) for place in range(len(names))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def _cell(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "" if value is None else str(value)
