"""Watertight: features, models and evidence in which nothing leaks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watertight.inference.loaded import Loaded

__version__ = "0.1.0"
__all__ = ["load"]


def load(source: str | Path) -> Loaded:
    """The models of a bundle, ready to be asked."""
    from watertight.inference.opening import open_folder  # the models' libraries behind it; the command line starts without

    return open_folder(Path(source))
