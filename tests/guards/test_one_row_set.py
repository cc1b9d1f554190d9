"""Figures beside one another: of one row set, or named with the rows that they lack."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pipelines.set_beside import SETS
from watertight.checks.suite import Check, judge
from watertight.checks.verdict import CheckResult
from watertight.core.digests import row_set_digest

KIND = "expect_one_row_set"
LABELS = pl.DataFrame({"row_id": ["a", "b", "c"], "mood": [0.5, -1.0, 2.0]})


def line(cell: str, row_set: str, rows: int = 3, lacks: tuple[str, ...] = (), **where: str) -> dict[str, Any]:
    place = {"target": "mood", "slice": "", "value": "", **where}
    return {
        "row_id": f"{place['target']}, cell {cell}{place['value']}",
        **place,
        "row_set": row_set,
        "rows": rows,
        "lacks": lacks,
    }


def asked(*lines: dict[str, Any]) -> CheckResult:
    [found] = judge("figures", pl.DataFrame(lines, schema=SETS), [Check(type=KIND)]).results
    return found


def test_each_target_and_slice_may_have_a_row_set_of_its_own() -> None:
    good = asked(
        *(line(cell, "s1") for cell in ("mean", "past")),
        *(line(cell, "s2", target="energy") for cell in ("mean", "past")),
        *(line(cell, "s3", slice="language", value="de") for cell in ("mean", "past")),
        *(line(cell, "s4", slice="language", value="en") for cell in ("mean", "past")),
    )
    assert (good.status, good.columns, good.reason) == ("pass", (), "")


@pytest.mark.parametrize("others", [1, 3])
def test_a_cell_that_leaves_out_rows_is_named_with_them_even_where_it_is_one_of_two(others: int) -> None:
    full = [line(f"full{number}", "s1") for number in range(others)]
    found = asked(line("sly", "s0", 1, ("b", "c")), *full)
    assert (found.status, found.columns, found.row_ids) == ("fail", ("mood, cell sly",), ("b", "c"))
    assert found.reason == "mood, cell sly is of 1 rows (row set s0) beside mood, cell full0 is of 3 rows (row set s1)"


def test_a_slice_alone_may_differ() -> None:
    lines = [line(cell, "s1") for cell in ("x", "y", "z")]
    cut = [line(cell, "s9" if cell == "y" else "s2", slice="language", value="de") for cell in ("x", "y", "z")]
    assert asked(*lines, *cut).columns == ("mood, cell yde",)


@pytest.mark.parametrize("label", [0.5000001, 1.5, -0.5])
def test_a_relabelled_row_is_another_row_set_by_however_little(label: float) -> None:
    relabelled = LABELS.with_columns(mood=pl.when(pl.col("row_id") == "a").then(label).otherwise("mood"))
    sets = [row_set_digest(rows, "mood") for rows in (LABELS, LABELS.reverse(), relabelled)]
    assert sets[0] == sets[1] != sets[2]
    assert asked(line("old", sets[0]), line("same", sets[1])).status == "pass"
    assert asked(line("old", sets[0]), line("same", sets[1]), line("new", sets[2])).columns == ("mood, cell new",)
