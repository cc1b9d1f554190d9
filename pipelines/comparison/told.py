"""The answer for a person: figures, slices, and a table for everything that changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.figures import as_text as figures_as_text

LONGEST = 60
NOTHING = "no difference"
ABSENT = "—"
"""What a side has that lacks the key: a null is told as such."""


def as_text(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What :func:`pipelines.comparison.answer.compared` found, under headings; of what was refused only why.

    Where both sides are of the working tree, nothing is said of what they cannot differ in.
    """
    one, other = (_name(answer[side]) for side in ("one", "other"))
    refused = {line["part"] for line in answer["refused"]}
    nothing = NOTHING if any(answer[side]["revision"] for side in ("one", "other")) else ""
    changed = {
        "params": _table(answer["params"]),
        **({"cell": _table(answer["cell"])} if answer["cell"] else {}),
        "features": _features(answer["features"]),
        "data": _data(answer["data"]),
    }
    found: dict[str, Any] = {
        "note": "; ".join(answer["notes"]),
        f"{one} less {other}": figures_as_text(answer["figures"], "rows", "groups"),
        **_slices(answer["slices"], one),
        "not compared": _refused(answer["refused"]),
        **{f"{part}, from {other} to {one}": told or nothing for part, told in changed.items() if part not in refused},
    }
    return {heading: told for heading, told in found.items() if told}


def _name(side: Mapping[str, str]) -> str:
    return side["name"] if side["name"] == side["cell"] else f"{side['name']} ({side['cell']})"


def _slices(found: Mapping[str, Any], one: str) -> dict[str, Any]:
    told = {f"slices in which {one} is {way}": _by_slice(found[way]) for way in ("worse", "better")}
    if not any(told.values()):
        return {}
    chance = f"{found['looked_at']} intervals, of which {found['by_chance']:.1f} each way are expected apart from 0 by chance"
    return {**told, "slices looked at": chance}


def _by_slice(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """A row per target and slice: the differences that are apart from 0, each metric a column."""
    metrics = dict.fromkeys(line["metric"] for line in lines)
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for line in lines:
        where = (line["target"], f"{line['slice']} {line['value']}")
        named = {"target": where[0], "slice": where[1], "rows": str(line["rows"]), **dict.fromkeys(metrics, "")}
        row = rows.setdefault(where, named)
        row[line["metric"]] = f"{line['figure']:.4f} [{line['low']:.3f}, {line['high']:.3f}]"
    return list(rows.values())


def _refused(lines: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Each reason once, with what to do next."""
    once = {line["what"]: line for line in reversed(lines)}
    names = ((f"{line['part']}{' of ' * bool(line['target'])}{line['target']}", line) for line in reversed(once.values()))
    return {name: f"{line['what']}{'; next: ' * bool(line['next'])}{line['next']}" for name, line in names}


def _table(changes: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{"": line["key"], **{side: _value(line, side) for side in ("old", "new")}} for line in changes]


def _value(line: Mapping[str, Any], side: str) -> str:
    text = json.dumps(line[side], ensure_ascii=False) if side in line else ABSENT
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _features(found: Mapping[str, Any]) -> dict[str, Any]:
    lists = {name: ", ".join(found[name]) for name in ("views_added", "views_removed") if name in found}
    columns = {name: _counted(found[name]) for name in ("columns_added", "columns_removed") if name in found}
    views = {f"view {name}": _table(lines) for name, lines in found.get("views_changed", {}).items()}
    return (
        _spaced({**lists, **columns}) | views | {name: _table(found[name]) for name in ("service", "encoders") if name in found}
    )


def _data(found: Mapping[str, Any]) -> dict[str, Any]:
    rows = {name: _ids(found[name]) for name in ("added", "removed") if name in found}
    values = {f"{way} {name}": _ids(ids) for way in ("relabelled", "edited") for name, ids in found.get(way, {}).items()}
    columns = {name: _counted(found[name]) for name in ("columns_added", "columns_removed") if name in found}
    drops = {f"drop {line['drop']}": f"{line['old']} → {line['new']} rows" for line in found.get("drops", ())}
    return {**rows, **values, **drops, **_spaced(columns)}


def _ids(found: Mapping[str, Any]) -> str:
    more = ", …" if found["count"] > len(found["first"]) else ""
    return f"{found['count']} ({', '.join(found['first'])}{more})"


def _counted(names: Sequence[str]) -> str:
    return _ids({"count": len(names), "first": names[:5]})


def _spaced(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("_", " "): value for name, value in told.items()}
