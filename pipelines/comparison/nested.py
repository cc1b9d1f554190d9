"""What differs between two nested declarations, by dotted key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def changes(old: Any, new: Any) -> list[dict[str, Any]]:
    """A record per value that differs: ``key``, ``old`` and ``new``; the side that has no such key has no such entry.

    Keys of mappings are dotted, in the order of ``old`` and then of ``new``. Lists of as many mappings are compared one by
    one, by number from 0; every other list is one value. A whole number and a float that are equal do not differ.
    """
    return list(_changes(old, new, ()))


def _changes(old: Any, new: Any, at: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    left, right = _parts(old), _parts(new)
    if left is None or right is None or _of_mappings(old) != _of_mappings(new):
        if old != new or isinstance(old, bool) is not isinstance(new, bool):
            yield {"key": ".".join(at), "old": old, "new": new}
        return
    for name in dict.fromkeys([*left, *right]):
        here = (*at, name)
        if name not in right:
            yield from _leaves("old", left[name], here)
        elif name not in left:
            yield from _leaves("new", right[name], here)
        else:
            yield from _changes(left[name], right[name], here)


def _leaves(side: str, value: Any, at: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Every value of what one side alone has; an empty mapping is one."""
    if isinstance(value, Mapping) and value:
        for name, part in value.items():
            yield from _leaves(side, part, (*at, str(name)))
    else:
        yield {"key": ".".join(at), side: value}


def _parts(value: Any) -> dict[str, Any] | None:
    """What a value is made of, by name; None where it is one value."""
    if isinstance(value, Mapping):
        return {str(name): part for name, part in value.items()}
    return {str(place): part for place, part in enumerate(value)} if _of_mappings(value) else None


def _of_mappings(value: Any) -> int:
    """How many mappings a list is made of; 0 where it is something else."""
    listed = isinstance(value, (list, tuple)) and all(isinstance(part, Mapping) for part in value)
    return len(value) if listed else 0
