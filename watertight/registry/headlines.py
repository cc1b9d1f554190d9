"""A version's figures in few words: of each target the first metric on the test rows, with its interval and row set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

OUT_OF_FOLD = "out_of_fold"
SHOWN = 2
FIGURES_SHOWN = ("target", "part", "metric", "figure", "low", "high", "rows", "groups", "row_set")


def headlines(figures: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Per target the record of its first metric, of a test set where it was looked at, else out of fold."""
    found: dict[str, Mapping[str, Any]] = {}
    for line in figures:
        held = found.get(line["target"])
        if held is None or (held["part"] == OUT_OF_FOLD and line["part"] != OUT_OF_FOLD):
            found[line["target"]] = line
    return [{name: line[name] for name in FIGURES_SHOWN} for line in found.values()]


def headline_text(figures: Iterable[Mapping[str, Any]]) -> str:
    """``score rmse 2.0312 [1.9312, 2.1312] test_drops``, for the first two targets, and how many more there are."""
    told = [f"{line['target']} {line['metric']} {interval(line)} {line['part']}" for line in headlines(figures)]
    more = [f"{len(told) - SHOWN} more"] if len(told) > SHOWN else []
    return ", ".join([*told[:SHOWN], *more])


def interval(line: Mapping[str, Any]) -> str:
    """``2.0312 [1.9312, 2.1312]``; without brackets where there is no interval, empty where there is no figure."""
    if line["figure"] is None:
        return ""
    bounds = [f"{line[name]:.4f}" for name in ("low", "high") if line[name] is not None]
    return f"{line['figure']:.4f}" + (f" [{', '.join(bounds)}]" if len(bounds) == 2 else "")
