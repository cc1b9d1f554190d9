"""A version's bundle handed out: to a folder, to another registry."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from watertight.cli.models import Selector
from watertight.cli.running import Json, run_at_root


class Registries(StrEnum):
    """Registries that a version is handed over to."""

    MLFLOW = "mlflow"


def pull(
    selector: Selector,
    to: Annotated[Path, typer.Option(resolve_path=True, help="A folder that is not there, is empty, or is an older pull.")],
    as_json: Json = False,
) -> None:
    """Write a version's bundle to a folder that loads without git or DVC: watertight.load(DIR)."""

    def work(root: Path) -> Any:
        from watertight.inference.pulled import pull as pulled  # seconds to import

        return pulled(root, selector, to)

    run_at_root(selector, "pull", work, as_json)


def export(
    selector: Selector,
    to: Annotated[Registries, typer.Option(help="The kind of registry.")],
    uri: Annotated[str, typer.Option(help="Where it is, such as sqlite:///mlflow.db or http://localhost:5000.")],
    as_json: Json = False,
) -> None:
    """Hand a version over to a registry of MLflow, with its files, figures and digests; its stages become aliases."""

    def work(root: Path) -> Any:
        from watertight.inference.to_mlflow import export_to_mlflow  # seconds to import

        return export_to_mlflow(root, selector, uri)

    run_at_root(selector, f"export to {to}", work, as_json)
