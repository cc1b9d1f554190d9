"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

from collections.abc import Callable

import typer

from watertight.cli.bundles import export, pull
from watertight.cli.drops import check, ingest, profile, quarantine
from watertight.cli.figures import compare, embeddings, inventory, metrics, score
from watertight.cli.models import deprecate, history, lineage, models, rollback, show, verify
from watertight.cli.predicting import predict, search, submit
from watertight.cli.promoting import promote, rescore
from watertight.cli.workloads import fetch, new, repro

app = typer.Typer(
    name="watertight",
    help="Features, models and evidence in which nothing leaks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def root() -> None:
    """Features, models and evidence in which nothing leaks."""


COMMANDS: tuple[Callable[..., None], ...] = (
    *(check, ingest, quarantine, profile),
    *(metrics, inventory, embeddings, compare, score),
    *(models, show, history, lineage, promote, rescore, rollback, deprecate, verify),
    *(pull, export, search, submit),
    *(fetch, new, repro),
)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(predict)
for command in COMMANDS:
    app.command()(command)
