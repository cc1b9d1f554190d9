"""What became of the feature service: views, what they are made by, columns, and the encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.comparison.nested import changes
from pipelines.comparison.side import Side


def service_diff(old: Side, new: Side) -> dict[str, Any]:
    """What differs in the features, from ``old`` to ``new``; empty where nothing does.

    ``service``, ``encoders``: records of :func:`pipelines.comparison.nested.changes`. ``views_added`` and ``views_removed``: the
    names under which the service serves them. ``views_changed``: by such a name, what changed in the definition.
    ``columns_added`` and ``columns_removed``: what a model may take. Raises Refusal where a side's training set is not there.
    """
    before, after = (_served(side.features["signature"]) for side in (old, new))
    names = [name for name in before if name in after]
    columns = [side.features["features"] for side in (old, new)]
    told = {
        "service": changes(*({"service": side.features["signature"]["service"]} for side in (old, new))),
        "views_added": [name for name in after if name not in before],
        "views_removed": [name for name in before if name not in after],
        "views_changed": {name: found for name in names if (found := _redefined(before[name], after[name]))},
        "columns_added": [name for name in columns[1] if name not in columns[0]],
        "columns_removed": [name for name in columns[0] if name not in columns[1]],
        "encoders": changes(*(side.features["encoders"] for side in (old, new))),
    }
    return {name: value for name, value in told.items() if value}


def _redefined(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What changed in a view, but for the columns that only one has: those are told by themselves."""
    found = changes(before, after)
    return [line for line in found if {"old", "new"} <= line.keys() or not line["key"].startswith("types.")]


def _served(signature: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By the name under which a view is served: which it is, its keys, what fills it, and the types of its columns."""
    found = {}
    for name, view in signature["serves"].items():
        own = view["view"]
        made_by = signature["views"].get(own) or signature.get("interactions", {}).get(own) or {}
        types = {feature: signature["types"][own][feature] for feature in view["features"]}
        found[name] = {"view": own, "keys": view["keys"], **made_by, "types": types}
    return found
