"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import typer

from watertight.cli.drops import check, ingest, profile, quarantine
from watertight.cli.figures import compare, embeddings, metrics, score
from watertight.cli.predicting import predict
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


app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(predict)
for command in (check, ingest, quarantine, profile, metrics, embeddings, compare, score, fetch, new, repro):
    app.command()(command)
