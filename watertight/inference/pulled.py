"""pull: the bundle of a version, handed out as a folder that needs neither this project nor git nor DVC."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from watertight.core.errors import Misuse, Refusal, WatertightError
from watertight.core.tables import replacing
from watertight.inference.kept import kept, of_record
from watertight.inference.loading import selected
from watertight.inference.opened import opened
from watertight.registry.bundle import MANIFEST


def pull(root: Path, selector: str, to: Path) -> dict[str, Any]:
    """Write the bundle of the version that ``selector`` names in the project at ``root`` to ``to``, whole or not at all.

    An older pull of the same model at ``to`` is replaced. Raises Misuse where ``to`` holds anything else, or is where stages
    write; Refusal where a pull there was edited, or where the bundle cannot be had as it was registered.
    """
    record = selected(root, selector)
    _demand_free(to, root, record.model)
    bundle = kept(root, record)
    with replacing(to) as [draft]:
        shutil.copytree(bundle.folder, draft)
        of_record(draft, record)
    return {
        "model": record.model,
        "version": record.version,
        "to": str(to),
        "files": len(bundle.manifest.files) + 1,
        "bytes": record.bundle.size,
        "bundle": record.bundle.md5,
        "manifest": record.manifest,
    }


def _demand_free(to: Path, root: Path, model: str) -> None:
    """Raise where something at ``to`` would be lost that can not be had again."""
    if to.resolve().is_relative_to(root.resolve() / "artifacts"):
        raise Misuse(f"{to} is where stages write", expected="a folder outside of artifacts/")
    if not to.exists() or (to.is_dir() and not any(to.iterdir())):
        return
    if not (to / MANIFEST).is_file():
        raise Misuse(f"{to} is not empty", expected="a folder that is not there, is empty, or is an older pull")
    try:
        older = opened(to).manifest.workload
    except WatertightError as error:
        raise Refusal(
            f"{to} was changed since it was pulled: {error.what}",
            expected="an older pull as it was",
            next_step="pull to another folder, or remove this one",
        ) from error
    if older != model:
        raise Misuse(f"{to} is a pull of {older!r}", expected=f"an older pull of {model!r}")
