"""Run a stage as a command: declarations in, one folder out, put in place only when it is whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from watertight.core.errors import Misuse, WatertightError
from watertight.core.project import Workload, find_project
from watertight.core.tables import replacing


def run(stage: str, work_in: Callable[..., None], *places: str) -> None:
    """Run ``work_in(workload, *drafts)`` for the workload named on the command line, then exit.

    ``places`` are the stage's outputs, with ``{workload}`` in them; ``drafts`` are fresh paths in their stead. Exit
    status 0 done, 1 a gate refused, 2 misuse; an error is told on standard error without a traceback.
    """
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    try:
        if not name:
            raise Misuse(f"usage: python -m pipelines.{stage} WORKLOAD")
        execute(find_project().workload(name), stage, work_in, *places)
    except WatertightError as error:
        print(error.located(name, stage), file=sys.stderr)
        sys.exit(error.exit_code)


def execute(work: Workload, stage: str, work_in: Callable[..., None], *places: str) -> None:
    """Run one stage in this process; raises what the stage raises, and then leaves the old output in place."""
    finals = [Path(work.project.root, place.format(workload=work.name)) for place in places]
    with replacing(*finals) as drafts:
        work_in(work, *drafts)


def tell_left_out(work: Workload, stage: str, what: str, reasons: Mapping[str, str]) -> None:
    """Print one line for what a stage leaves out, name by name with the reason; nothing where nothing is."""
    if reasons:
        told = "; ".join(f"{name} ({reason})" for name, reason in reasons.items())
        print(f"{work.name} · {stage}: {what} left out: {told}")
