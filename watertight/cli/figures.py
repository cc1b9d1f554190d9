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

    run(workload, "compare", work, as_json)


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
