"""Feast, imported for a query: without rewriting its functions, and without torch.

As it is imported, Feast has typeguard rewrite some 240 of its functions, so that a wrong argument in a declaration is told, and
it imports torch, for answers as tensors. That is 5.5 of its 7 seconds, and half of those of a query. A query declares nothing: it
is refused unless the declarations are those of the bundle, which the stages have read with every check. typeguard's own
switch for that is ``python -O``, which must be given before the start.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

import typeguard

TORCH = "feast.torch_wrapper"


class _LateTorch(ModuleType):
    """Feast's module of this name, but for when torch is imported: where a tensor is asked for."""

    @staticmethod
    def get_torch() -> ModuleType:
        return import_module("torch")


def import_feast() -> None:
    """Import Feast, so that whoever imports it after this has it at once; nothing where it is imported already."""
    if "feast" in sys.modules:
        return
    checked = typeguard.typechecked
    typeguard.typechecked = _as_it_is  # type: ignore[assignment]
    sys.modules[TORCH] = _LateTorch(TORCH)
    try:
        import_module("feast")
    finally:
        typeguard.typechecked = checked


def _as_it_is(target: Any) -> Any:
    """In place of typeguard's decorator."""
    return target
