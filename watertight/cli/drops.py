"""New drops: what one would bring, letting it in, what waits to be mended, the reference that drops are compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from watertight.cli.running import Json, WorkloadName, run

DropFile = Annotated[Path, typer.Argument(resolve_path=True, help="A file of rows in the source's own format.")]
OfWorkload = Annotated[str, typer.Option("--workload", "-w", help="A workload of params.yaml.")]
CreatedAt = Annotated[
    str | None, typer.Option(help="When labels that give no created_at were known, ISO 8601: for late labels and corrections.")
]


def check(file: DropFile, workload: OfWorkload, created_at: CreatedAt = None, as_json: Json = False) -> None:
    """Say what a new drop would bring, and every reason against it; nothing is touched."""

    def work(project: Any) -> Any:
        from pipelines.drops import as_text, check_drop  # Feast behind it

        answer = check_drop(project.workload(workload), file, created_at)
        return answer if as_json else as_text(answer)

    run(workload, "check", work, as_json)


def ingest(file: DropFile, workload: OfWorkload, created_at: CreatedAt = None, as_json: Json = False) -> None:
    """Let a new drop in: good rows join the history, bad ones wait in quarantine; or refuse it whole."""

    def work(project: Any) -> Any:
        from pipelines.drops import as_text, ingest_drop  # Feast behind it

        answer = ingest_drop(project.workload(workload), file, created_at)
        return answer if as_json else as_text(answer)

    run(workload, "ingest", work, as_json)


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

    run(workload, "quarantine", work, as_json)


def profile(workload: WorkloadName, as_json: Json = False) -> None:
    """Freeze what is known now as the reference that later drops are compared with."""

    def work(project: Any) -> Any:
        from pipelines.drops import freeze_profile  # Polars behind it

        return freeze_profile(project.workload(workload))

    run(workload, "profile", work, as_json)
