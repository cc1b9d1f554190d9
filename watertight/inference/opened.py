"""A folder that somebody gave us, opened as a bundle: every file is checked before any is read, and none is executed."""

from __future__ import annotations

from pathlib import Path

from watertight.core.errors import Refusal
from watertight.registry.bundle import Bundle, open_bundle


def opened(folder: Path) -> Bundle:
    """The bundle in ``folder``, whole and without links.

    Raises Misuse where there is none, Refusal where a file is not the one that the manifest names by its sha256, is missing,
    was added, or is a link. What it holds is LightGBM's text, safetensors and JSON; which family reads them is picked by name
    from this library's own, never from the bundle.
    """
    links = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_symlink()]
    if links:
        raise Refusal(
            f"the bundle has links in it, which may lead out of it: {', '.join(links)}",
            expected="files alone",
            next_step="watertight pull, which writes files",
        )
    return open_bundle(folder)
