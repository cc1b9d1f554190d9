"""Cells over cells, as declared: every fault is told before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from watertight.core.declare import parse
from watertight.core.errors import Misuse
from watertight.core.workload import TrainParams, WorkloadParams


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


NET = {"family": "linear", "views": "all"}
STRONGEST = {"strongest": [{"step": "filtered", "by": "similarity", "most": 2}]}


def test_a_matrix_stands_for_a_cell_per_pair() -> None:
    found = params(
        {
            "net": {**NET, "seeds": [0, 4], "data": ["whole", "strongest"], "treatments": ["smooth"]},
            "many": {**NET, "seeds": [1, 2]},
            "two": {**NET, "data": ["strongest", "whole"], "seed": 7},
            "top": {"family": "blend", "over": ["many-2", "net", "many"]},
        },
        treatments={**STRONGEST, "smooth": [{"step": "smoothed"}]},
    )
    pairs = ("net-whole-0", "net-whole-4", "net-strongest-0", "net-strongest-4")
    assert tuple(found.cells) == (*pairs, "many-1", "many-2", "two-strongest", "two-whole", "top")
    assert found.matrices == {"net": pairs, "many": ("many-1", "many-2"), "two": ("two-strongest", "two-whole")}
    assert found.cells["net-strongest-4"].seed == 4
    assert found.cells["net-strongest-4"].treatments == ("strongest", "smooth"), "what is left out comes first"
    assert found.cells["net-whole-0"].treatments == ("smooth",)
    assert (found.cells["two-whole"].seed, found.cells["two-whole"].treatments) == (7, ())
    assert found.cells["top"].over == ("many-2", *pairs, "many-1"), "each once"
    assert not any(cell.is_matrix for cell in found.cells.values())


@pytest.mark.parametrize(
    ("cells", "more", "told"),
    [
        ({"net": {**NET, "seeds": []}}, {}, "cells.net.seeds"),
        ({"net": {**NET, "seeds": [0, 0]}}, {}, "seeds names one twice: 0, 0"),
        ({"net": {**NET, "data": ["whole", "whole"]}}, {}, "data names one twice"),
        ({"net": {**NET, "seeds": [-1]}}, {}, "cells.net.seeds.0"),
        ({"net": {**NET, "seed": 1, "seeds": [2]}}, {}, "one seed, or seeds"),
        (
            {"net": {**NET, "data": ["strngest"]}},
            {"treatments": STRONGEST},
            "data 'strngest', which is none; did you mean 'strongest'",
        ),
        ({"net": NET}, {"treatments": {"whole": []}}, "a treatment is called 'whole'"),
        ({"net": {**NET, "seeds": [1]}, "net-1": NET}, {}, "cell 'net' stands for 'net-1', and so does 'net-1'"),
        (
            {"net": {**NET, "seeds": [1]}, "top": {"family": "mean", "over": ["net-2"]}},
            {},
            "'net-2', which is no cell; did you mean",
        ),
        ({"a": {"family": "mean", "seeds": [0, 1], "over": ["a"]}}, {}, "in a circle"),
        (
            {"top": {"family": "mean", "over": ["net"], "data": ["strongest"]}, "net": NET},
            {"treatments": STRONGEST},
            "stands over others and has treatments",
        ),
        (
            {"top": {"family": "mean", "over": ["net"], "seeds": [5]}, "net": NET},
            {"seeds": [0, 1]},
            "'top-5' has a seed of its own and stands over 'net', which has 2",
        ),
    ],
)
def test_a_matrix_that_cannot_be_is_misuse(cells: dict[str, Any], more: dict[str, Any], told: str) -> None:
    with pytest.raises(Misuse, match=told):
        params(cells, **more)


def test_a_matrix_is_no_cell_to_register() -> None:
    section = {
        "source": {"name": "made"},
        "split": {"seed": 0, "folds": 3},
        "join": {"service": "tiny"},
        "train": {"targets": ["mood"], "cells": {"net": {**NET, "seeds": [0, 1]}}},
        "register": {"cell": "net"},
    }
    with pytest.raises(Misuse, match="'net' stands for net-0, net-1: name one"):
        parse(WorkloadParams, section, "the section")
    assert parse(WorkloadParams, {**section, "register": {"cell": "net-1"}}, "the section").register_.cell == "net-1"
