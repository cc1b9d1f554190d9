"""Watertight: features, models and evidence in which nothing leaks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watertight.inference.loaded import Loaded

__version__ = "0.1.0"
__all__ = ["load"]


def load(source: str | Path, *, stage: str | None = None, version: str | None = None) -> Loaded:
    """The models of a bundle, ready to be asked: ``load("some/folder")``, or in a project ``load("judge", stage="prod")``.

    ``source`` is a folder with a bundle, which needs nothing beside it, or what ``watertight models`` selects by: ``judge``,
    ``judge@1.2.0``, ``judge#prod``. A name with a manifest in a folder of that name is the folder, unless ``stage`` or
    ``version`` is given. Raises as :func:`watertight.inference.loading.load` does.
    """
    from watertight.inference.loading import load as opened  # the models' libraries behind it

    return opened(source, stage, version)
