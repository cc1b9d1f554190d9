"""load: from a folder, or by name from a project's registry."""

from __future__ import annotations

from pathlib import Path

from watertight.core.errors import Misuse
from watertight.core.root import find_root
from watertight.inference.kept import kept
from watertight.inference.loaded import Loaded
from watertight.inference.opened import opened
from watertight.registry.bundle import MANIFEST
from watertight.registry.history import parse_selector, registry_of
from watertight.registry.records import VersionRecord


def load(source: str | Path, stage: str | None = None, version: str | None = None) -> Loaded:
    """The models of the bundle in the folder ``source``, or of the version that it selects in the project around us.

    Raises Misuse where there is no such folder, project, model, version or stage; Refusal where a file of the bundle is not
    the one that was registered, or a model cannot be read.
    """
    if not (stage or version) and _is_folder(source):
        return Loaded(opened(Path(source)))
    root = find_root()
    return Loaded(kept(root, selected(root, str(source), stage, version)))


def selected(root: Path, selector: str, stage: str | None = None, version: str | None = None) -> VersionRecord:
    """The record that a selector names, of which ``stage`` or ``version`` may be given apart; Misuse where it is unclear."""
    model, named_version, named_stage = parse_selector(selector)
    given = [name for name in (version, stage, named_version, named_stage) if name]
    if len(given) > 1:
        raise Misuse(f"{selector!r} is to be {' and '.join(given)}", expected="one stage, or one version")
    return registry_of(root, model).resolve(version or named_version, stage or named_stage)


def _is_folder(source: str | Path) -> bool:
    return isinstance(source, Path) or "/" in source or (Path(source) / MANIFEST).is_file()
