"""Where content-addressed caches live. Deleting one changes nothing but time."""

from __future__ import annotations

import os
from pathlib import Path


def default_root() -> Path:
    """The folder named in WATERTIGHT_CACHE (environment), else ``~/.cache/watertight``."""
    named = os.environ.get("WATERTIGHT_CACHE")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "watertight"
