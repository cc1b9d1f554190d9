"""Where a project begins. Apart from what reads its declarations: the registry's commands need a root and nothing slow."""

from __future__ import annotations

from pathlib import Path

from watertight.core.errors import Misuse

MARK = "params.yaml"


def find_root(start: Path | None = None) -> Path:
    """The root of the project around ``start`` (default: the working directory); raises Misuse where there is none."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / MARK).is_file() and (folder / "feature_repo").is_dir():
            return folder
    raise Misuse(f"{here} is not in a Watertight project", expected="a folder with params.yaml and feature_repo/ in it")
