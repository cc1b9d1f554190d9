"""A folder that somebody gave us, opened as a bundle: every file is checked before any is read, and none is executed.

Models are LightGBM's text, safetensors and JSON; a family is picked by name from this library's own, never from the bundle.
"""

from __future__ import annotations

from pathlib import Path

from watertight.core.errors import Refusal
from watertight.inference.loaded import Loaded
from watertight.registry.bundle import open_bundle


def open_folder(folder: Path) -> Loaded:
    """The models of the bundle in ``folder``, which needs nothing beside it.

    Raises Misuse where there is no bundle, Refusal where a file is not the one that the manifest names by its sha256, is
    missing, was added or is a link, or where a model cannot be read.
    """
    _demand_no_links(folder)
    return Loaded(open_bundle(folder))


def _demand_no_links(folder: Path) -> None:
    links = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_symlink()]
    if links:
        raise Refusal(
            f"the bundle has links in it, which may lead out of it: {', '.join(links)}",
            expected="files alone",
            next_step="watertight pull, which writes files",
        )
