"""What decides which version holds a stage: a candidate is promoted, or the version in the stage is scored again."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from watertight.cli.running import Json, WorkloadName, run

Stage = Annotated[str, typer.Option("--to", help="The stage, one of gates.stages in params.yaml.")]
Revision = Annotated[str, typer.Option("--rev", help="A commit, a branch or a DVC experiment.")]


def promote(
    workload: WorkloadName,
    to: Stage = "prod",
    rev: Revision = "HEAD",
    force: Annotated[bool, typer.Option("--force", help="Promote against the gates; needs --reason.")] = False,
    reason: Annotated[str, typer.Option(help="Why: recorded for ever, beside what it overrode.")] = "",
    tag: Annotated[bool, typer.Option("--tag", help="Tag the commit as GTO does, for tools that read its tags.")] = False,
    push: Annotated[bool, typer.Option("--push", help="Push the bundle to the DVC remote first.")] = False,
    as_json: Json = False,
) -> None:
    """Put what REV registered into a stage, if the evidence holds: gates on the same test rows as the version there."""

    def work(project: Any) -> Any:
        from pipelines.promotion.promote import Asked  # seconds to import
        from pipelines.promotion.promote import promote as promoted
        from pipelines.promotion.told import as_text
        from watertight.core.errors import Misuse

        if force != bool(reason.strip()):
            raise Misuse("--force and --reason go together", expected="--force --reason WHY, or neither")
        answer = promoted(project, Asked(workload, to, rev, reason, tag, push))
        return answer if as_json else as_text(answer)

    run(workload, "promote", work, as_json)


def rescore(
    model: Annotated[str, typer.Argument(help="MODEL, MODEL#STAGE or MODEL@VERSION.")],
    as_json: Json = False,
) -> None:
    """Score a version on today's test rows, so that a candidate can be set beside it on these; the look is recorded."""

    def work(project: Any) -> Any:
        from pipelines.promotion.rescore import as_text  # seconds to import
        from pipelines.promotion.rescore import rescore as rescored
        from watertight.registry.history import parse_selector

        name, version, stage = parse_selector(model)
        answer = rescored(project, name, version, stage)
        return answer if as_json else as_text(answer)

    run(model, "rescore", work, as_json)
