"""What models are worth: figures, differences, looks at the test sets, a page of vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from watertight.cli.running import Json, WorkloadName, run


def metrics(workload: WorkloadName, as_json: Json = False) -> None:
    """Print the out-of-fold figures of every cell, each with the row set that it is of."""

    def work(project: Any) -> Any:
        from pipelines.figures import as_text, figures_of  # Polars behind it

        rows = figures_of(project.workload(workload))
        return rows if as_json else as_text(rows, "target", "rows", "groups", "row_set")

    run(workload, "metrics", work, as_json)


def inventory(workload: WorkloadName, as_json: Json = False) -> None:
    """Print every model that was trained: its seed, its version of the data, its figure, and its weight in an ensemble."""

    def work(project: Any) -> Any:
        from pipelines.figures import inventory_as_text, inventory_of  # Polars behind it

        rows = inventory_of(project.workload(workload))
        return rows if as_json else inventory_as_text(rows)

    run(workload, "inventory", work, as_json)


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

    run(workload, "embeddings", work, as_json)


def compare(
    sides: Annotated[
        list[str], typer.Argument(metavar="MODEL@VERSION MODEL#STAGE | WORKLOAD ONE OTHER", help="Two sides of one workload.")
    ],
    as_json: Json = False,
) -> None:
    """Print ONE less OTHER on the same out-of-fold rows, with paired intervals, and what changed from OTHER to ONE.

    A side is a cell of params.yaml, a version (@1.2.0, #prod), a revision (a commit, a branch, an experiment) or workspace,
    the working tree. Exit status 1 where something could not be compared; the rest is told all the same.
    """
    refused: list[Any] = []

    def work(project: Any) -> Any:
        from pipelines.comparison.answer import compared
        from pipelines.comparison.asked import asked  # DVC and Polars behind it
        from pipelines.comparison.told import as_text

        with asked(project, sides) as found:
            answer = compared(found.work, found.one, found.other, found.notes)
        refused.extend(answer["refused"])
        return answer if as_json else as_text(answer)

    run(sides[0], "compare", work, as_json)
    raise typer.Exit(1 if refused else 0)


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

    run(workload, "score", work, as_json)
