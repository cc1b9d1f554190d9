"""Cells over cells, as declared: every fault is told before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from watertight.core.declare import parse
from watertight.core.errors import Misuse
from watertight.core.workload import TrainParams


def params(cells: dict[str, Any], **more: Any) -> TrainParams:
    return parse(TrainParams, {"targets": ["mood", "energy"], "cells": cells, **more}, "the section")


def test_a_cell_stands_over_those_that_have_the_target() -> None:
    one = {"family": "linear", "views": "all"}
    found = params({"top": {"family": "blend", "over": ["one", "mood"]}, "one": one, "mood": {**one, "targets": ["mood"]}})
    top = found.cells["top"]
    assert found.members_of(top, "mood") == ("one", "mood")
    assert found.members_of(top, "energy") == ("one",)
    assert found.targets_of(found.cells["mood"]) == ("mood",)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (
            {"top": {"family": "blend", "over": ["lexcal"]}, "lexical": {"family": "mean"}},
            "'lexcal', which is no cell; did you mean",
        ),
        ({"a": {"family": "mean", "over": ["b"]}, "b": {"family": "mean", "over": ["a"]}}, "over one another in a circle: "),
        ({"a": {"family": "mean", "over": ["a"]}}, "in a circle: a → a"),
        (
            {"top": {"family": "blend", "over": ["one"]}, "one": {"family": "mean", "targets": ["mood"]}},
            "cell 'top' stands over cells that have no 'energy'",
        ),
        (
            {"a": {"family": "mean", "search": {"trials": 3, "space": {"strength": {"low": 0, "high": 1, "log": True}}}}},
            "from above 0 where it is log",
        ),
        ({"a": {"family": "mean", "search": {"trials": 3, "space": {}}}}, "space"),
    ],
)
def test_what_cannot_be_is_misuse(cells: dict[str, Any], told: str) -> None:
    with pytest.raises(Misuse, match=told):
        params(cells)
