"""All that is to be said of two sides: what can be told stands, what cannot says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pipelines.comparison.data_diff import data_diff
from pipelines.comparison.figures import Pair, demand_comparable, pairs
from pipelines.comparison.nested import changes
from pipelines.comparison.service_diff import service_diff
from pipelines.comparison.side import Side
from pipelines.comparison.slices import slices_apart
from watertight.core.errors import WatertightError
from watertight.core.project import Workload


def compared(work: Workload, one: Side, other: Side, notes: Sequence[str] = ()) -> dict[str, Any]:
    """``one`` less ``other`` in figures, and what changed from ``other`` to ``one`` in everything else.

    ``one``, ``other``: name, cell and revision of each. ``figures``: a row per target, each metric as figure, low and high, then
    rows, groups and row_set. ``slices``: see ``slices_apart``. ``params``: what differs in the workload's section. ``cell``: what
    differs in the two cells' declarations, where they are two. ``features``, ``data``: see ``service_diff`` and ``data_diff``.
    ``refused``: a record for each of these that could not be told, as a whole or of a target, with what, expected and next.
    ``notes``: what is to be known of how the sides were found.
    """
    refused: list[dict[str, str]] = []
    beside = _told("figures", refused, lambda: pairs(work, one, other)) or []
    good = [pair for pair in beside if _is_comparable(pair, refused)]
    return {
        "one": _named(one),
        "other": _named(other),
        "figures": [pair.told() for pair in good],
        "slices": slices_apart(work, good),
        "params": changes(other.params, one.params),
        "cell": changes(_declared(other), _declared(one)) if one.cell != other.cell else [],
        "features": _told("features", refused, lambda: service_diff(other, one)) or {},
        "data": _told("data", refused, lambda: data_diff(other, one)) or {},
        "refused": refused,
        "notes": list(notes),
    }


def _named(side: Side) -> dict[str, str]:
    return {"name": side.name, "cell": side.cell, "revision": side.revision}


def _declared(side: Side) -> Any:
    return side.params.get("train", {}).get("cells", {}).get(side.cell, {})


def _is_comparable(pair: Pair, refused: list[dict[str, str]]) -> bool:
    """Whether the figures of a pair may be told; where not, it is said in ``refused``."""
    count = len(refused)
    _told("figures", refused, lambda: demand_comparable(pair), pair.target)
    return len(refused) == count


def _told(part: str, refused: list[dict[str, str]], tell: Callable[[], Any], target: str = "") -> Any:
    try:
        return tell()
    except WatertightError as error:
        line = {
            "part": part,
            "target": target,
            "what": error.what,
            "expected": error.expected or "",
            "next": error.next_step or "",
        }
        refused.append(line)
        return None
